"""The simulator tells a callback address of every change, signed when the account has a secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from generations.sandbox.callbacks import signature
from generations.sandbox.store import API_KEY
from tests.generations import wire
from tests.generations.sandbox.bodies import KEY, NEW_TEXT, TEXT, legacy, new_text
from tests.generations.simulator import RunningSimulator, wait_for

SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="


@pytest.fixture
def receiver(simulator: RunningSimulator) -> Iterator[wire.Peer]:
    simulator.do("settings", speed=600)
    with wire.peer() as peer:
        yield peer


def create(simulator: RunningSimulator, receiver: wire.Peer, prompt: str = "a heron") -> None:
    body = new_text("a", prompt)
    body["options"]["callback_url"] = f"{receiver.url}/kling"
    assert simulator.http.post(NEW_TEXT, json=body, headers=KEY).json()["code"] == 0


def sent(simulator: RunningSimulator, count: int) -> list[tuple[str, str]]:
    """`(state, outcome)` of the callbacks in the simulator's own log, once there are so many."""

    def enough() -> list[tuple[str, str]]:
        log = [(row["state"], row["outcome"]) for row in simulator.see("callbacks")["callbacks"]]
        return log if len(log) >= count else []

    found: list[tuple[str, str]] = wait_for(enough)
    return found


def bodies(receiver: wire.Peer) -> list[dict[str, Any]]:
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in receiver.requests]


def headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_the_documented_signature_is_reproduced() -> None:
    body = (
        '{"id":"1234567890","status":"succeeded","message":"",'
        '"create_time":1781080778802,"update_time":1781080794151}'
    )  # fmt: skip

    assert signature(SECRET, "9876543210", 1781080794, body) == "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="


def test_each_change_is_told_with_the_row_of_a_query(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    create(simulator, receiver)

    assert sorted(sent(simulator, 2)) == [("processing", "200"), ("succeeded", "200")]
    (row,) = simulator.http.get("/tasks?external_task_ids=a", headers=KEY).json()["data"]
    assert row in bodies(receiver)
    assert "webhook-signature" not in headers(receiver.requests[0])


def test_a_legacy_callback_is_flat(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    body = legacy("a", callback_url=f"{receiver.url}/kling")
    simulator.http.post(TEXT, json=body, headers=KEY)
    sent(simulator, 2)

    last = max(bodies(receiver), key=lambda told: told["updated_at"])
    assert (last["task_status"], last["task_info"]) == ("succeed", {"external_task_id": "a"})
    assert "code" not in last


def test_callbacks_are_signed_when_the_account_has_a_secret(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    simulator.do("accounts", api_key=API_KEY, webhook_secret=SECRET)
    create(simulator, receiver)
    sent(simulator, 2)

    for request in receiver.requests:
        assert Webhook(SECRET).verify(request.partition(b"\r\n\r\n")[2], headers(request))


def test_a_wrong_signature_does_not_verify(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    simulator.do("accounts", api_key=API_KEY, webhook_secret=SECRET)
    create(simulator, receiver, "x [sim:callback-bad-signature]")
    sent(simulator, 2)

    for request in receiver.requests:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(request.partition(b"\r\n\r\n")[2], headers(request))


def test_a_callback_may_come_twice(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    create(simulator, receiver, "x [sim:callback-twice]")

    assert sorted(state for state, _ in sent(simulator, 4)) == ["processing"] * 2 + ["succeeded"] * 2


def test_a_callback_may_get_lost(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    create(simulator, receiver, "x [sim:callback-lost]")
    simulator.advance(600)
    wait_for(lambda: simulator.tasks_of("a")[0]["state"] == "succeeded")

    assert (simulator.see("callbacks")["callbacks"], receiver.requests) == ([], [])


def test_a_callback_may_come_before_the_answer(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    create(simulator, receiver, "x [sim:callback-early]")

    assert bodies(receiver)[0]["status"] == "submitted"


def test_processing_may_come_after_the_end(simulator: RunningSimulator, receiver: wire.Peer) -> None:
    create(simulator, receiver, "x [sim:callback-reordered]")

    assert [state for state, _ in sent(simulator, 2)] == ["succeeded", "processing"]


def test_a_callback_nobody_takes_is_logged(simulator: RunningSimulator) -> None:
    body = new_text("a")
    body["options"]["callback_url"] = "http://127.0.0.1:9/kling"
    simulator.do("settings", speed=600)
    simulator.http.post(NEW_TEXT, json=body, headers=KEY)

    assert {outcome for _, outcome in sent(simulator, 2)} == {"ConnectError"}
