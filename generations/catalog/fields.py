"""The kinds of field a request is made of: each reads a value and describes itself as JSON Schema.

`read` gives the canonical value or raises `InvalidRequest` with the path of the field. Every value is whatever JSON
can hold, so nothing is assumed about its type: a boolean is not a number, a number may be endless or NaN, a text may
hold what PostgreSQL cannot store.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.errors import InvalidRequest

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
BLANK = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What `str.strip` takes off, spelled out: \\s means something else in each language that reads our schemas."""
NOT_BLANK = f"[^{BLANK}]"
NO_NULL = "^[^\\x00]*$"
HTTP_OR_HTTPS, HTTPS = "^[Hh][Tt][Tt][Pp][Ss]?://", "^[Hh][Tt][Tt][Pp][Ss]://"
HOST = f"[^{BLANK}/?#]"
WEB_ADDRESS = f"{HTTP_OR_HTTPS}{HOST}[^{BLANK}]*"
WHOLE_NUMBER_TEXT = "[1-9][0-9]{0,3}"
LONGEST_NAME_SHOWN = 64


def invalid(param: str, message: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter", message, param=param)


def missing(param: str, message: str = "") -> InvalidRequest:
    return InvalidRequest("missing_parameter", message or f"{param} is required.", param=param)


def shown(name: str) -> str:
    """A customer's own word made short and printable, so that it can be repeated in an answer."""
    printable = name[:LONGEST_NAME_SHOWN].encode("ascii", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in printable)


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """`about` is one sentence for the documents."""

    about: str = ""
    required: bool = False
    default: Any = None

    @abstractmethod
    def read(self, value: Any, param: str) -> Any: ...

    @abstractmethod
    def shape(self) -> dict[str, Any]: ...

    def absent(self, param: str) -> Any:
        if self.required:
            raise missing(param)
        return self.default

    def schema(self) -> dict[str, Any]:
        schema = self.shape()
        if self.about:
            schema["description"] = self.about
        if self.default not in (None, ""):
            schema["default"] = self.default
        return schema


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Lengths count Unicode code points; `trimmed` counts them after NFC and trimming, and reads it so."""

    max_length: int
    trimmed: bool = False
    blank: bool = True

    def read(self, value: Any, param: str) -> str:
        if not isinstance(value, str):
            raise invalid(param, f"{param} must be a string.")
        if UNSTORABLE.search(value):
            raise invalid(param, f"{param} must not hold null characters or unpaired surrogates.")
        text = self._trim(value) if self.trimmed else value
        if len(text) > self.max_length:
            raise invalid(param, f"{param} may have at most {self.max_length} characters.")
        if not self.blank and not text.strip():
            raise invalid(param, f"{param} must not be empty.")
        return text

    def _trim(self, value: str) -> str:
        text = value.strip()
        # NFC makes one character of at most four, and needs quadratic time for endless accents.
        return unicodedata.normalize("NFC", text) if len(text) <= 4 * self.max_length else text

    def shape(self) -> dict[str, Any]:
        if self.trimmed:
            inner = f"[^{BLANK}\\x00]([^\\x00]{{0,{self.max_length - 2}}}[^{BLANK}\\x00])?"
            return {"type": "string", "pattern": f"^[{BLANK}]*{inner}[{BLANK}]*$"}
        shape: dict[str, Any] = {"type": "string", "maxLength": self.max_length, "pattern": NO_NULL}
        if self.blank:
            return shape
        return shape | {"minLength": 1, "pattern": f"^[^\\x00]*[^{BLANK}\\x00][^\\x00]*$"}


def address_shape(scheme: str, max_length: int) -> dict[str, Any]:
    """JSON Schema of an address: `scheme`, a host, and no blank anywhere."""
    return {
        "type": "string",
        "format": "uri",
        "maxLength": max_length,
        "pattern": scheme + HOST,
        "not": {"pattern": f"[{BLANK}\\x00]"},
    }


@dataclass(frozen=True, kw_only=True)
class WebAddress(Field):
    """An http or https address. Whether it may be reached is not decided here."""

    max_length: int = 2048

    def read(self, value: Any, param: str) -> str:
        if not isinstance(value, str) or UNSTORABLE.search(value) or not re.fullmatch(WEB_ADDRESS, value):
            raise invalid(param, f"{param} must be an http or https address.")
        if len(value) > self.max_length:
            raise invalid(param, f"{param} may have at most {self.max_length} characters.")
        return value

    def shape(self) -> dict[str, Any]:
        return address_shape(HTTP_OR_HTTPS, self.max_length)


@dataclass(frozen=True, kw_only=True)
class WholeNumber(Field):
    """5 and 5.0 are whole numbers, 5.5 and true are not; "5" only where `as_text`."""

    minimum: int
    maximum: int
    as_text: bool = False

    def read(self, value: Any, param: str) -> int:
        number = self._whole(value)
        if number is None or not self.minimum <= number <= self.maximum:
            raise invalid(param, f"{param} must be a whole number from {self.minimum} to {self.maximum}.")
        return number

    def _whole(self, value: Any) -> int | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, str) and self.as_text and re.fullmatch(WHOLE_NUMBER_TEXT, value):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value if isinstance(value, int) else None

    def shape(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}
        texts = [str(value) for value in range(max(1, self.minimum), self.maximum + 1)] if self.as_text else []
        return {"anyOf": [number, {"type": "string", "enum": texts}]} if texts else number


@dataclass(frozen=True, kw_only=True)
class NumberChoice(Field):
    """One of a few whole numbers; 5.0 is 5, "5" and true are none."""

    values: tuple[int, ...]

    def read(self, value: Any, param: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in self.values:
            raise invalid(param, f"{param} must be one of: {', '.join(map(str, self.values))}.")
        return int(value)

    def shape(self) -> dict[str, Any]:
        return {"type": "integer", "enum": list(self.values)}


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a few words; `upper_case` accepts them in capitals too."""

    values: tuple[str, ...]
    upper_case: bool = False

    def read(self, value: Any, param: str) -> str:
        words = self._words()
        if not isinstance(value, str) or value not in words:
            raise invalid(param, f"{param} must be one of: {', '.join(self.values)}.")
        return words[value]

    def _words(self) -> dict[str, str]:
        capitals = {value.upper(): value for value in self.values} if self.upper_case else {}
        return {value: value for value in self.values} | capitals

    def shape(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._words())}


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    def read(self, value: Any, param: str) -> bool:
        if not isinstance(value, bool):
            raise invalid(param, f"{param} must be true or false.")
        return value

    def shape(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, kw_only=True)
