"""Kling 3.0: a video from text, or from a first image; as one shot or several, with elements and sound."""

from collections.abc import Mapping
from typing import Any

from generations.catalog import shots
from generations.catalog.base import ElementRef, Example, MediaKind, MediaRef, Parsed, PriceInputs, Spec
from generations.catalog.fields import (
    NOT_BLANK,
    Choice,
    Flag,
    ListOf,
    Object,
    OnOff,
    Text,
    WebAddress,
    WholeNumber,
    invalid,
    missing,
)
from generations.catalog.prompts import check_references
from generations.media import ImageRule

WITH_PROMPT = {"required": ["prompt"], "properties": {"prompt": {"pattern": NOT_BLANK}}}
ELEMENTS_ONCE = {"not": {**shots.model_params_are(("element_list",)), "required": ["model_params", "element_list"]}}
ELEMENT_LIST = ListOf(
    item=Object(fields={"element_id": Text(max_length=64, blank=False, required=True, about="The id of an element.")}),
    max_items=3,
    about="Your elements that the video shows; <<<element_1>>> in a prompt names the first.",
)
ROOT = {
    "prompt": Text(max_length=2500, about="What happens in the video."),
    "negative_prompt": Text(max_length=2500, default="", about="What the video should not show."),
    "duration": WholeNumber(
        minimum=1,
        maximum=shots.LONGEST_SECONDS,
        default=5,
        about="The length in seconds, 3 to 15; 1 and 2 are made and billed as 3.",
    ),
    "quality": Choice(
        values=("720p", "1080p", "4k"), upper_case=True, default="720p", about="The resolution of the video."
    ),
    "sound": OnOff(default=False, about="Whether the video has sound."),
}
ASPECT_RATIO = Choice(values=("16:9", "9:16", "1:1"), default="16:9", about="The shape of the video.")
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
    elements = _elements(root, params)
    own_shots = shots.own_shots(params, root["duration"]) if storyboard else []
    _check_prompts(spec, root, params, len(elements))
    seconds = max(root["duration"], shots.SHORTEST_SECONDS)
    return Parsed(
        model=spec.id,
        inputs={
            "prompt": root["prompt"] or "",
            "negative_prompt": root["negative_prompt"],
            "duration_seconds": seconds,
            "quality": root["quality"],
            "sound": root["sound"],
            "aspect_ratio": root.get("aspect_ratio"),
            "multi_shot": params["multi_shot"],
            "shot_type": params["shot_type"],
            "shots": own_shots,
            "element_ids": [element.element_id for element in elements],
            "watermark": bool(params["watermark_info"] and params["watermark_info"]["enabled"]),
        },
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


def _elements(root: Mapping[str, Any], params: Mapping[str, Any]) -> tuple[ElementRef, ...]:
    inner, alias = params.get("element_list"), root.get("element_list")
    if inner is not None and alias is not None:
        raise invalid("element_list", "element_list and model_params.element_list cannot be used together.")
    path = "model_params.element_list" if alias is None else "element_list"
    return tuple(
        ElementRef(param=f"{path}[{position}].element_id", element_id=entry["element_id"])
        for position, entry in enumerate(alias or inner or [])
    )


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
DURATION_RULE = "duration 1 and 2 are made and billed as 3 seconds."

TEXT_TO_VIDEO = Spec(
    id=T2V,
    type="video",
    description="Makes a video of 3 to 15 seconds from text, as one shot or several, with or without sound.",
    stability="Stable: fields are added, never renamed or removed.",
    capabilities=("text_to_video", "negative_prompt", "multi_shot", "sound", "4k", "watermark"),
    estimated_seconds=300,
    root=Object(
        fields=ROOT | {"aspect_ratio": ASPECT_RATIO},
        extras=True,
        conditions=({"if": shots.OWN_SHOTS, "else": WITH_PROMPT}, shots.LONG_ENOUGH),
    ),
    model_params=Object(fields=MODEL_PARAMS, conditions=shots.CONDITIONS),
    media={},
    rules=(DURATION_RULE, *shots.RULES, "A prompt cannot name elements such as <<<element_1>>>."),
    examples=(
        Example(
            name="plain",
            summary="Five seconds from a prompt",
            body={"model": T2V, "prompt": "A red fox runs through fresh snow, morning light"},
        ),
        Example(
            name="all_settings",
            summary="Ten upright seconds in 1080p with sound",
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
            summary="A storyboard of three shots",
            body={"model": T2V, "duration": 10, "quality": "720p", "model_params": STORYBOARD},
        ),
        Example(
            name="planned_shots",
            summary="Several shots that the model plans itself",
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
    description="Makes a video of 3 to 15 seconds that starts from an image, and may end at one and show elements.",
    stability="Stable: fields are added, never renamed or removed.",
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
            "element_list": ListOf(
                item=ELEMENT_LIST.item, max_items=3, about="Another place for model_params.element_list."
            ),
        },
        extras=True,
        conditions=({"if": shots.PLANNED_SHOTS, "then": WITH_PROMPT}, shots.LONG_ENOUGH, ELEMENTS_ONCE),
    ),
    model_params=Object(fields=MODEL_PARAMS | {"element_list": ELEMENT_LIST}, conditions=shots.CONDITIONS),
    media={"image_start": MediaKind(rule=ImageRule()), "image_end": MediaKind(rule=ImageRule())},
    rules=(
        DURATION_RULE,
        *shots.RULES,
        "<<<element_N>>> in a prompt names the N-th entry of element_list, which must exist.",
        "Each element must be a usable element of your organization.",
        "Images are JPEG or PNG, at most 10 MB, at least 300 pixels on each side, between 1:2.5 and 2.5:1 in shape.",
    ),
    examples=(
        Example(
            name="plain",
            summary="Five seconds from one image",
            body={"model": I2V, "image_start": "https://example.com/harbour.jpg", "prompt": "The boats begin to sway"},
        ),
        Example(
            name="with_element",
            summary="An element enters the scene",
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
            summary="From a first image to a last one",
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
            summary="A storyboard of three shots",
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
