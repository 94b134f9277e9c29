"""The form as the body of a request, and a body as the form's values.

A field is left out of the body while it has its default, so that a request stays short, unless the body that the form
was filled from said it (`SAID` remembers which did). A field that does not go with the other answers is not read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from evolink_saas.playground import fields
from evolink_saas.playground.fields import FormField
from generations.catalog.base import Spec
from generations.catalog.fields import Choice, NumberChoice, OnOff

SAID = "said"
SHOT_PROMPT, SHOT_SECONDS = "prompt", "duration"
NOTHING: tuple[Any, ...] = ("", None, [], {})


class Data(Protocol):
    """What was posted: several values by name."""

    def getlist(self, key: str) -> list[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Values:
    """The values of the form as text, by field: one, or a list; of shots, pairs of a prompt and seconds."""

    by_name: Mapping[str, Any] = field(default_factory=dict)
    said: frozenset[str] = frozenset()


def read(spec: Spec, data: Data) -> dict[str, Any]:
    """The body that the form says, as JSON. What cannot be read stays text, for the request's own check to refuse."""
    body: dict[str, Any] = {"model": spec.id}
    known, said = fields.by_name(spec), frozenset(data.getlist(SAID))
    for one in known.values():
        if _is_there(one, known, data):
            value = _value(one, data, said)
            if value not in NOTHING and (one.name in said or value != default(one)):
                put(body, one.name, value)
    return body


def of(spec: Spec, body: Mapping[str, Any]) -> Values:
    """The values with which the form says this body."""
    plain, found = _one_spelling(body), {}
    for one in fields.of(spec):
        value = _get(plain, one.name)
        if value is not None:
            found[one.name] = _shown(one, value)
    shots = [one.name for one in fields.of(spec) if one.kind == "shots" and one.name in found]
    in_words = {f"{name}.{SHOT_SECONDS}" for name in shots if _has_words(_get(plain, name))}
    return Values(by_name=found, said=frozenset(found) | in_words)


def _has_words(shots: Sequence[Mapping[str, Any]]) -> bool:
    return any(isinstance(shot[SHOT_SECONDS], str) for shot in shots)


def blank(one: FormField) -> Any:
    """What an untouched field shows."""
    if one.kind == "choice":
        return str(one.field.default if one.field.default is not None else one.choices[0])
    if one.kind == "switch":
        return bool(one.field.default)
    if one.kind in ("media", "elements", "shots"):
        return []
    return "" if one.field.default is None or one.kind == "pairs" else str(one.field.default)


def _is_there(one: FormField, known: Mapping[str, FormField], data: Data) -> bool:
    return all(_answer(known[when.name], known, data, when.value) == when.holds for when in one.shown_when)


def _answer(one: FormField, known: Mapping[str, FormField], data: Data, value: str) -> bool:
    """Whether the field is there and has this answer."""
    if not _is_there(one, known, data):
        return False
    given = data.getlist(one.name)
    return ("true" if given else "false") == value if one.kind == "switch" else value in given


def _value(one: FormField, data: Data, said: frozenset[str]) -> Any:
    given = [str(text).replace("\r\n", "\n") for text in data.getlist(one.name)]
    match one.kind:
        case "media" | "elements":
            filled: list[Any] = [text.strip() for text in given if text.strip()]
            entries = [{one.item: text} for text in filled] if one.item else filled
            return entries if one.many else next(iter(entries), None)
        case "switch":
            return ("on" if given else "off") if isinstance(one.field, OnOff) else bool(given)
        case "shots":
            return _shots(one, data, in_words=f"{one.name}.{SHOT_SECONDS}" in said)
        case "pairs":
            return _pairs(next(iter(given), ""))
    text = next(iter(given), "")
    is_number = one.kind == "number" or isinstance(one.field, NumberChoice)
    return _number(text) if is_number else text


def _shots(one: FormField, data: Data, *, in_words: bool) -> list[dict[str, Any]]:
    """`in_words`: seconds as text, as the body that the form was filled from had them."""
    prompts, seconds = (data.getlist(f"{one.name}.{part}") for part in (SHOT_PROMPT, SHOT_SECONDS))
    rows = [(str(prompt).replace("\r\n", "\n"), str(time)) for prompt, time in zip(prompts, seconds, strict=False)]
    filled = [(prompt, time) for prompt, time in rows if prompt.strip() or time.strip()]
    return [
        {"index": number, "prompt": prompt, "duration": time.strip() if in_words else _number(time)}
        for number, (prompt, time) in enumerate(filled, start=1)
    ]


def _pairs(text: str) -> dict[str, str]:
    """One `name=value` a line."""
    lines = [line.partition("=") for line in text.split("\n") if line.strip()]
    return {name.strip(): value.strip() for name, _, value in lines}


def _number(text: str) -> int | str:
    plain = text.strip()
    return int(plain) if plain.lstrip("-").isascii() and plain.lstrip("-").isdigit() and len(plain) < 10 else plain


def default(one: FormField) -> Any:
    if isinstance(one.field, OnOff):
        return "on" if one.field.default else "off"
    return one.field.default


def put(body: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    for name in folders:
        body = body.setdefault(name, {})
    body[last] = value


def _get(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _one_spelling(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with each thing said in the one place that the form knows."""
    plain = dict(body)
    params = dict(plain.get("model_params") or {})
    if "element_list" in plain:
        params.setdefault("element_list", plain.pop("element_list"))
    videos = params.get("element_video_list")
    if isinstance(videos, Mapping) and videos.get("refer_videos"):
        params["element_video_list"] = {"video_url": videos["refer_videos"][0]["video_url"]}
    return plain | ({"model_params": params} if params else {})


def _shown(one: FormField, value: Any) -> Any:
    match one.kind:
        case "media" | "elements":
            entries: Sequence[Any] = value if one.many else [value]
            return [entry[one.item] if one.item else entry for entry in entries]
        case "shots":
            by_place = sorted(value, key=lambda shot: shot["index"])
            return [(shot[SHOT_PROMPT], str(shot[SHOT_SECONDS])) for shot in by_place]
        case "switch":
            return value is True or value == "on"
        case "pairs":
            return "\n".join(f"{name}={text}" for name, text in value.items())
    if isinstance(one.field, Choice) and one.field.upper_case:
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) else str(value)


class Posted(dict[str, list[str]]):
    """What a browser sends of a form."""

    def getlist(self, key: str) -> list[str]:
        return self.get(key, [])


def posted(spec: Spec, values: Values) -> Posted:
    """What a browser sends of the form with these values."""
    data = Posted({SAID: sorted(values.said)})
    for one in fields.of(spec):
        value = values.by_name.get(one.name, blank(one))
        if one.kind == "shots":
            data[f"{one.name}.{SHOT_PROMPT}"] = [prompt for prompt, _ in value]
            data[f"{one.name}.{SHOT_SECONDS}"] = [seconds for _, seconds in value]
        elif one.kind == "switch":
            data[one.name] = ["on"] if value else []
        else:
            data[one.name] = value if isinstance(value, list) else [value]
    return data
