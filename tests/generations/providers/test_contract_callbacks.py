"""What every adapter owes the product when its provider calls back: the name of its own work, and nothing forged."""

from datetime import UTC, datetime

import pytest

from generations.providers.base import (
    Account,
    CallbackRefused,
)
from tests.generations import wire
from tests.generations.providers.contracts import Asked, clip
from tests.generations.simulator import wait_for


def heard(asked: Asked, account: Account, words: str) -> tuple[str, dict[str, str], bytes]:
    """The id of a clip, and the last callback about it."""
    with wire.peer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as receiver:
        request = clip(words, callback_url=f"{receiver.url}/hints/att_1/token")
        accepted = asked.adapter.submit(account, request)
        asked.face.simulator.do("finish", task_id=accepted.upstream_id)
        wait_for(lambda: [row for row in asked.face.see("callbacks")["callbacks"] if row["state"] == "succeeded"])
        head, _, body = receiver.requests[-1].partition(b"\r\n\r\n")
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return accepted.upstream_id, {name.lower(): value for name, value in lines}, body


def test_a_callback_names_its_work_when_it_is_the_providers_own(asked: Asked) -> None:
    account = asked.contract.listener(asked)
    upstream_id, headers, body = heard(asked, account, "a heron")

    now = datetime.now(UTC)
    assert asked.adapter.read_callback(account, headers, body, now) == upstream_id
    assert asked.adapter.read_callback(asked.account, headers, body, now) == upstream_id
    with pytest.raises(CallbackRefused):
        asked.adapter.read_callback(account, {}, body, now)


def test_a_forged_callback_is_refused(asked: Asked) -> None:
    account = asked.contract.listener(asked)
    _, headers, body = heard(asked, account, "a heron [sim:callback-bad-signature]")

    with pytest.raises(CallbackRefused):
        asked.adapter.read_callback(account, headers, body, datetime.now(UTC))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_callback_that_names_no_work_is_refused(asked: Asked, body: bytes) -> None:
    with pytest.raises(CallbackRefused):
        asked.adapter.read_callback(asked.account, {}, body, datetime.now(UTC))
