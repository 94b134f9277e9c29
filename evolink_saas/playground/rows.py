"""The form as its template draws it: each field with its words, its value, and what was refused about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Organization
from evolink_saas.console.wording import Words
from evolink_saas.playground import bodies, fields, shown, words
from evolink_saas.playground.bodies import Values
from evolink_saas.playground.fields import Condition, FormField
from generations import elements
from generations.catalog.base import Spec
from generations.catalog.fields import ListOf, Object, Text, WholeNumber
from generations.media import ImageRule, VideoRule
from generations.models import Voice

FIRST_SHOTS = 2
LONGEST_CHOICES = 4
SECONDS = "duration"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`asks` says in words what a file must be, `limits` the same for the page's script."""

    one: FormField
    label: Words
    help: Words
    value: Any
    asks: str = ""
    limits: dict[str, Any]
    choices: Sequence[tuple[str, Words]] = ()
    elements: Sequence[tuple[str, Any]] = ()
    voices: Sequence[Voice] = ()
    error: Words = ""
    is_optional: bool

    @property
    def id(self) -> str:
        return f"field-{self.one.name.replace('.', '-')}"

    @property
    def when(self) -> str:
        return _spelled(self.one.shown_when, holds=True)

    @property
    def unless(self) -> str:
        return _spelled(self.one.shown_when, holds=False)

    @property
    def unit(self) -> bool:
        """Whether its numbers are seconds."""
        return self.one.word == SECONDS

    @property
    def longest(self) -> int | None:
        return self.one.field.max_length if isinstance(self.one.field, Text) else None

    @property
    def shots(self) -> list[tuple[str, str]]:
        """The shots, and empty ones where there are few."""
        return [*self.value, *[("", "")] * (FIRST_SHOTS - len(self.value))]

    @property
    def further_shots(self) -> range:
        """Places for more, where no script adds them."""
        return range(self.one.most - len(self.shots))

    @property
    def addresses(self) -> list[str]:
        """Of media: those that are there, and empty places up to the most."""
        return [*self.value, *[""] * (self.one.most - len(self.value))]


def of(
    organization: Organization, spec: Spec, values: Values, refused: tuple[str, Words] = ("", "")
) -> dict[str, list[Row]]:
    """By section. `refused` is a field's name and what is wrong with it."""
    found: dict[str, list[Row]] = {"scene": [], "settings": [], "more": []}
    for one in fields.of(spec):
        value = values.by_name.get(one.name, bodies.blank(one))
        found[one.section].append(
            Row(
                one=one,
                label=words.label(one),
                help=words.help_of(one),
                value=value,
                asks=words.media_asks(one.rule) if one.rule else "",
                limits=_limits(one),
                choices=[(choice, words.choice(choice)) for choice in one.choices],
                elements=shown.pickable(organization, one.elements_made_from, value) if one.kind == "elements" else (),
                voices=list(elements.voices()) if one.kind == "voice" else (),
                is_optional=one.kind in ("text", "line", "media") and fields.can_be_left_out(spec, one),
                error=refused[1] if refused[0] == one.name else "",
            )
        )
    return found


def _limits(one: FormField) -> dict[str, Any]:
    """For the page's script, which checks a file before it is sent."""
    rule = one.rule
    if isinstance(one.field, WholeNumber):
        return {"minimum": one.field.minimum, "maximum": one.field.maximum}
    if one.kind == "shots":
        return {"most": one.most} | _shot_limits(one)
    if rule is None:
        return {"most": one.most}
    limits: dict[str, Any] = {
        "most": one.most,
        "formats": list(rule.formats),
        "shown": ", ".join(words.FORMATS.get(name, name) for name in rule.formats),
        "bytes": rule.max_bytes,
        "side": rule.min_side,
    }
    if isinstance(rule, ImageRule):
        return limits | {"ratios": [rule.min_ratio, rule.max_ratio]}
    assert isinstance(rule, VideoRule)
    return limits | {"seconds": [rule.min_seconds, rule.max_seconds], "largest": rule.max_side}


def _shot_limits(one: FormField) -> dict[str, int]:
    """The longest prompt of a shot, and its most seconds."""
    assert isinstance(one.field, ListOf) and isinstance(one.field.item, Object)
    prompt, seconds = one.field.item.fields["prompt"], one.field.item.fields["duration"]
    assert isinstance(prompt, Text) and isinstance(seconds, WholeNumber)
    return {"prompt": prompt.max_length, "seconds": seconds.maximum}


def _spelled(conditions: Sequence[Condition], *, holds: bool) -> str:
    return " ".join(f"{one.name}={one.value}" for one in conditions if one.holds == holds)
