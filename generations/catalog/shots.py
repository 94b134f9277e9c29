"""A video of several shots: planned by the model, or the customer's own storyboard.

multi_shot false                    one shot, made from `prompt`
multi_shot true, intelligence       the model plans the shots of `prompt`
multi_shot true, customize          the customer's own shots in `multi_prompt`; `prompt` is not read
"""

from collections.abc import Mapping
from typing import Any

from generations.catalog.conditions import OWN_SHOTS, each_index_once
from generations.catalog.fields import Choice, Flag, ListOf, Object, Text, WholeNumber, invalid, missing
from generations.catalog.rules import PROMPT_UNUSED, SHOTS_ADD_UP

SHORTEST_SECONDS = 3
LONGEST_SECONDS = 15
MOST_SHOTS = 6
PARAM = "model_params.multi_prompt"

SHOT = Object(
    fields={
        "index": WholeNumber(minimum=1, maximum=MOST_SHOTS, required=True, about="The shot's place, from 1."),
        "prompt": Text(max_length=512, blank=False, required=True, about="What happens in this shot."),
        "duration": WholeNumber(
            minimum=1, maximum=LONGEST_SECONDS, as_text=True, required=True, about="The shot's length in seconds."
        ),
    }
)
FIELDS = {
    "multi_shot": Flag(default=False, about="Whether the video consists of several shots."),
    "shot_type": Choice(
        values=("customize", "intelligence"),
        about="Who plans the shots: you, in multi_prompt, or the model. Required with multi_shot, refused without it.",
    ),
    "multi_prompt": ListOf(
        item=SHOT, min_items=1, max_items=MOST_SHOTS, about="Your own shots; required with customize."
    ),
}


LONG_ENOUGH = {
    "description": f"A video of your own shots has at least {SHORTEST_SECONDS} seconds.",
    "if": OWN_SHOTS,
    "then": {"properties": {"duration": {"minimum": SHORTEST_SECONDS}}},
}
CONDITIONS = (
    {
        "description": "shot_type is needed with multi_shot, and only then.",
        "if": {"properties": {"multi_shot": {"const": True}}, "required": ["multi_shot"]},
        "then": {"required": ["shot_type"]},
        "else": {"properties": {"shot_type": False, "multi_prompt": False}},
    },
    {
        "description": "multi_prompt is needed with shot_type customize, and only then.",
        "if": {"properties": {"shot_type": {"const": "customize"}}, "required": ["shot_type"]},
        "then": {"required": ["multi_prompt"]},
        "else": {"properties": {"multi_prompt": False}},
    },
    {
        "description": "The indexes of multi_prompt are 1 to the number of shots, each once.",
        "properties": {"multi_prompt": each_index_once(MOST_SHOTS)},
    },
)

RULES = (SHOTS_ADD_UP, PROMPT_UNUSED)


def check_type(params: Mapping[str, Any]) -> None:
    """Refuse `multi_shot`, `shot_type` and `multi_prompt` that do not go together."""
    shot_type, given_shots = params["shot_type"], params["multi_prompt"] is not None
    if params["multi_shot"] and shot_type is None:
        raise missing("model_params.shot_type", "model_params.shot_type is required when multi_shot is true.")
    if not params["multi_shot"] and shot_type is not None:
        raise invalid("model_params.shot_type", "model_params.shot_type can only be used when multi_shot is true.")
    if shot_type != "customize" and given_shots:
        raise invalid(PARAM, f"{PARAM} can only be used when multi_shot is true and shot_type is customize.")
    if shot_type == "customize" and not given_shots:
        raise missing(PARAM, f"{PARAM} is required when shot_type is customize.")


def own_shots(params: Mapping[str, Any], duration: int) -> list[dict[str, Any]]:
    """The customer's shots in the order of their `index`, each with `duration_seconds`."""
    if duration < SHORTEST_SECONDS:
        raise invalid("duration", f"duration must be at least {SHORTEST_SECONDS} when shot_type is customize.")
    given = params["multi_prompt"]
    seen: set[int] = set()
    for position, shot in enumerate(given):
        if shot["index"] in seen or shot["index"] > len(given):
            raise invalid(f"{PARAM}[{position}].index", f"The indexes of {PARAM} must be 1 to {len(given)}, each once.")
        seen.add(shot["index"])
    total = sum(shot["duration"] for shot in given)
    if total != duration:
        raise invalid(PARAM, f"The durations of {PARAM} add up to {total} seconds, and duration is {duration}.")
    return [
        {"index": shot["index"], "prompt": shot["prompt"], "duration_seconds": shot["duration"]}
        for shot in sorted(given, key=lambda shot: shot["index"])
    ]
