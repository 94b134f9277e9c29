"""Kling O1: a video from one or two images, or a video changed as the prompt says, in two speeds."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog import conditions, videos
from generations.catalog.base import Example, MediaKind, Parsed, PriceInputs, Settlement, Spec
from generations.catalog.fields import NumberChoice, Object
from generations.catalog.prompts import check_references
from generations.catalog.rules import MEGABYTE, images_fit, video_fits
from generations.media import ImageRule, VideoRule

I2V = "kling-o1-image-to-video"
EDIT = "kling-o1-video-edit"
FAST = "kling-o1-video-edit-fast"
LONGEST_SECONDS = {EDIT: 10, FAST: 20}
QUALITY = {I2V: "1080p", EDIT: "1080p", FAST: "720p"}
"""What the provider is asked for, since the request does not say it."""
PROMPT = videos.prompt(5000, required=True)
FRAME_RULE = ImageRule(formats=("jpeg", "png", "webp"))
FRAME = MediaKind(rule=FRAME_RULE)
ANY_SIDE = 8192


def _read_images(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    spec.read_model_params(body)
    root = spec.root.read(body, "")
    check_references(root["prompt"], "prompt", {"element": 0, "image": len(root["image_urls"]), "video": 0})
    seconds = root["duration"]
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"],
            duration_seconds=seconds,
            quality=QUALITY[spec.id],
            aspect_ratio=root["aspect_ratio"],
        ),
        media=tuple(
            spec.media_ref(role, f"image_urls[{position}]", url)
            for position, (role, url) in enumerate(zip(spec.media, root["image_urls"], strict=False))
        ),
        elements=(),
        voice=None,
        price=PriceInputs(model=spec.id, cell=QUALITY[spec.id], seconds=seconds, billing_rule="per_second"),
        video_duration=seconds,
    )


def _read_edit(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    spec.read_model_params(body)
    root = spec.root.read(body, "")
    images = videos.images(spec, root["image_urls"])
    check_references(root["prompt"], "prompt", {"element": 0, "image": len(images), "video": 1})
    longest = LONGEST_SECONDS[spec.id]
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"],
            quality=QUALITY[spec.id],
            video_use="base",
            keep_sound=root["keep_original_sound"],
        ),
        media=(*images, spec.media_ref("video", "video_urls[0]", root["video_urls"][0])),
        elements=(),
        voice=None,
        price=PriceInputs(model=spec.id, cell=f"{QUALITY[spec.id]}_video", seconds=longest, billing_rule="per_second"),
        video_duration=longest,
    )


IMAGE_TO_VIDEO = Spec(
    id=I2V,
    type="video",
    family="Kling O1",
    description=_("Makes a video of 5 or 10 seconds from a first image, or from a first and a last one."),
    stability=videos.STABLE,
    capabilities=("image_to_video", "end_frame"),
    estimated_seconds=300,
    root=Object(
        fields={
            "prompt": PROMPT,
            "image_urls": videos.image_urls(2, "The first frame, or the first and the last.", least=1, required=True),
            "duration": NumberChoice(values=(5, 10), default=5, about="The length in seconds."),
            "aspect_ratio": videos.ASPECT_RATIO,
        },
        extras=True,
        conditions=(
            *conditions.references_exist("element", 0),
            *conditions.references_exist("image", 2, conditions.images_at_least()),
            *conditions.references_exist("video", 0),
        ),
    ),
    model_params=Object(fields={}, about="This model has none."),
    media={"image_start": FRAME, "image_end": FRAME},
    rules=(images_fit(FRAME_RULE),),
    examples=(
        Example(
            name="plain",
            summary=_("Five seconds from one image"),
            body={"model": I2V, "image_urls": ["https://example.com/tree.webp"], "prompt": "Wind moves the leaves"},
        ),
        Example(
            name="first_and_last_frame",
            summary=_("Ten seconds from a first image to a last one"),
            body={
                "model": I2V,
                "image_urls": ["https://example.com/spring.jpg", "https://example.com/autumn.jpg"],
                "prompt": "The seasons pass",
                "duration": 10,
            },
        ),
        Example(
            name="upright",
            summary=_("An upright image"),
            body={
                "model": I2V,
                "image_urls": ["https://example.com/tower.jpg"],
                "prompt": "The camera rises along <<<image_1>>>",
                "aspect_ratio": "9:16",
            },
        ),
    ),
    reader=_read_images,
)


def _edit_examples(model: str) -> tuple[Example, ...]:
    video = {"model": model, "video_urls": ["https://example.com/street.mp4"]}
    return (
        Example(name="plain", summary=_("A change in words"), body={**video, "prompt": "Let it snow"}),
        Example(
            name="with_image",
            summary=_("Something of an image enters the video"),
            body={
                **video,
                "prompt": "The car in <<<video_1>>> becomes <<<image_1>>>",
                "image_urls": ["https://example.com/car.png"],
            },
        ),
        Example(
            name="silent",
            summary=_("Without the sound of the input"),
            body={**video, "prompt": "Make it night", "keep_original_sound": False},
        ),
    )


def _edit(model: str, *, description: str, shortest: int) -> Spec:
    longest = LONGEST_SECONDS[model]
    rule = VideoRule(max_bytes=100 * MEGABYTE, min_seconds=0, max_seconds=longest, min_side=1, max_side=ANY_SIDE)
    video = (
        f"The video to change, {shortest} to {longest} seconds. Billed on its length to 0.01 s, at least {shortest} s; "
        f"until that is known, {longest} s are reserved."
    )
    return Spec(
        id=model,
        type="video",
        family="Kling O1",
        description=description,
        stability=videos.STABLE,
        capabilities=("video_edit", "image_references", "keep_sound"),
        estimated_seconds=300,
        root=Object(
            fields={
                "prompt": PROMPT,
                "video_urls": videos.image_urls(1, video, least=1, required=True),
                "image_urls": videos.image_urls(4, "Images that the prompt refers to."),
                "keep_original_sound": videos.KEEP_SOUND,
            },
            extras=True,
            conditions=(
                *conditions.references_exist("element", 0),
                *conditions.references_exist("image", 4, conditions.images_at_least()),
                *conditions.references_exist("video", 1),
            ),
        ),
        model_params=Object(fields={}, about="This model has none."),
        media=videos.numbered(4) | {"video": MediaKind(rule=rule)},
        rules=(images_fit(ImageRule()), video_fits(rule, length=f"at most {longest} seconds")),
        examples=_edit_examples(model),
        reader=_read_edit,
        settlement=Settlement(measures="input", reserves="hundredth_up", charges="hundredth_up"),
    )


VIDEO_EDIT = _edit(EDIT, description=_("Changes a video of 3 to 10 seconds as the prompt says."), shortest=3)
VIDEO_EDIT_FAST = _edit(
    FAST, description=_("Changes a video of 6 to 20 seconds as the prompt says, faster."), shortest=6
)
