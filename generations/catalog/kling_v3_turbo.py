"""Kling 3.0 turbo: quick single shots from text, or from a first image. No 4k, no choice of sound, no model_params."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog import conditions, shots, videos
from generations.catalog.base import Example, MediaKind, Parsed, PriceInputs, Spec
from generations.catalog.fields import Object, Text, WebAddress, WholeNumber
from generations.catalog.prompts import check_references
from generations.catalog.rules import MEGABYTE, images_fit
from generations.media import ImageRule

T2V = "kling-v3-turbo-text-to-video"
I2V = "kling-v3-turbo-image-to-video"
LARGE_RULE = ImageRule(max_bytes=50 * MEGABYTE)
LARGE_IMAGE = MediaKind(rule=LARGE_RULE)
ROOT = {
    "negative_prompt": Text(max_length=2500, default="", about="What the video should not show."),
    "duration": WholeNumber(
        minimum=1,
        maximum=shots.LONGEST_SECONDS,
        default=5,
        about="The length in seconds, 3 to 15; 1 and 2 are made and billed as 3.",
    ),
    "quality": videos.quality("720p", "1080p"),
}
NO_PARAMS = Object(fields={}, about="This model has none.")
NO_ELEMENTS = conditions.references_exist("element", 0)


def _read(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    spec.read_model_params(body)
    root = spec.root.read(body, "")
    check_references(root["prompt"], "prompt", {"element": 0})
    seconds = max(root["duration"], shots.SHORTEST_SECONDS)
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"],
            negative_prompt=root["negative_prompt"],
            duration_seconds=seconds,
            quality=root["quality"],
            aspect_ratio=root.get("aspect_ratio"),
        ),
        media=tuple(spec.media_ref(role, role, root[role]) for role in spec.media if root[role] is not None),
        elements=(),
        voice=None,
        price=PriceInputs(model=spec.id, cell=root["quality"], seconds=seconds, billing_rule="per_second"),
        video_duration=seconds,
    )


TEXT_TO_VIDEO = Spec(
    id=T2V,
    type="video",
    family="Kling 3.0",
    description=_("Makes a video of 3 to 15 seconds from text, faster."),
    stability=videos.STABLE,
    capabilities=("text_to_video", "negative_prompt"),
    estimated_seconds=300,
    root=Object(
        fields={"prompt": videos.prompt(required=True), **ROOT, "aspect_ratio": videos.ASPECT_RATIO},
        extras=True,
        conditions=NO_ELEMENTS,
    ),
    model_params=NO_PARAMS,
    media={},
    rules=(),
    examples=(
        Example(
            name="plain",
            summary=_("Five seconds from a prompt"),
            body={"model": T2V, "prompt": "A paper plane glides through a library"},
        ),
        Example(
            name="upright",
            summary=_("Eight upright seconds"),
            body={"model": T2V, "prompt": "Rain on a neon street", "duration": 8, "aspect_ratio": "9:16"},
        ),
        Example(
            name="sharp",
            summary=_("Fifteen seconds in 1080p, with what not to show"),
            body={
                "model": T2V,
                "prompt": "A kite over green hills",
                "negative_prompt": "people, text",
                "duration": 15,
                "quality": "1080p",
            },
        ),
    ),
    reader=_read,
)

IMAGE_TO_VIDEO = Spec(
    id=I2V,
    type="video",
    family="Kling 3.0",
    description=_("Makes a video of 3 to 15 seconds that starts from an image and may end at one, faster."),
    stability=videos.STABLE,
    capabilities=("image_to_video", "end_frame", "negative_prompt"),
    estimated_seconds=300,
    root=Object(
        fields={
            "image_start": WebAddress(required=True, about="The first frame."),
            "image_end": WebAddress(about="The last frame; only with image_start."),
            "prompt": videos.prompt(),
            **ROOT,
        },
        extras=True,
        conditions=NO_ELEMENTS,
    ),
    model_params=NO_PARAMS,
    media={"image_start": LARGE_IMAGE, "image_end": LARGE_IMAGE},
    rules=(images_fit(LARGE_RULE),),
    examples=(
        Example(
            name="plain",
            summary=_("Five seconds from one image"),
            body={"model": I2V, "image_start": "https://example.com/boat.jpg", "prompt": "The boat drifts off"},
        ),
        Example(
            name="without_prompt",
            summary=_("The image alone"),
            body={"model": I2V, "image_start": "https://example.com/boat.jpg", "duration": 3},
        ),
        Example(
            name="first_and_last_frame",
            summary=_("From a first image to a last one in 1080p"),
            body={
                "model": I2V,
                "image_start": "https://example.com/day.jpg",
                "image_end": "https://example.com/night.jpg",
                "prompt": "Night falls over the valley",
                "quality": "1080p",
            },
        ),
    ),
    reader=_read,
)
