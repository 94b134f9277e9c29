"""Kling motion control: the character of an image moves as somebody does in a video. Billed on the output's length."""

from collections.abc import Mapping
from typing import Any

from generations.catalog import videos
from generations.catalog.base import Example, MediaKind, Parsed, PriceInputs, Settlement, Spec
from generations.catalog.fields import Choice, Field, Object, invalid
from generations.catalog.prompts import check_references
from generations.catalog.shots import model_params_are
from generations.media import ImageRule, VideoRule

V3 = "kling-v3-motion-control"
V2_6 = "kling-v2.6-motion-control"
PARAM = "model_params.character_orientation"
LONGEST_SECONDS = {"image": 10, "video": 30}
ROLES = {"image": "short_video", "video": "video"}
MEDIA = {
    "image_1": MediaKind(rule=ImageRule()),
    **{
        ROLES[orientation]: MediaKind(
            rule=VideoRule(
                max_bytes=100 * videos.MEGABYTE, min_seconds=3, max_seconds=longest, min_side=340, max_side=3850
            )
        )
        for orientation, longest in LONGEST_SECONDS.items()
    },
}
SETTLEMENT = Settlement(measures="output", reserves="half_up", charges="half_up", roles=("video", "short_video"))
ROOT: dict[str, Field] = {
    "image_urls": videos.image_urls(1, "The image of the character.", least=1, required=True),
    "video_urls": videos.image_urls(1, "The video of the movement.", least=1, required=True),
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
WITHOUT_ELEMENTS = {"if": model_params_are(character_orientation="image"), "then": videos.at_most_elements(0)}
VIDEO_RULE = (
    "The video is an MP4 or MOV, 3 to 30 seconds (to 10 with character_orientation image), at most 100 MB, "
    "340 to 3850 pixels on each side."
)
LENGTH_RULE = "Billed on the length of the video that is made; reserved until then: that of the input, or the longest."


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
            summary="The character faces as in the video",
            body={**media, "model_params": {"character_orientation": "video"}},
        ),
        Example(
            name="facing_as_in_the_image",
            summary="The character faces as in the image, without the video's sound",
            body={**media, "model_params": {"character_orientation": "image", "keep_sound": False}},
        ),
        Example(
            name="sharp",
            summary="In 1080p, with a prompt",
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
    description="Moves the character of an image as in a video of 3 to 30 seconds.",
    stability=videos.STABLE,
    capabilities=("motion_control", "elements", "keep_sound"),
    estimated_seconds=300,
    root=Object(
        fields=ROOT | {"element_list": videos.element_list_at_root(1)},
        extras=True,
        conditions=(videos.ELEMENTS_ONCE, WITHOUT_ELEMENTS),
    ),
    model_params=Object(fields=PARAMS | {"element_list": videos.element_list(1)}),
    media=MEDIA,
    rules=(
        LENGTH_RULE,
        videos.NAMED_ELEMENTS,
        videos.NAMED_MEDIA,
        videos.USABLE_ELEMENTS,
        "The element must have been made with video_refer.",
        videos.IMAGE_RULE,
        VIDEO_RULE,
    ),
    examples=(
        *_examples(V3),
        Example(
            name="with_element",
            summary="The face of an element made from a video",
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
    description="Moves the character of an image as in a video of 3 to 30 seconds, by the model before.",
    stability=videos.STABLE,
    capabilities=("motion_control", "keep_sound"),
    estimated_seconds=300,
    root=Object(fields=ROOT, extras=True),
    model_params=Object(fields=PARAMS),
    media=MEDIA,
    rules=(LENGTH_RULE, videos.NO_ELEMENTS, videos.NAMED_MEDIA, videos.IMAGE_RULE, VIDEO_RULE),
    examples=_examples(V2_6),
    reader=_read,
    settlement=SETTLEMENT,
)
