"""What the fields of a body may be: each model's schema, and a check that finds everything wrong in one go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generations.sandbox.replicate.wire import InvalidField

NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
RATIOS = ("16:9", "9:16", "1:1")
QUALITIES = {"standard": "720p", "pro": "1080p", "4k": "4k"}
EVENTS = ("start", "output", "logs", "completed")


@dataclass(frozen=True, kw_only=True)
class Field:
    """`default`: what Replicate takes when the field is not sent; it differs from what is cheap. `many`: a list."""

    kind: type[Any]
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    uri: bool = False
    many: bool = False

    def wrong(self, name: str, value: Any) -> Iterator[InvalidField]:
        """What is wrong with a value of this field."""
        if self.many:
            if not isinstance(value, list):
                yield _wrong_type(name, "array", value)
            elif self.longest is not None and len(value) > self.longest:
                yield _wrong("array_max_items", name, f"Array must have at most {self.longest} items")
            else:
                for number, item in enumerate(value):
                    yield from self._wrong_one(f"{name}.{number}", item)
        else:
            yield from self._wrong_one(name, value)

    def _wrong_one(self, name: str, value: Any) -> Iterator[InvalidField]:
        if type(value) is not self.kind:
            yield _wrong_type(name, NAMES[self.kind], value)
        else:
            yield from self._out_of_bounds(name, value)

    def _out_of_bounds(self, name: str, value: Any) -> Iterator[InvalidField]:
        """Of a value of the right type."""
        if self.choices and value not in self.choices:
            words = ", ".join(f'"{choice}"' for choice in self.choices)
            yield _wrong("enum", name, f"{name.rpartition('.')[2]} must be one of the following: {words}")
        if self.least is not None and value < self.least:
            yield _wrong("number_gte", name, f"Must be greater than or equal to {self.least}")
        if self.most is not None and value > self.most:
            yield _wrong("number_lte", name, f"Must be less than or equal to {self.most}")
        if self.longest is not None and not self.many and len(value) > self.longest:
            yield _wrong("string_lte", name, f"String length must be less than or equal to {self.longest}")
        if self.uri and not value.startswith(("http://", "https://")):
            yield _wrong("format", name, "Does not match format 'uri'")


Schema = Mapping[str, Field]
TEXT = Field(kind=str, default="", longest=2500)
ADDRESS = Field(kind=str, default="", uri=True)

BODY: Schema = {
    "input": Field(kind=dict, required=True),
    "webhook": ADDRESS,
    "webhook_events_filter": Field(kind=str, default=list(EVENTS), choices=EVENTS, many=True),
    "stream": Field(kind=bool, default=False),
}
OMNI: Schema = {
    "prompt": Field(kind=str, required=True, longest=2500),
    "mode": Field(kind=str, default="pro", choices=tuple(QUALITIES)),
    "duration": Field(kind=int, default=5, least=3, most=15),
    "generate_audio": Field(kind=bool, default=False),
    "aspect_ratio": Field(kind=str, default="16:9", choices=RATIOS),
    "start_image": ADDRESS,
    "end_image": ADDRESS,
    "reference_images": Field(kind=str, default=[], uri=True, many=True, longest=7),
    "multi_prompt": Field(kind=str, default=""),
}
PLAIN: Schema = {name: field for name, field in OMNI.items() if name != "reference_images"} | {"negative_prompt": TEXT}
MOTION: Schema = {
    "prompt": TEXT,
    "image": Field(kind=str, required=True, uri=True),
    "video": Field(kind=str, required=True, uri=True),
    "mode": Field(kind=str, default="pro", choices=("std", "pro")),
    "character_orientation": Field(kind=str, default="image", choices=("image", "video")),
    "keep_original_sound": Field(kind=bool, default=True),
}


def errors(schema: Schema, given: Any, place: str = "") -> list[InvalidField]:
    """Everything that is wrong with an object, in the order of the schema."""
    if not isinstance(given, dict):
        return [_wrong_type(place, "object", given)]
    missing = (name for name, field in schema.items() if field.required and name not in given)
    found = [_wrong("required", place, f"{name} is required") for name in missing]
    for name, field in schema.items():
        if name in given:
            found += field.wrong(f"{place}.{name}" if place else name, given[name])
    for name in sorted(given.keys() - schema.keys()):
        found.append(_wrong("additional_property_not_allowed", place, f"Additional property {name} is not allowed"))
    return found


def filled(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """The object with Replicate's defaults where nothing was sent."""
    return {name: given.get(name, field.default) for name, field in schema.items()}


def _wrong_type(name: str, expected: str, value: Any) -> InvalidField:
    return _wrong("invalid_type", name, f"Invalid type. Expected: {expected}, given: {NAMES.get(type(value), 'null')}")


def _wrong(kind: str, name: str, why: str) -> InvalidField:
    return InvalidField(type=kind, field=name, description=why)
