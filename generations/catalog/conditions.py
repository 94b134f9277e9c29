"""JSON Schema of what holds between the fields of a request, with a sentence that says so.

Counts are finite, so JSON Schema can say them: "at most 7 together" is "not (1 image and 7 elements), not (2 and 6)…".
A family's reader checks the same in Python; tests compare the two.
"""

from collections.abc import Callable, Sequence
from typing import Any

from generations.catalog.fields import NOT_BLANK

Schema = dict[str, Any]
AtLeast = Callable[[int], Schema]


def params_are(required: tuple[str, ...] = (), **values: Any) -> Schema:
    """The request's `model_params` hold these values."""
    return _in_params(
        {"properties": {name: {"const": value} for name, value in values.items()}, "required": [*values, *required]}
    )


def _in_params(inner: Schema) -> Schema:
    return {"properties": {"model_params": inner}, "required": ["model_params"]}


OWN_SHOTS = params_are(multi_shot=True, shot_type="customize")
PLANNED_SHOTS = params_are(multi_shot=True, shot_type="intelligence")
WITH_PROMPT: Schema = {"required": ["prompt"], "properties": {"prompt": {"pattern": NOT_BLANK}}}
PROMPT_UNLESS_OWN_SHOTS = {
    "description": "A prompt is needed unless the shots are your own.",
    "if": OWN_SHOTS,
    "else": WITH_PROMPT,
}
PROMPT_FOR_PLANNED_SHOTS = {
    "description": "A prompt is needed for shots that the model plans.",
    "if": PLANNED_SHOTS,
    "then": WITH_PROMPT,
}
ELEMENTS_ONCE = {
    "description": "The elements are listed in one place.",
    "not": {**params_are(("element_list",)), "required": ["model_params", "element_list"]},
}


def at_most_elements(most: int) -> Schema:
    """No more elements than these, in either place."""
    few = {"element_list": {"maxItems": most}}
    return {"properties": few | {"model_params": {"properties": few}}}


def elements_at_least(number: int) -> Schema:
    """So many elements, in either place."""
    listed = _listed("element_list", number)
    return {"anyOf": [listed, _in_params(listed)]}


def images_at_least(*frames: str) -> AtLeast:
    """So many images, counted over these frames, each of which needs the one before, and `image_urls`."""

    def at_least(number: int) -> Schema:
        ways = [
            {**_listed("image_urls", number - given), "required": [*frames[:given], "image_urls"]}
            if number > given
            else {"required": list(frames[:number])}
            for given in range(min(number, len(frames)) + 1)
        ]
        return {"anyOf": ways} if len(ways) > 1 else ways[0]

    return at_least


def given(name: str) -> AtLeast:
    """The one field that there can be."""
    return lambda number: {"required": [name]}


def always(number: int) -> Schema:
    """It is there in every request."""
    return {}


def at_most_together(most: int, images: AtLeast) -> Schema:
    """Images and elements together are no more than these."""
    pairs = [{"allOf": [images(count), elements_at_least(most + 1 - count)]} for count in range(1, most + 1)]
    return {
        "description": f"Images and elements are at most {most} together.",
        "not": {"anyOf": [elements_at_least(most + 1), *pairs, images(most + 1)]},
    }


def references_exist(kind: str, most: int, at_least: AtLeast = always, *, shots: bool = False) -> tuple[Schema, ...]:
    """A prompt that is read names only such as the request holds, by numbers without leading zeros."""
    wrong = f"0[0-9]*|[1-9][0-9]+|[{most + 1}-9]" if most else "[0-9]+"
    none = {
        "description": f"A prompt names {kind}s as <<<{kind}_N>>>, N from 1 to {most}."
        if most
        else f"A prompt names no {kind}s such as <<<{kind}_1>>>.",
        "not": _prompt_has(f"<<<{kind}_({wrong})>>>", shots=shots),
    }
    needed = (
        {
            "description": f"<<<{kind}_{number}>>> in a prompt needs {number} of them.",
            "if": _prompt_has(f"<<<{kind}_{number}>>>", shots=shots),
            "then": at_least(number),
        }
        for number in range(1, most + 1)
        if at_least is not always
    )
    return (none, *needed)


def _prompt_has(pattern: str, *, shots: bool) -> Schema:
    """The prompt, or with own shots a prompt of theirs, holds this."""
    prompt = {"properties": {"prompt": {"type": "string", "pattern": pattern}}, "required": ["prompt"]}
    if not shots:
        return prompt
    among = _in_params({"properties": {"multi_prompt": {"contains": prompt}}, "required": ["multi_prompt"]})
    return {"anyOf": [{"allOf": [{"not": OWN_SHOTS}, prompt]}, among]}


def _listed(name: str, number: int) -> Schema:
    return {"properties": {name: {"minItems": number}}, "required": [name]}


def each_index_once(most: int) -> Schema:
    """The entries of a list carry the indexes from 1 to their number, each once."""
    indexes: Sequence[Schema] = [
        {
            "if": {"minItems": number},
            "then": {"contains": {"properties": {"index": {"const": number}}, "required": ["index"]}, "maxContains": 1},
        }
        for number in range(1, most + 1)
    ]
    return {"allOf": indexes}
