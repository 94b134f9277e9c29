"""Kling 3.0: a video from text, or from a first image; as one shot or several, with elements and sound."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog import conditions, shots, videos
from generations.catalog.base import Example, MediaKind, MediaRef, Parsed, PriceInputs, Spec
from generations.catalog.fields import Flag, Object, OnOff, Text, WebAddress, WholeNumber, invalid, missing
from generations.catalog.prompts import check_references
from generations.catalog.rules import ELEMENTS_ARE_USABLE, images_fit
from generations.media import ImageRule

ROOT = {
    "prompt": Text(max_length=2500, about="What happens in the video."),
    "negative_prompt": Text(max_length=2500, default="", about="What the video should not show."),
    "duration": WholeNumber(
        minimum=1,
        maximum=shots.LONGEST_SECONDS,
        default=5,
        about="The length in seconds, 3 to 15; 1 and 2 are made and billed as 3.",
    ),
    "quality": videos.quality("720p", "1080p", "4k"),
    "sound": OnOff(default=False, about="Whether the video has sound."),
}
MODEL_PARAMS = shots.FIELDS | {
    "watermark_info": Object(
        fields={"enabled": Flag(default=False, about="Whether the video carries a watermark.")},
        about="The watermark.",
    ),
}


def _read(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    params = spec.read_model_params(body)
    shots.check_type(params)
    storyboard = params["shot_type"] == "customize"
    root = spec.root.read({name: body[name] for name in body if not (storyboard and name == "prompt")}, "")
    elements = videos.elements(root, params)
    own_shots = shots.own_shots(params, root["duration"]) if storyboard else []
    _check_prompts(spec, root, params, len(elements))
    seconds = max(root["duration"], shots.SHORTEST_SECONDS)
    return Parsed(
        model=spec.id,
        inputs=videos.inputs(
            prompt=root["prompt"] or "",
            negative_prompt=root["negative_prompt"],
            duration_seconds=seconds,
            quality=root["quality"],
            sound=root["sound"],
            aspect_ratio=root.get("aspect_ratio"),
            multi_shot=params["multi_shot"],
            shot_type=params["shot_type"],
            shots=own_shots,
            element_ids=[element.element_id for element in elements],
            watermark=bool(params["watermark_info"] and params["watermark_info"]["enabled"]),
        ),
        media=_images(spec, root),
        elements=elements,
        voice=None,
        price=PriceInputs(
            model=spec.id,
            cell=f"{root['quality']}_{'on' if root['sound'] else 'off'}",
            seconds=seconds,
            billing_rule="per_second",
        ),
        video_duration=seconds,
    )


def _check_prompts(spec: Spec, root: Mapping[str, Any], params: Mapping[str, Any], elements: int) -> None:
    """A prompt where one is needed, and nothing named in it that the request does not hold."""
    if params["shot_type"] == "customize":
        for position, shot in enumerate(params["multi_prompt"]):
            check_references(shot["prompt"], f"{shots.PARAM}[{position}].prompt", {"element": elements})
        return
    needed = "image_start" not in spec.media or params["shot_type"] == "intelligence"
    if needed and root["prompt"] is None:
        raise missing("prompt")
    if needed and not root["prompt"].strip():
        raise invalid("prompt", "prompt must not be empty.")
    check_references(root["prompt"] or "", "prompt", {"element": elements})


def _images(spec: Spec, root: Mapping[str, Any]) -> tuple[MediaRef, ...]:
    return tuple(spec.media_ref(role, role, root[role]) for role in spec.media if root[role] is not None)


T2V = "kling-v3-text-to-video"
I2V = "kling-v3-image-to-video"
STORYBOARD = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [
        {"index": 1, "prompt": "A lighthouse at dusk, seen from the sea", "duration": "4"},
        {"index": 2, "prompt": "The keeper lights the lamp", "duration": "3"},
        {"index": 3, "prompt": "The beam sweeps over the waves", "duration": "3"},
    ],
}

TEXT_TO_VIDEO = Spec(
    id=T2V,
    type="video",
    family="Kling 3.0",
    description=_("Makes a video of 3 to 15 seconds from text, as one shot or several, with or without sound."),
    stability=videos.MOST_STABLE,
    capabilities=("text_to_video", "negative_prompt", "multi_shot", "sound", "4k", "watermark"),
    estimated_seconds=300,
    root=Object(
        fields=ROOT | {"aspect_ratio": videos.ASPECT_RATIO},
        extras=True,
        conditions=(
            conditions.PROMPT_UNLESS_OWN_SHOTS,
            shots.LONG_ENOUGH,
            *conditions.references_exist("element", 0, shots=True),
        ),
    ),
    model_params=Object(fields=MODEL_PARAMS, conditions=shots.CONDITIONS),
    media={},
    rules=shots.RULES,
    examples=(
        Example(
            name="plain",
            summary=_("Five seconds from a prompt"),
            body={"model": T2V, "prompt": "A red fox runs through fresh snow, morning light"},
        ),
        Example(
            name="all_settings",
            summary=_("Ten upright seconds in 1080p with sound"),
            body={
                "model": T2V,
                "prompt": "A street musician plays the violin in the rain",
                "negative_prompt": "blurry, text",
                "duration": 10,
                "aspect_ratio": "9:16",
                "quality": "1080p",
                "sound": "on",
                "model_params": {"watermark_info": {"enabled": False}},
                "callback_url": "https://example.com/callbacks/videos",
                "metadata": {"order": "1042"},
            },
        ),
        Example(
            name="own_shots",
            summary=_("A storyboard of three shots"),
            body={"model": T2V, "duration": 10, "quality": "720p", "model_params": STORYBOARD},
        ),
        Example(
            name="planned_shots",
            summary=_("Several shots that the model plans itself"),
            body={
                "model": T2V,
                "prompt": "A detective enters a dark library, finds a letter and reads it in surprise",
                "duration": 15,
                "model_params": {"multi_shot": True, "shot_type": "intelligence"},
            },
        ),
    ),
    reader=_read,
)

IMAGE_TO_VIDEO = Spec(
    id=I2V,
    type="video",
    family="Kling 3.0",
    description=_("Makes a video of 3 to 15 seconds that starts from an image, and may end at one and show elements."),
    stability=videos.MOST_STABLE,
    capabilities=(
        "image_to_video",
        "end_frame",
        "elements",
        "negative_prompt",
        "multi_shot",
        "sound",
        "4k",
        "watermark",
    ),
    estimated_seconds=300,
    root=Object(
        fields={
            "image_start": WebAddress(required=True, about="The first frame."),
            "image_end": WebAddress(about="The last frame; only with image_start."),
            **ROOT,
            "element_list": videos.element_list_at_root(3),
        },
        extras=True,
        conditions=(
            conditions.PROMPT_FOR_PLANNED_SHOTS,
            shots.LONG_ENOUGH,
            conditions.ELEMENTS_ONCE,
            *conditions.references_exist("element", 3, conditions.elements_at_least, shots=True),
        ),
    ),
    model_params=Object(fields=MODEL_PARAMS | {"element_list": videos.element_list(3)}, conditions=shots.CONDITIONS),
    media={"image_start": MediaKind(rule=ImageRule()), "image_end": MediaKind(rule=ImageRule())},
    rules=(*shots.RULES, ELEMENTS_ARE_USABLE, images_fit(ImageRule())),
    examples=(
        Example(
            name="plain",
            summary=_("Five seconds from one image"),
            body={"model": I2V, "image_start": "https://example.com/harbour.jpg", "prompt": "The boats begin to sway"},
        ),
        Example(
            name="with_element",
            summary=_("An element enters the scene"),
            body={
                "model": I2V,
                "image_start": "https://example.com/street.png",
                "prompt": "<<<element_1>>> walks into the street and waves",
                "duration": 8,
                "quality": "1080p",
                "sound": "on",
                "model_params": {"element_list": [{"element_id": "860123456789012345"}]},
            },
        ),
        Example(
            name="first_and_last_frame",
            summary=_("From a first image to a last one"),
            body={
                "model": I2V,
                "image_start": "https://example.com/bud.jpg",
                "image_end": "https://example.com/flower.jpg",
                "prompt": "The bud opens slowly",
                "duration": 6,
            },
        ),
        Example(
            name="own_shots",
            summary=_("A storyboard of three shots"),
            body={
                "model": I2V,
                "image_start": "https://example.com/lighthouse.jpg",
                "duration": 10,
                "model_params": STORYBOARD,
            },
        ),
    ),
    reader=_read,
)
