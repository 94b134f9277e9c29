"""What a model is (`Spec`) and what a valid request for it becomes (`Parsed`).

A family file fills `Spec` with data: fields with their limits, the rules that JSON Schema cannot say, examples,
and one `reader` that turns the fields into a `Parsed`. Nothing here reads a table, a setting or a clock; what only
the database or the network can tell (is the element usable, is the voice known, is the picture good) leaves as a
reference with the `param` to blame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generations.catalog import envelope
from generations.catalog.fields import Object
from generations.catalog.rules import FILES_ARE_YOURS, Rule
from generations.media import ImageRule, VideoRule

Face = Literal["required", "wanted", "none"]
BillingRule = Literal["per_call", "per_second"]
ElementKind = Literal["image_refer", "video_refer"]
Rounding = Literal["half_up", "up", "hundredth_up"]


@dataclass(frozen=True, kw_only=True)
class MediaKind:
    """What a model asks of one picture or film.

    A clearly visible face must be in it (required), should be (wanted: the operator decides what follows), or need not.
    """

    rule: ImageRule | VideoRule
    face: Face = "none"


@dataclass(frozen=True, kw_only=True)
class MediaRef:
    """One picture or film the customer pointed to, with what its role asks of it (`MediaKind`)."""

    role: str
    param: str
    url: str
    rule: ImageRule | VideoRule
    face: Face


@dataclass(frozen=True, kw_only=True)
class ElementRef:
    """One element the request uses, by our id as the customer gave it; `kind` where only that kind may be used."""

    param: str
    element_id: str
    kind: ElementKind | None = None


@dataclass(frozen=True, kw_only=True)
class VoiceRef:
    param: str
    voice_id: str


@dataclass(frozen=True, kw_only=True)
class PriceInputs:
    """All that a price depends on. `cell` names the variant: `720p_off` (sound), `1080p`, `720p_video` (input), `call`.

    `seconds` are those to bill; where a `Settlement` follows the media, the most there can be.
    """

    model: str
    cell: str
    seconds: int | None
    billing_rule: BillingRule


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """A price by a length that only the media knows.

    Reserved at the request: the seconds of the video in one of `roles`, rounded as `reserves` says, or the most there
    can be while they are not known. Charged at the end: the measured seconds of the input, or of the output as we
    stored it, rounded as `charges` says, and never more than was reserved.
    """

    measures: Literal["input", "output"]
    reserves: Rounding
    charges: Rounding
    roles: tuple[str, ...] = ("video",)


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A valid request. `inputs` are canonical and JSON-able, every default made explicit, media left out."""

    model: str
    inputs: dict[str, Any]
    media: tuple[MediaRef, ...]
    elements: tuple[ElementRef, ...]
    voice: VoiceRef | None
    price: PriceInputs
    video_duration: int | None


@dataclass(frozen=True, kw_only=True)
class Example:
    """One valid request body, shown in the documents and run by the tests."""

    name: str
    summary: str
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One model of the catalogue. `media` says by role what each picture or film must be, `settlement` what follows it.

    `description` and `stability` are sentences that people read, marked so that pages can translate them. Lists show it
    under its `family`.
    `deadline_minutes` count from the acceptance upstream, `unaccepted_deadline_minutes` from the request without one.
    """

    id: str
    type: Literal["video", "element"]
    family: str
    description: str
    stability: str
    capabilities: tuple[str, ...]
    estimated_seconds: int
    deadline_minutes: int = 60
    unaccepted_deadline_minutes: int = 30
    root: Object
    model_params: Object
    media: Mapping[str, MediaKind]
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...]
    reader: Callable[["Spec", Mapping[str, Any]], Parsed]
    settlement: Settlement | None = None

    def parse(self, body: Mapping[str, Any]) -> Parsed:
        """The body of a generation as `Parsed`, or `InvalidRequest` that names the field."""
        return self.reader(self, body)

    def read_model_params(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The values of `model_params`, all its fields present; without it, those of an empty one."""
        return self.model_params.read(body.get("model_params", {}), "model_params")

    def media_ref(self, role: str, param: str, url: str) -> MediaRef:
        kind = self.media[role]
        return MediaRef(role=role, param=param, url=url, rule=kind.rule, face=kind.face)

    def all_rules(self) -> tuple[Rule, ...]:
        """What its JSON Schema cannot say: its own rules and those of every request."""
        return (*self.rules, *([FILES_ARE_YOURS] if self.media else []), *envelope.RULES)

    @property
    def plain_request(self) -> dict[str, Any]:
        """A valid body that anybody may send: the first example."""
        return self.examples[0].body

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the body; what it cannot say stands in `x-rules`, in words with an id each."""
        root, params, shared = self.root.schema(), self.model_params.schema(), envelope.FIELDS.schema()
        model = {"const": self.id, "description": "The model's id."}
        needs_params = ["model_params"] if "required" in params else []
        return root | {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.id,
            "description": self.description,
            "properties": {"model": model} | root["properties"] | {"model_params": params} | shared["properties"],
            "required": ["model", *root.get("required", []), *needs_params],
            "examples": [example.body for example in self.examples],
            "x-rules": [rule.shown() for rule in self.all_rules()],
        }
