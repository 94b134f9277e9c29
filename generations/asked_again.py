"""The body of a request that asks for the same as a task did, told back from its frozen inputs and its media.

What the task keeps is canonical: defaults are made explicit, and a request may have been spelled otherwise. Parsed
again it gives the same inputs, media and price, which tests/generations/test_asked_again.py holds for every model.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from generations import catalog
from generations.catalog import Spec, videos
from generations.models import Task

STEP = re.compile(r"(\w+)|\[(\d+)\]")


def body(task: Task) -> dict[str, Any] | None:
    """What the customer would send, without a quote; None for a model that is not in the catalogue any more."""
    spec = catalog.find(task.model)
    if spec is None:
        return None
    told = told_back(spec, task.inputs, task.media.order_by("pk").values_list("param", "url"))
    if task.callback_url:
        told["callback_url"] = task.callback_url
    if task.metadata:
        told["metadata"] = task.metadata
    return told


def told_back(spec: Spec, inputs: Mapping[str, Any], media: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The model's own fields. `media`: the path of each picture's or film's field, and its address."""
    said = {name: value for name, value in _said(inputs).items() if value not in (None, "", [])}
    params = {name: said[name] for name in spec.model_params.fields if name in said}
    at_root = {name: said[name] for name in spec.root.fields if name in said and name not in params}
    told: dict[str, Any] = {"model": spec.id} | at_root
    if params:
        told["model_params"] = params
    for path, address in media:
        _put(told, path, address)
    return told


def _said(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Canonical inputs under the names that requests have for them."""
    return _of_element(inputs) if "kind" in inputs else _of_clip(inputs)


def _of_element(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "element_name": inputs["name"],
        "element_description": inputs["description"],
        "reference_type": inputs["kind"],
        "element_voice_id": inputs["voice_id"],
    }


def _of_clip(frozen: Mapping[str, Any]) -> dict[str, Any]:
    inputs = videos.PLAIN | dict(frozen)
    keeps_sound = inputs.get("keep_sound") if inputs.get("video_use") else None
    return {
        "prompt": inputs["prompt"],
        "negative_prompt": inputs["negative_prompt"],
        "duration": inputs["duration_seconds"],
        "quality": inputs["quality"],
        "sound": "on" if inputs["sound"] else "off",
        "aspect_ratio": inputs["aspect_ratio"],
        "keep_original_sound": keeps_sound,
        "keep_sound": keeps_sound,
        "character_orientation": inputs.get("orientation"),
        "multi_shot": inputs["multi_shot"] or None,
        "shot_type": inputs["shot_type"],
        "multi_prompt": [
            {"index": shot["index"], "prompt": shot["prompt"], "duration": shot["duration_seconds"]}
            for shot in inputs["shots"]
        ],
        "element_list": [{"element_id": element_id} for element_id in inputs["element_ids"]],
        "watermark_info": {"enabled": True} if inputs["watermark"] else None,
    }


def _put(told: dict[str, Any], path: str, address: str) -> None:
    """Write `address` where a path such as `model_params.refer_images[0].image_url` leads, and make the way."""
    steps: list[str | int] = [name or int(number) for name, number in STEP.findall(path)]
    place: Any = told
    for step, following in pairwise(steps):
        place = _into(place, step, [] if isinstance(following, int) else {})
    _into(place, steps[-1], address)


def _into(place: Any, step: str | int, otherwise: Any) -> Any:
    """What lies at the step, which is made with `otherwise` where nothing lies."""
    if isinstance(step, str):
        return place.setdefault(step, otherwise)
    place.extend([None] * (step + 1 - len(place)))
    if place[step] is None:
        place[step] = otherwise
    return place[step]
