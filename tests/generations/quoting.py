"""Quotes as a customer asks for them and uses them."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from billing import price_book
from generations.models import Quote
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO

QUOTES, POST = "/v1/quotes", "/v1/videos/generations"


def quote(person: Person, **changes: Any) -> dict[str, Any]:
    """The default text to video, with these fields changed, as it is quoted."""
    answer = person.client.post(QUOTES, TEXT_TO_VIDEO | changes)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def use(person: Person, quoted: Mapping[str, Any], **changes: Any) -> HttpResponse:
    """The answer to the same request with the quote's id, or to one with other fields."""
    return person.client.post(POST, TEXT_TO_VIDEO | changes | {"quote_id": quoted["quote_id"]})


def everything_costs_twice_as_much() -> None:
    text = price_book.FILE.read_text()
    doubled = "\n".join(_doubled(line) for line in text.splitlines())
    assert price_book.load(doubled)[1]


def _doubled(line: str) -> str:
    return f"rate = {float(line.removeprefix('rate = ')) * 2}" if line.startswith("rate = ") else line


def unused() -> int:
    return Quote.objects.filter(task__isnull=True).count()
