"""The log: one line an event, with its request and caller, and never a secret."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from accounts import key_text
from evolink_saas.logs import JsonFormatter, LineFormatter, blacken
from tests.cast import Person


class Capture(logging.Handler):
    """Keeps what both formatters make of each record, while its request is still known."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.events: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(LineFormatter().format(record))
        self.events.append(json.loads(JsonFormatter().format(record)))


@pytest.fixture
def capture() -> Iterator[Capture]:
    handler = Capture()
    logging.getLogger("evolink").addHandler(handler)
    yield handler
    logging.getLogger("evolink").removeHandler(handler)


def test_a_request_is_one_line_with_its_caller(alice: Person, capture: Capture) -> None:
    answer = alice.client.get("/v1/keys?cursor=private")
    [event], [line] = capture.events, capture.lines
    assert event["message"].startswith("GET /v1/keys 400 ")
    assert (event["level"], event["logger"], event["request"]) == ("info", "evolink.requests", answer["x-request-id"])
    assert (event["organization"], event["key"]) == (alice.organization.public_id, alice.key.hint)
    assert f"request={answer['x-request-id']}" in line
    assert "private" not in line + str(event)
    assert alice.secret not in line + str(event)
    assert "\n" not in line


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/files/01abc/ann.png", "/files/01abc/se.cret/ann.png", "/hints/att_01abc/secret"])
def test_an_address_that_opens_without_a_key_is_not_in_the_log(client: Client, capture: Capture, path: str) -> None:
    client.get(path)
    (event,) = capture.events
    assert "<str:" in event["message"]
    assert not any(part in event["message"] for part in ("01abc", "se.cret", "secret ", "ann.png"))


def test_a_database_that_is_down_is_told_with_the_request(alice: Person, capture: Capture) -> None:
    connection.close()
    port, connection.settings_dict["PORT"] = connection.settings_dict["PORT"], 1
    try:
        alice.client.get("/v1/keys")
    finally:
        connection.settings_dict["PORT"] = port
    assert [event["level"] for event in capture.events] == ["warning", "error"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key sk-" + "a" * 36 + " used", "key sk-… used"),
        ("sk-test-" + "B" * 36, "sk-test-…"),
        ("whsec_bWFuYWdlciBzZWNyZXQ=", "whsec_…"),
        ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "sk_live_…"),
        ("Authorization: Bearer ak.very-secret_value", "Authorization: Bearer …"),
        ("postgres://app:pass-word@db:5432/x", "postgres://app:…@db:5432/x"),
        ("hint sk-Ab1…x9Yz", "hint sk-Ab1…x9Yz"),
        ("hint sk-test-Ab1…x9Yz", "hint sk-test-Ab1…x9Yz"),
        ("http://127.0.0.1:9123/path", "http://127.0.0.1:9123/path"),
        ("task-video-01jm3x", "task-video-01jm3x"),
    ],
)
def test_what_looks_like_a_secret_is_blackened(text: str, expected: str) -> None:
    assert blacken(text) == expected


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_tracebacks_are_blackened_too(formatter: logging.Formatter) -> None:
    secret = key_text.generate(sandbox=False)
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError:
        record = logging.LogRecord("evolink", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    text = formatter.format(record)
    assert secret not in text
    assert "cannot use sk-…" in text
