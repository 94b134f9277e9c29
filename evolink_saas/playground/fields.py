"""What the form of a model asks: one `FormField` for each field of its `Spec`, by its path in the request's body.

Everything is read from the catalogue: kinds and limits from the fields, what a picture or film must be from the media
that the model's own examples name, and which fields go with which answers from the conditions of its JSON Schema.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from accounts.errors import InvalidRequest
from generations.catalog import envelope
from generations.catalog.base import Spec
from generations.catalog.fields import (
    Choice,
    Field,
    Flag,
    ListOf,
    NumberChoice,
    Object,
    OnOff,
    Pairs,
    Text,
    WebAddress,
    WholeNumber,
)
from generations.catalog.rules import PROMPT_UNUSED
from generations.media import ImageRule, VideoRule

Kind = Literal["text", "line", "choice", "number", "switch", "media", "elements", "voice", "shots", "pairs"]
Section = Literal["scene", "settings", "more"]
MediaRule = ImageRule | VideoRule

ANOTHER_SPELLING = {"refer_videos"}
"""Fields that say what another one says; so does a list of elements at the root where `model_params` has one."""
NOT_ASKED = {"quote_id"}
RARE = {"negative_prompt", "model_params.watermark_info.enabled", *envelope.FIELDS.fields}
LONGEST_LINE = 200
INDEX = re.compile(r"\[\d+\]")
RANKS: dict[Kind, int] = {"media": 1, "line": 2, "text": 3, "switch": 4, "shots": 6, "elements": 7, "voice": 8}


@dataclass(frozen=True)
class Condition:
    """Another field has this answer (or, with `holds` false, has another one)."""

    name: str
    value: str
    holds: bool = True


@dataclass(frozen=True, kw_only=True)
class FormField:
    """`name` is the path in the body. `item`: what the address is called within each entry of a list of objects.

    `rule` says what a picture or film must be, `elements_made_from` of which kind elements are (empty: any).
    `most` is how many there may be; `many` that the body has a list.
    """

    name: str
    kind: Kind
    field: Field
    section: Section = "scene"
    item: str = ""
    many: bool = False
    most: int = 1
    rule: MediaRule | None = None
    elements_made_from: str = ""
    shown_when: tuple[Condition, ...] = ()

    @property
    def word(self) -> str:
        """What `words` knows it by."""
        return self.name.removeprefix("model_params.").removesuffix(".enabled").rpartition(".")[2]

    @property
    def is_video(self) -> bool:
        return isinstance(self.rule, VideoRule)

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(map(str, self.field.values)) if isinstance(self.field, Choice | NumberChoice) else ()


def of(spec: Spec) -> tuple[FormField, ...]:
    """The fields in the order of the form: what is in the video, its settings, and what is rarely needed."""
    found = [*_walk(spec.root, ""), *_walk(spec.model_params, "model_params."), *_walk(envelope.FIELDS, "")]
    rules, conditions, made_from = media_rules(spec), tuple(_conditions(spec)), elements_made_from(spec)
    taken = {one.name for one in found}
    asked = [
        _finished(one, rules, conditions, made_from)
        for one in found
        if not (one.kind == "elements" and f"model_params.{one.name}" in taken)
    ]
    sections = ("scene", "settings", "more")
    return tuple(sorted(asked, key=lambda one: (sections.index(one.section), _rank(one))))


def media_rules(spec: Spec) -> Mapping[str, MediaRule]:
    """What each picture or film must be, by the path of its field; of several rules the one that allows most."""
    rules: dict[str, MediaRule] = {}
    for example in spec.examples:
        for medium in spec.parse(example.body).media:
            path, known = INDEX.sub("", medium.param), rules.get(INDEX.sub("", medium.param))
            rules[path] = medium.rule if known is None else max(known, medium.rule, key=_room)
    return rules


def elements_made_from(spec: Spec) -> str:
    """The one kind of element that the model shows, as its examples say; empty for any."""
    kinds = {element.kind for example in spec.examples for element in spec.parse(example.body).elements}
    return next(iter(kinds)) or "" if len(kinds) == 1 else ""


def by_name(spec: Spec) -> Mapping[str, FormField]:
    return {one.name: one for one in of(spec)}


def can_be_left_out(spec: Spec, one: FormField) -> bool:
    """Whether no example that says this field is refused for want of it."""
    return not any(_is_missed(spec, one, example.body) for example in spec.examples)


def _is_missed(spec: Spec, one: FormField, body: Mapping[str, Any]) -> bool:
    try:
        spec.parse(_without(body, one.name.split(".")))
    except InvalidRequest as error:
        return blamed(spec, error.param or "") == one.name
    return False


def _without(body: Mapping[str, Any], path: list[str]) -> dict[str, Any]:
    """The body without what lies at the path."""
    name, *rest = path
    inner = body.get(name)
    if rest and isinstance(inner, Mapping):
        return {**body, name: _without(inner, rest)}
    return {key: value for key, value in body.items() if key != name or rest}


def blamed(spec: Spec, param: str) -> str:
    """The form's field that a refusal speaks of: the one whose path `param` goes into, or goes to. Empty: none."""
    path, names = INDEX.sub("", param), [one.name for one in of(spec)]
    around = [name for name in names if path == name or path.startswith(f"{name}.")]
    inside = [name for name in names if name.startswith(f"{path}.")]
    return max(around, key=len) if around else next(iter(inside), "")


