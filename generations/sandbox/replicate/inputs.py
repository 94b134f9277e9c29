"""Creates: a checked `input` becomes an order. What Replicate charges for depends on defaults where nothing is sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.sandbox.face import Caller, Reader
from generations.sandbox.orders import Media, Order, clip_order
from generations.sandbox.replicate import schemas
from generations.sandbox.replicate.wire import InvalidField, InvalidInput

MOST_SHOTS = 6
LONGEST_SHOT = 512
SECONDS_UNSEEN = 5


@dataclass(frozen=True, kw_only=True)
class Model:
    """`rates` in thousandths of a dollar a second, by mode: silent, with sound. As seen on the models' pages."""

    schema: schemas.Schema
    rates: Mapping[str, tuple[int, int]]


MODELS = {
    "kwaivgi/kling-v3-video": Model(
        schema=schemas.PLAIN, rates={"standard": (168, 252), "pro": (224, 336), "4k": (420, 420)}
    ),
    "kwaivgi/kling-v3-omni-video": Model(
        schema=schemas.OMNI, rates={"standard": (168, 224), "pro": (224, 280), "4k": (420, 420)}
    ),
    "kwaivgi/kling-v3-motion-control": Model(schema=schemas.MOTION, rates={"std": (70, 70), "pro": (120, 120)}),
}


def reader(name: str) -> Reader:
    """The reader of the creates of one model."""
    model = MODELS[name]

    def read(caller: Caller, body: Any) -> Order:
        sent = _checked(schemas.BODY, body)
        values = _checked(model.schema, sent["input"], "input")
        remembered = {"input": sent["input"], "events": sent["webhook_events_filter"]}
        if model.schema is schemas.MOTION:
            return _motion(name, model, values, sent["webhook"], remembered)
        return _clip(name, model, values, sent["webhook"], remembered)

    return read


def _checked(schema: schemas.Schema, given: Any, place: str = "") -> dict[str, Any]:
    if found := schemas.errors(schema, given, place):
        raise InvalidInput(found)
    return schemas.filled(schema, given)


def _clip(name: str, model: Model, values: dict[str, Any], webhook: str, remembered: dict[str, Any]) -> Order:
    shots = _shots(values["multi_prompt"], values["duration"]) if values["multi_prompt"] else []
    if values["end_image"] and not values["start_image"]:
        raise _invalid("end_image", "requires start_image")
    frames = ((values["start_image"], "first_frame"), (values["end_image"], "last_frame"))
    images = [(url, part) for url, part in frames if url]
    images += [(url, "refer_image") for url in values.get("reference_images", ())]
    return clip_order(
        name,
        model.rates[values["mode"]][values["generate_audio"]],
        seconds=values["duration"],
        resolution=schemas.QUALITIES[values["mode"]],
        ratio="" if values["start_image"] else values["aspect_ratio"],
        sound=values["generate_audio"],
        text="\n".join([values["prompt"], values.get("negative_prompt", ""), *shots]),
        callback_url=webhook,
        media=tuple(Media(url=url, kind="image", part=part) for url, part in images),
        **remembered,
    )


def _motion(name: str, model: Model, values: dict[str, Any], webhook: str, remembered: dict[str, Any]) -> Order:
    return clip_order(
        name,
        model.rates[values["mode"]][0],
        seconds=SECONDS_UNSEEN,
        resolution={"std": "720p", "pro": "1080p"}[values["mode"]],
        ratio="",
        sound=values["keep_original_sound"],
        text=values["prompt"],
        callback_url=webhook,
        media=(
            Media(url=values["image"], kind="image", part="refer_image"),
            Media(url=values["video"], kind="video", part="motion"),
        ),
        follows_video=True,
        **remembered,
    )


def _shots(text: str, seconds: int) -> list[str]:
    """The prompts of a storyboard, which is JSON in a string; its lengths add up to the clip's."""
    try:
        shots = json.loads(text)
    except ValueError as error:
        raise _invalid("multi_prompt", "must be valid JSON") from error
    if not isinstance(shots, list) or not 1 <= len(shots) <= MOST_SHOTS or not all(map(_is_shot, shots)):
        raise _invalid("multi_prompt", f"must be an array of 1 to {MOST_SHOTS} shots with prompt and duration")
    if sum(shot["duration"] for shot in shots) != seconds:
        raise _invalid("multi_prompt", "the durations must add up to duration")
    return [shot["prompt"] for shot in shots]


def _is_shot(shot: Any) -> bool:
    if not isinstance(shot, dict) or shot.keys() != {"prompt", "duration"}:
        return False
    prompt, seconds = shot["prompt"], shot["duration"]
    return isinstance(prompt, str) and 0 < len(prompt) <= LONGEST_SHOT and type(seconds) is int and seconds >= 1


def _invalid(name: str, why: str) -> InvalidInput:
    return InvalidInput([InvalidField(type="invalid", field=f"input.{name}", description=why)])
