"""Reads a JSON body, and refuses what would only fail later: numbers and characters that no table can keep."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from accounts.errors import InvalidRequest, TooLarge


class JsonObject(BaseParser):
    """A JSON object in UTF-8 of at most `max_bytes`. A view that takes more gives a subclass in `parser_classes`."""

    media_type = "application/json"
    max_bytes: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Raises ParseError, InvalidRequest `invalid_json` (not an object) or TooLarge `request_too_large`."""
        body = stream.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise TooLarge("request_too_large", f"The request body is larger than {self.max_bytes} bytes.")
        try:
            value = json.loads(body.decode("utf-8"), parse_float=_finite, parse_constant=_finite)
            if b"\\u" in body:
                _check_characters(value)
        except (ValueError, RecursionError) as error:
            raise ParseError("The request body is not valid JSON.") from error
        if not isinstance(value, dict):
            raise InvalidRequest("invalid_json", "The request body must be a JSON object.")
        return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _check_characters(value: Any) -> None:
    """Refuse lone surrogates (no UTF-8 has them) and the NUL character (PostgreSQL keeps none)."""
    if isinstance(value, str):
        value.encode("utf-8")
        if "\0" in value:
            raise ValueError("NUL character")
    elif isinstance(value, Mapping):
        for name, member in value.items():
            _check_characters(name)
            _check_characters(member)
    elif isinstance(value, list):
        for member in value:
            _check_characters(member)
