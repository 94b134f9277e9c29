"""What a model is (`Spec`) and what a valid request for it becomes (`Parsed`).

A family file fills `Spec` with data: fields with their limits, the rules that JSON Schema cannot say, examples,
and one `reader` that turns the fields into a `Parsed`. Nothing here reads a table, a setting or a clock; what only
the database or the network can tell (is the element usable, is the voice known, is the picture good) leaves as a
reference with the `param` to blame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generations.catalog.fields import MetadataPairs, Object, Text
from generations.media import ImageRule, VideoRule

Face = Literal["required", "wanted", "none"]
BillingRule = Literal["per_call", "per_second"]

CALLBACK_URL = Text(
    max_length=2048,
    pattern="^[Hh][Tt][Tt][Pp][Ss]://",
    about="An https address that receives the task when it is completed, failed or cancelled.",
)
METADATA = MetadataPairs(
    max_pairs=16, max_key=40, max_value=500, about="Up to 16 pairs of your own, returned unchanged with the task."
)


@dataclass(frozen=True, kw_only=True)
class MediaRef:
    """One picture or film the customer pointed to. `face` says whether a clearly visible face must be in it."""

    role: str
    param: str
    url: str
    rule: ImageRule | VideoRule
    face: Face = "none"


@dataclass(frozen=True, kw_only=True)
class ElementRef:
    """One element the request uses, by our id as the customer gave it."""

    param: str
    element_id: str


@dataclass(frozen=True, kw_only=True)
class VoiceRef:
    param: str
    voice_id: str


@dataclass(frozen=True, kw_only=True)
class PriceInputs:
    """All that a price depends on. `cell` is `<quality>_<on|off>` for sound, or `call`; `seconds` are billed ones."""

    model: str
    cell: str
    seconds: int | None
    billing_rule: BillingRule


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
    """One model of the catalogue. Deadlines count from the acceptance upstream, or without one from the request."""

    id: str
    type: Literal["video", "element"]
    description: str
    stability: str
    capabilities: tuple[str, ...]
    estimated_seconds: int
    deadline_minutes: int = 60
    unaccepted_deadline_minutes: int = 30
    root: Object
    model_params: Object
    rules: tuple[str, ...]
    examples: tuple[Example, ...]
    reader: Callable[["Spec", Mapping[str, Any]], Parsed]

    def parse(self, body: Mapping[str, Any]) -> Parsed:
        """The body of a generation as `Parsed`, or `InvalidRequest` that names the field."""
        return self.reader(self, body)

    def read_model_params(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.model_params.read(body.get("model_params", {}), "model_params")

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the body; what it cannot say stands in `x-rules`, in words."""
        root = self.root.schema()
        shared = {"callback_url": CALLBACK_URL.schema(), "metadata": METADATA.schema()}
        model = {"const": self.id, "description": "The model's id."}
        params = {"model_params": self.model_params.schema()}
        required = ["model", *root.get("required", [])]
        if "required" in params["model_params"]:
            required.append("model_params")
        return root | {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.id,
            "description": self.description,
            "properties": {"model": model} | root["properties"] | params | shared,
            "required": required,
            "examples": [example.body for example in self.examples],
            "x-rules": list(self.rules),
        }