class OnOff(Field):
    """`on`, `off`, true or false, read as a boolean."""

    def read(self, value: Any, param: str) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value not in ("on", "off"):
            raise invalid(param, f"{param} must be on or off.")
        return value == "on"

    def shape(self) -> dict[str, Any]:
        return {"enum": ["on", "off", True, False]}

    def schema(self) -> dict[str, Any]:
        return super().schema() | {"default": "on" if self.default else "off"}


@dataclass(frozen=True, kw_only=True)
class ListOf(Field):
    item: Field
    max_items: int
    min_items: int = 0

    def read(self, value: Any, param: str) -> list[Any]:
        if not isinstance(value, list):
            raise invalid(param, f"{param} must be a list.")
        if not self.min_items <= len(value) <= self.max_items:
            raise invalid(param, f"{param} must have {self._count()}.")
        return [self.item.read(entry, f"{param}[{position}]") for position, entry in enumerate(value)]

    def _count(self) -> str:
        if self.min_items == self.max_items:
            return f"exactly {self.max_items} entry" if self.max_items == 1 else f"exactly {self.max_items} entries"
        return f"{self.min_items} to {self.max_items} entries"

    def shape(self) -> dict[str, Any]:
        shape: dict[str, Any] = {"type": "array", "items": self.item.schema(), "maxItems": self.max_items}
        return shape | ({"minItems": self.min_items} if self.min_items else {})


@dataclass(frozen=True, kw_only=True)
class Object(Field):
    """Named fields. `extras` ignores names it does not know instead of refusing them (the request's root).

    `conditions` are the JSON Schema of what the family's reader checks between fields.
    """

    fields: Mapping[str, Field]
    extras: bool = False
    conditions: tuple[dict[str, Any], ...] = ()

    def read(self, value: Any, param: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise invalid(param, f"{param} must be an object.")
        if not self.extras:
            self._refuse_unknown(value, param)
        found = {}
        for name, kind in self.fields.items():
            path = f"{param}.{name}" if param else name
            if name in value and value[name] is None:
                raise invalid(path, f"{path} must not be null; leave it out instead.")
            found[name] = kind.read(value[name], path) if name in value else kind.absent(path)
        return found

    def _refuse_unknown(self, value: Mapping[str, Any], param: str) -> None:
        for name in value:
            if name not in self.fields:
                path = f"{param}.{shown(name)}"
                raise InvalidRequest("unknown_model_parameter", f"{path} is not a parameter of this model.", param=path)

    def shape(self) -> dict[str, Any]:
        required = [name for name, kind in self.fields.items() if kind.required]
        shape: dict[str, Any] = {
            "type": "object",
            "properties": {name: kind.schema() for name, kind in self.fields.items()},
            "additionalProperties": self.extras,
        }
        if required:
            shape["required"] = required
        if self.conditions:
            shape["allOf"] = list(self.conditions)
        return shape


@dataclass(frozen=True, kw_only=True)
class Pairs(Field):
    """A customer's own short strings by name."""

    max_pairs: int
    max_key: int
    max_value: int

    def read(self, value: Any, param: str) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise invalid(param, f"{param} must be an object of strings.")
        if len(value) > self.max_pairs:
            raise invalid(param, f"{param} may have at most {self.max_pairs} pairs.")
        if any(not 1 <= len(name) <= self.max_key or UNSTORABLE.search(name) for name in value):
            raise invalid(param, f"The keys of {param} must have 1 to {self.max_key} plain characters.")
        text = Text(max_length=self.max_value)
        return {name: text.read(entry, f"{param}.{shown(name)}") for name, entry in value.items()}

    def shape(self) -> dict[str, Any]:
        return {
            "type": "object",
            "maxProperties": self.max_pairs,
            "propertyNames": {"minLength": 1, "maxLength": self.max_key, "pattern": NO_NULL},
            "additionalProperties": Text(max_length=self.max_value).shape(),
        }
