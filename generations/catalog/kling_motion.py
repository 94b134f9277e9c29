"""Kling motion control: the character of an image moves as somebody does in a video. Billed on the output's length."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog import conditions, videos
from generations.catalog.base import Example, MediaKind, Parsed, PriceInputs, Settlement, Spec
from generations.catalog.fields import Choice, Field, Object, invalid
from generations.catalog.prompts import check_references
from generations.catalog.rules import ELEMENTS_ARE_USABLE, ELEMENTS_FROM_VIDEO, MEGABYTE, images_fit, video_fits
from generations.media import ImageRule, VideoRule

V3 = "kling-v3-motion-control"
V2_6 = "kling-v2.6-motion-control"
PARAM = "model_params.character_orientation"
LONGEST_SECONDS = {"image": 10, "video": 30}
ROLES = {"image": "short_video", "video": "video"}
VIDEO_RULES = {
    orientation: VideoRule(max_bytes=100 * MEGABYTE, min_seconds=3, max_seconds=longest, min_side=340, max_side=3850)
    for orientation, longest in LONGEST_SECONDS.items()
}
MEDIA = {
    "image_1": MediaKind(rule=ImageRule()),
    **{ROLES[orientation]: MediaKind(rule=rule) for orientation, rule in VIDEO_RULES.items()},
}
SETTLEMENT = Settlement(measures="output", reserves="half_up", charges="half_up", roles=("video", "short_video"))
ROOT: dict[str, Field] = {
    "image_urls": videos.image_urls(1, "The image of the character.", least=1, required=True),
    "video_urls": videos.image_urls(
        1,
        "The video of the movement. Billed on the length of the video that is made; reserved until then: that of the "
        "input, or the longest.",
        least=1,
        required=True,
    ),
    "prompt": videos.prompt(),
    "quality": videos.quality("720p", "1080p"),
}
PARAMS: dict[str, Field] = {
    "character_orientation": Choice(
        values=("image", "video"),
        required=True,
        about="Whether the character faces as in the image (video of at most 10 s) or as in the video (at most 30 s).",
    ),
    "keep_sound": videos.KEEP_SOUND,
}
WITHOUT_ELEMENTS = {
    "description": "An element can only be used with character_orientation video.",
    "if": conditions.params_are(character_orientation="image"),
    "then": conditions.at_most_elements(0),
}
NAMED_MEDIA = (*conditions.references_exist("image", 1), *conditions.references_exist("video", 1))
MEDIA_RULES = (
    images_fit(ImageRule()),
    video_fits(VIDEO_RULES["video"], length="3 to 30 seconds (to 10 with character_orientation image)"),
)


def _read(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    params = spec.read_model_params(body)
    root = spec.root.read(body, "")
    orientation = params["character_orientation"]
    elements = videos.elements(root, params, "video_refer")
    if elements and orientation == "image":
        raise invalid(videos.element_path(root), f"Elements can only be used when {PARAM.split('.')[1]} is video.")
    check_references(root["prompt"], "prompt", {"element": len(elements), "image": 1, "video": 1})
    longest = LONGEST_SECONDS[orientation]
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"],
            quality=root["quality"],
            element_ids=[element.element_id for element in elements],
            video_use="motion",
            orientation=orientation,
            keep_sound=params["keep_sound"],
        ),
        media=(
            *videos.images(spec, root["image_urls"]),
            spec.media_ref(ROLES[orientation], "video_urls[0]", root["video_urls"][0]),
        ),
        elements=elements,
        voice=None,
        price=PriceInputs(model=spec.id, cell=root["quality"], seconds=longest, billing_rule="per_second"),
        video_duration=longest,
    )


def _examples(model: str) -> tuple[Example, ...]:
    media = {
        "model": model,
        "image_urls": ["https://example.com/dancer.png"],
        "video_urls": ["https://example.com/dance.mp4"],
    }
    return (
        Example(
            name="plain",
            summary=_("The character faces as in the video"),
            body={**media, "model_params": {"character_orientation": "video"}},
        ),
        Example(
            name="facing_as_in_the_image",
            summary=_("The character faces as in the image, without the video's sound"),
            body={**media, "model_params": {"character_orientation": "image", "keep_sound": False}},
        ),
        Example(
            name="sharp",
            summary=_("In 1080p, with a prompt"),
            body={
                **media,
                "prompt": "A stage with warm light",
                "quality": "1080p",
                "model_params": {"character_orientation": "video"},
            },
        ),
    )


MOTION_CONTROL = Spec(
    id=V3,
    type="video",
    family="Kling 3.0",
    description=_("Moves the character of an image as in a video of 3 to 30 seconds."),
    stability=videos.STABLE,
    capabilities=("motion_control", "elements", "keep_sound"),
    estimated_seconds=300,
    root=Object(
        fields=ROOT | {"element_list": videos.element_list_at_root(1)},
        extras=True,
        conditions=(
            conditions.ELEMENTS_ONCE,
            WITHOUT_ELEMENTS,
            *conditions.references_exist("element", 1, conditions.elements_at_least),
            *NAMED_MEDIA,
        ),
    ),
    model_params=Object(fields=PARAMS | {"element_list": videos.element_list(1)}),
    media=MEDIA,
    rules=(ELEMENTS_ARE_USABLE, ELEMENTS_FROM_VIDEO, *MEDIA_RULES),
    examples=(
        *_examples(V3),
        Example(
            name="with_element",
            summary=_("The face of an element made from a video"),
            body={
                "model": V3,
                "image_urls": ["https://example.com/dancer.png"],
                "video_urls": ["https://example.com/dance.mp4"],
                "prompt": "<<<element_1>>> dances",
                "model_params": {
                    "character_orientation": "video",
                    "element_list": [{"element_id": "860123456789012345"}],
                },
            },
        ),
    ),
    reader=_read,
    settlement=SETTLEMENT,
)

MOTION_CONTROL_2_6 = Spec(
    id=V2_6,
    type="video",
    family="Kling 2.6",
    description=_("Moves the character of an image as in a video of 3 to 30 seconds, by the model before."),
    stability=videos.STABLE,
    capabilities=("motion_control", "keep_sound"),
    estimated_seconds=300,
    root=Object(fields=ROOT, extras=True, conditions=(*conditions.references_exist("element", 0), *NAMED_MEDIA)),
    model_params=Object(fields=PARAMS),
    media=MEDIA,
    rules=MEDIA_RULES,
    examples=_examples(V2_6),
    reader=_read,
    settlement=SETTLEMENT,
)
