"""What every request carries around its model's own fields: `model`, `callback_url`, `metadata` and `quote_id`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.errors import InvalidRequest
from generations.catalog.fields import HTTPS, Object, Pairs, Text, address_shape
from generations.catalog.rules import ADDRESSES_ARE_PUBLIC, QUOTE_HOLDS, TEXT_IS_UNICODE, Rule


@dataclass(frozen=True, kw_only=True)
class HttpsAddress(Text):
    """Described as an https address, read as a string: an address that is refused has an error code of its own."""

    def shape(self) -> dict[str, Any]:
        return address_shape(HTTPS, self.max_length)


MODEL = Text(max_length=200, required=True, blank=False, about="The model's id.")
FIELDS = Object(
    fields={
        "callback_url": HttpsAddress(
            max_length=2048,
            about="A public https address that receives the task when it is completed, failed or cancelled.",
        ),
        "metadata": Pairs(
            max_pairs=16,
            max_key=40,
            max_value=500,
            about="Up to 16 pairs of your own strings, returned unchanged with the task.",
        ),
        "quote_id": Text(
            max_length=64,
            blank=False,
            about="A quote of POST /v1/quotes for this very request: it runs at the quoted price.",
        ),
    },
    extras=True,
)
RULES: tuple[Rule, ...] = (ADDRESSES_ARE_PUBLIC, QUOTE_HOLDS, TEXT_IS_UNICODE)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Whether `callback_url` may be reached and `quote_id` holds is still to be checked."""

    model: str
    callback_url: str | None
    metadata: dict[str, str]
    quote_id: str | None = None


def read(body: Any) -> Envelope:
    """The shared fields of a parsed JSON body. Raises `InvalidRequest`."""
    if not isinstance(body, Mapping):
        raise InvalidRequest("invalid_json", "The request body must be a JSON object.")
    model = Object(fields={"model": MODEL}, extras=True).read(body, "")["model"]
    given = FIELDS.read(body, "")
    return Envelope(
        model=model,
        callback_url=given["callback_url"],
        metadata=given["metadata"] or {},
        quote_id=given["quote_id"],
    )
