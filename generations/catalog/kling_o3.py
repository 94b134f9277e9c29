"""Kling 3.0 Omni: text, frames, reference images, elements and a reference video in one model, as four."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog import conditions, shots, videos
from generations.catalog.base import ElementRef, MediaKind, MediaRef, Parsed, PriceInputs, Settlement, Spec
from generations.catalog.conditions import AtLeast, Schema
from generations.catalog.fields import Choice, Object, OnOff, Text, WebAddress, WholeNumber, invalid, missing
from generations.catalog.kling_o3_examples import EDITS, FROM_IMAGES, FROM_REFERENCES, FROM_TEXT
from generations.catalog.prompts import check_references
from generations.catalog.rules import (
    ELEMENTS_ARE_USABLE,
    ELEMENTS_FROM_IMAGES,
    MEGABYTE,
    images_fit,
    video_fits,
)
from generations.media import ImageRule, VideoRule

T2V = "kling-o3-text-to-video"
I2V = "kling-o3-image-to-video"
REFERENCE = "kling-o3-reference-to-video"
EDIT = "kling-o3-video-edit"
MOST_TOGETHER = 7
MOST_WITH_VIDEO = 4
MOST_WITH_FRAME = 3
MOST_IMAGES_WITH_END = 2
LONGEST_INPUT_SECONDS = 15

VIDEO_RULE = VideoRule(
    max_bytes=200 * MEGABYTE,
    min_seconds=3,
    max_seconds=LONGEST_INPUT_SECONDS,
    min_side=720,
    max_side=2160,
    min_fps=24,
    max_fps=60,
)
VIDEO = MediaKind(rule=VIDEO_RULE)
SHOTS = shots.FIELDS | {
    "shot_type": Choice(
        values=("customize",), about="Your own shots, in multi_prompt. Required with multi_shot, refused without it."
    )
}
PROMPT = Text(max_length=2500, about="What happens in the video; needed unless the shots are your own.")
FRAMES_AND_MORE = conditions.images_at_least("image_start", "image_end")
LISTED_IMAGES = conditions.images_at_least()
SHAPE_WITHOUT_FRAME = replace(
    videos.ASPECT_RATIO, about="The shape of the video; ignored with image_start, whose shape it then has."
)
SOUND = OnOff(default=False, about="Whether the video has sound.")
ELEMENTS_AT_ROOT = videos.element_list_at_root(MOST_TOGETHER)
ELEMENTS = {"element_list": videos.element_list(MOST_TOGETHER)}
IMAGES = videos.image_urls(MOST_TOGETHER, "Images that the prompt refers to.")
FEW_WITH_FRAME = {
    "description": f"With image_start there are at most {MOST_WITH_FRAME} elements.",
    "if": {"required": ["image_start"]},
    "then": conditions.at_most_elements(MOST_WITH_FRAME),
}
SOME_IMAGE = {"description": "image_start or image_urls is needed."} | FRAMES_AND_MORE(1)
END_FRAME = {
    "description": "image_end needs image_start, and no other image.",
    "if": {"required": ["image_end"]},
    "then": {"required": ["image_start"], "properties": {"image_urls": {"maxItems": 0}}},
}
FEW_WITH_VIDEO = {
    "description": f"With a video, images and elements are at most {MOST_WITH_VIDEO} together.",
    "if": {"required": ["video_url"]},
    "then": conditions.at_most_together(MOST_WITH_VIDEO, LISTED_IMAGES),
}


def _duration(longest: int) -> WholeNumber:
    return WholeNumber(
        minimum=shots.SHORTEST_SECONDS,
        maximum=longest,
        default=5,
        about=f"The length in seconds, {shots.SHORTEST_SECONDS} to {longest}.",
    )


def _read(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    """Text, images and references: the length is the one that is asked for."""
    params = spec.read_model_params(body)
    shots.check_type(params)
    storyboard = params["shot_type"] == "customize"
    root = spec.root.read({name: body[name] for name in body if not (storyboard and name == "prompt")}, "")
    elements = videos.elements(root, params, "image_refer" if spec.id == REFERENCE else None)
    media = _media(spec, root)
    _check_together(spec, root, media, elements)
    own_shots = shots.own_shots(params, root["duration"]) if storyboard else []
    _check_prompts(root, params, _counts(media, elements))
    sound, with_video = root.get("sound", False), root.get("video_url") is not None
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"] or "",
            duration_seconds=root["duration"],
            quality=root["quality"],
            sound=sound,
            aspect_ratio=root["aspect_ratio"],
            multi_shot=params["multi_shot"],
            shot_type=params["shot_type"],
            shots=own_shots,
            element_ids=[element.element_id for element in elements],
            video_use="feature" if with_video else None,
            keep_sound=with_video and root["keep_original_sound"],
        ),
        media=media,
        elements=elements,
        voice=None,
        price=PriceInputs(
            model=spec.id,
            cell=root["quality"] + ("_video" if with_video else "" if spec.id == REFERENCE else _spoken(sound)),
            seconds=root["duration"],
            billing_rule="per_second",
        ),
        video_duration=root["duration"],
    )


def _read_edit(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    """The output is as long as the input."""
    params = spec.read_model_params(body)
    root = spec.root.read(body, "")
    elements = videos.elements(root, params, "image_refer")
    media = _media(spec, root)
    _check_together(spec, root, media, elements)
    check_references(root["prompt"], "prompt", _counts(media, elements))
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"],
            quality=root["quality"],
            element_ids=[element.element_id for element in elements],
            video_use="base",
            keep_sound=root["keep_original_sound"],
        ),
        media=media,
        elements=elements,
        voice=None,
        price=PriceInputs(
            model=spec.id, cell=f"{root['quality']}_video", seconds=LONGEST_INPUT_SECONDS, billing_rule="per_second"
        ),
        video_duration=LONGEST_INPUT_SECONDS,
    )


def _spoken(sound: bool) -> str:
    return "_on" if sound else "_off"


def _media(spec: Spec, root: Mapping[str, Any]) -> tuple[MediaRef, ...]:
    frames = [(role, role) for role in ("image_start", "image_end") if root.get(role) is not None]
    clip = [("video", "video_url")] if root.get("video_url") is not None else []
    return (
        *(spec.media_ref(role, name, root[name]) for role, name in frames),
        *videos.images(spec, root.get("image_urls")),
        *(spec.media_ref(role, name, root[name]) for role, name in clip),
    )


def _counts(media: tuple[MediaRef, ...], elements: tuple[ElementRef, ...]) -> dict[str, int]:
    clips = sum(medium.role == "video" for medium in media)
    return {"image": len(media) - clips, "video": clips, "element": len(elements)}


def _check_together(
    spec: Spec, root: Mapping[str, Any], media: tuple[MediaRef, ...], elements: tuple[ElementRef, ...]
) -> None:
    """What images, elements and a video allow beside each other."""
    counts = _counts(media, elements)
    listed = videos.element_path(root)
    if spec.id == I2V and not counts["image"]:
        raise missing("image_start", "image_start or image_urls is required.")
    if root.get("image_end") is not None:
        if root["image_start"] is None:
            raise missing("image_start", "image_start is required when image_end is given.")
        if counts["image"] > MOST_IMAGES_WITH_END:
            raise invalid("image_end", f"image_end cannot be used with more than {MOST_IMAGES_WITH_END} images.")
    if root.get("image_start") is not None and len(elements) > MOST_WITH_FRAME:
        raise invalid(listed, f"With image_start, {listed} may have at most {MOST_WITH_FRAME} entries.")
    most = MOST_WITH_VIDEO if counts["video"] else MOST_TOGETHER
    if counts["image"] + len(elements) > most:
        with_video = " with a video" if counts["video"] else ""
        blamed = "image_urls" if root.get("image_urls") else listed
        raise invalid(blamed, f"Images and elements may be at most {most} together{with_video}.")


def _check_prompts(root: Mapping[str, Any], params: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    if params["shot_type"] == "customize":
        for position, shot in enumerate(params["multi_prompt"]):
            check_references(shot["prompt"], f"{shots.PARAM}[{position}].prompt", counts)
        return
    if root["prompt"] is None:
        raise missing("prompt")
    if not root["prompt"].strip():
        raise invalid("prompt", "prompt must not be empty.")
    check_references(root["prompt"], "prompt", counts)


def _references(
    images: int, image: AtLeast, videos: int, video: AtLeast, *, elements: int = MOST_TOGETHER, shots: bool = True
) -> tuple[Schema, ...]:
    """A prompt names only what there is, of which there may be so many."""
    return (
        *conditions.references_exist("element", elements, conditions.elements_at_least, shots=shots),
        *conditions.references_exist("image", images, image, shots=shots),
        *conditions.references_exist("video", videos, video, shots=shots),
    )


WITH_VIDEO_RULES = (ELEMENTS_ARE_USABLE, ELEMENTS_FROM_IMAGES, images_fit(ImageRule()), video_fits(VIDEO_RULE))

TEXT_TO_VIDEO = Spec(
    id=T2V,
    type="video",
    family="Kling 3.0 Omni",
    description=_("Makes a video of 3 to 15 seconds from text and elements, as one shot or your own shots."),
    stability=videos.STABLE,
    capabilities=("text_to_video", "elements", "multi_shot", "sound", "4k"),
    estimated_seconds=300,
    root=Object(
        fields={
            "prompt": PROMPT,
            "duration": _duration(shots.LONGEST_SECONDS),
            "quality": videos.quality("720p", "1080p", "4k"),
            "sound": SOUND,
            "aspect_ratio": videos.ASPECT_RATIO,
            "element_list": ELEMENTS_AT_ROOT,
        },
        extras=True,
        conditions=(
            conditions.PROMPT_UNLESS_OWN_SHOTS,
            conditions.ELEMENTS_ONCE,
            *_references(0, conditions.always, 0, conditions.always),
        ),
    ),
    model_params=Object(fields=SHOTS | ELEMENTS, conditions=shots.CONDITIONS),
    media={},
    rules=(*shots.RULES, ELEMENTS_ARE_USABLE),
    examples=FROM_TEXT,
    reader=_read,
)

IMAGE_TO_VIDEO = Spec(
    id=I2V,
    type="video",
    family="Kling 3.0 Omni",
    description=_("Makes a video of 3 to 15 seconds from a first frame, a last frame, reference images and elements."),
    stability=videos.STABLE,
    capabilities=("image_to_video", "end_frame", "image_references", "elements", "multi_shot", "sound", "4k"),
    estimated_seconds=300,
    root=Object(
        fields={
            "image_start": WebAddress(about="The first frame."),
            "image_end": WebAddress(about="The last frame; only with image_start and no other image."),
            "image_urls": IMAGES,
            "prompt": PROMPT,
            "duration": _duration(shots.LONGEST_SECONDS),
            "quality": videos.quality("720p", "1080p", "4k"),
            "sound": SOUND,
            "aspect_ratio": SHAPE_WITHOUT_FRAME,
            "element_list": ELEMENTS_AT_ROOT,
        },
        extras=True,
        conditions=(
            conditions.PROMPT_UNLESS_OWN_SHOTS,
            conditions.ELEMENTS_ONCE,
            SOME_IMAGE,
            END_FRAME,
            FEW_WITH_FRAME,
            conditions.at_most_together(MOST_TOGETHER, FRAMES_AND_MORE),
            *_references(MOST_TOGETHER, FRAMES_AND_MORE, 0, conditions.always),
        ),
    ),
    model_params=Object(fields=SHOTS | ELEMENTS, conditions=shots.CONDITIONS),
    media={
        "image_start": MediaKind(rule=ImageRule()),
        "image_end": MediaKind(rule=ImageRule()),
        **videos.numbered(MOST_TOGETHER),
    },
    rules=(*shots.RULES, ELEMENTS_ARE_USABLE, images_fit(ImageRule())),
    examples=FROM_IMAGES,
    reader=_read,
)

REFERENCE_TO_VIDEO = Spec(
    id=REFERENCE,
    type="video",
    family="Kling 3.0 Omni",
    description=_("Makes a video of 3 to 10 seconds that follows reference images, elements and a reference video."),
    stability=videos.STABLE,
    capabilities=("reference_to_video", "image_references", "elements", "multi_shot", "keep_sound"),
    estimated_seconds=300,
    root=Object(
        fields={
            "prompt": PROMPT,
            "image_urls": IMAGES,
            "video_url": WebAddress(about="A video to follow."),
            "keep_original_sound": videos.KEEP_SOUND,
            "duration": _duration(10),
            "quality": videos.quality("720p", "1080p"),
            "aspect_ratio": videos.ASPECT_RATIO,
            "element_list": ELEMENTS_AT_ROOT,
        },
        extras=True,
        conditions=(
            conditions.PROMPT_UNLESS_OWN_SHOTS,
            conditions.ELEMENTS_ONCE,
            conditions.at_most_together(MOST_TOGETHER, LISTED_IMAGES),
            FEW_WITH_VIDEO,
            *_references(MOST_TOGETHER, LISTED_IMAGES, 1, conditions.given("video_url")),
        ),
    ),
    model_params=Object(fields=SHOTS | ELEMENTS, conditions=shots.CONDITIONS),
    media=videos.numbered(MOST_TOGETHER) | {"video": VIDEO},
    rules=(*shots.RULES, *WITH_VIDEO_RULES),
    examples=FROM_REFERENCES,
    reader=_read,
)

VIDEO_EDIT = Spec(
    id=EDIT,
    type="video",
    family="Kling 3.0 Omni",
    description=_("Changes a video of 3 to 15 seconds as the prompt, images and elements say."),
    stability=videos.STABLE,
    capabilities=("video_edit", "image_references", "elements", "keep_sound"),
    estimated_seconds=300,
    root=Object(
        fields={
            "prompt": videos.prompt(),
            "video_url": WebAddress(
                required=True,
                about="The video to change. Billed on the length of the video that is made; reserved until then: that "
                "of the input, or the longest.",
            ),
            "image_urls": videos.image_urls(MOST_WITH_VIDEO, "Images that the prompt refers to."),
            "keep_original_sound": videos.KEEP_SOUND,
            "quality": videos.quality("720p", "1080p"),
            "element_list": videos.element_list_at_root(MOST_WITH_VIDEO),
        },
        extras=True,
        conditions=(
            conditions.ELEMENTS_ONCE,
            conditions.at_most_together(MOST_WITH_VIDEO, LISTED_IMAGES),
            *_references(MOST_WITH_VIDEO, LISTED_IMAGES, 1, conditions.always, elements=MOST_WITH_VIDEO, shots=False),
        ),
    ),
    model_params=Object(fields={"element_list": videos.element_list(MOST_WITH_VIDEO)}),
    media=videos.numbered(MOST_WITH_VIDEO) | {"video": VIDEO},
    rules=WITH_VIDEO_RULES,
    examples=EDITS,
    reader=_read_edit,
    settlement=Settlement(measures="output", reserves="up", charges="half_up"),
)