def _room(rule: MediaRule) -> tuple[float, int]:
    return (rule.max_seconds if isinstance(rule, VideoRule) else 0, rule.max_bytes)


def _walk(fields: Object, prefix: str) -> Iterator[FormField]:
    for name, field in fields.fields.items():
        path = prefix + name
        if name in ANOTHER_SPELLING | NOT_ASKED:
            continue
        if isinstance(field, Object):
            yield from _walk(field, f"{path}.")
        else:
            yield _read(path, field)


def _read(path: str, field: Field) -> FormField:
    if isinstance(field, ListOf):
        return _read_list(path, field)
    return FormField(name=path, kind=_kind(path, field), field=field)


def _read_list(path: str, field: ListOf) -> FormField:
    item = field.item
    if isinstance(item, WebAddress):
        return FormField(name=path, kind="media", field=field, many=True, most=field.max_items)
    assert isinstance(item, Object), f"The form knows no list such as {path}."
    names = list(item.fields)
    kind: Kind = "elements" if names == ["element_id"] else "media" if len(names) == 1 else "shots"
    entry = "" if kind == "shots" else names[0]
    return FormField(name=path, kind=kind, field=field, item=entry, many=True, most=field.max_items)


def _kind(path: str, field: Field) -> Kind:
    match field:
        case Text() if path.endswith("voice_id"):
            return "voice"
        case Text():
            return "text" if LONGEST_LINE < field.max_length != 2048 else "line"
        case WebAddress():
            return "media"
        case WholeNumber():
            return "number"
        case Choice() | NumberChoice():
            return "choice"
        case Flag() | OnOff():
            return "switch"
        case Pairs():
            return "pairs"
    raise TypeError(f"The form knows no field such as {path}.")


def _finished(
    one: FormField,
    rules: Mapping[str, MediaRule],
    conditions: tuple[tuple[str, Condition], ...],
    made_from: str,
) -> FormField:
    path = f"{one.name}.{one.item}" if one.item else one.name
    when = tuple(condition for name, condition in conditions if one.name == name or one.name.startswith(f"{name}."))
    return replace(
        one,
        section=_section(one, when),
        rule=rules.get(path) if one.kind == "media" else None,
        elements_made_from=made_from if one.kind == "elements" else "",
        shown_when=when,
    )


def _section(one: FormField, when: tuple[Condition, ...]) -> Section:
    if one.name in RARE:
        return "more"
    is_setting = one.kind in ("number", "choice", "switch") and one.field.default is not None and not when
    return "settings" if is_setting and one.word != "multi_shot" else "scene"


def _rank(one: FormField) -> int:
    if one.section != "scene":
        return 0
    if one.kind == "choice":
        return 5 if one.shown_when else 0
    return RANKS.get(one.kind, 9)


def _conditions(spec: Spec) -> Iterator[tuple[str, Condition]]:
    """Pairs of a field and when it is there: what the schema refuses with (or without) another field's one answer."""
    for fields, prefix in ((spec.root, ""), (spec.model_params, "model_params.")):
        for schema in fields.conditions:
            asked = schema.get("if", {}).get("properties", {})
            answers = [(prefix + name, value["const"]) for name, value in asked.items() if "const" in value]
            for name, value in answers if len(answers) == 1 else []:
                for branch, holds in (("then", False), ("else", True)):
                    refused = [field for field, rule in _properties(schema, branch) if rule is False]
                    yield from ((prefix + field, Condition(name, spelled(value), holds)) for field in refused)
    if PROMPT_UNUSED in spec.rules:
        yield "prompt", Condition("model_params.shot_type", "customize", holds=False)


def _properties(schema: Mapping[str, Any], branch: str) -> Iterator[tuple[str, Any]]:
    yield from schema.get(branch, {}).get("properties", {}).items()


def spelled(value: Any) -> str:
    """An answer as the form writes it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
