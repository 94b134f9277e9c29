"""The simulated fal's list of ended requests, its webhooks and the keys they are signed with."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from generations.providers.base import CallbackRefused
from generations.providers.fal import Fal
from tests.generations import wire
from tests.generations.fal import fal_at
from tests.generations.sandbox.test_fal_wire import APP, TEXT, call, ended, fal, made
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for
from tests.plain_http import http

__all__ = ["fal"]
LIST = "/v1/models/requests/by-endpoint"
ENDPOINT = (APP + TEXT).lstrip("/")


def listed(fal: RunningFace, **asked: str) -> dict[str, Any]:
    answer = call(fal, "GET", LIST, params={"endpoint_id": ENDPOINT} | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["request_id"] for item in answer["items"]]


def test_only_what_has_ended_is_listed(fal: RunningFace) -> None:
    done = made(fal)
    ended(fal, done)
    fal.simulator.do("settings", speed=1)
    made(fal)

    assert ids(listed(fal)) == [done]


def test_an_entry_says_what_was_sent_and_what_came_of_it_if_asked(fal: RunningFace) -> None:
    request_id = made(fal, duration="3", generate_audio=False)
    ended(fal, request_id)
    (item,) = listed(fal, expand="payloads")["items"]

    assert (item["endpoint_id"], item["status_code"]) == (ENDPOINT, 200)
    assert item["sent_at"] < item["started_at"] < item["ended_at"]
    assert item["json_input"] == {"prompt": "a heron", "duration": "3", "generate_audio": False, "cfg_scale": 0.5}
    assert item["json_output"]["video"]["url"].endswith(f"/results/{request_id}.mp4")
    (short,) = listed(fal)["items"]
    assert not {"json_input", "json_output"} & short.keys()


def test_failures_are_listed_with_their_error(fal: RunningFace) -> None:
    failed, broken, fine = (made(fal, prompt=f"x {fault}") for fault in ("[sim:fail face]", "[sim:fail internal]", ""))
    for request_id in (failed, broken, fine):
        ended(fal, request_id)

    (item,) = listed(fal, status="user_error", expand="payloads")["items"]
    assert (item["request_id"], item["status_code"]) == (failed, 422)
    assert item["json_output"]["detail"][0]["type"] == "face_detection_error"
    assert ids(listed(fal, status="error")) == [broken]
    assert ids(listed(fal, status="success")) == [fine]


def test_the_list_comes_by_the_page_and_the_latest_first(fal: RunningFace) -> None:
    sent = []
    for _ in range(3):
        sent.append(made(fal))
        ended(fal, sent[-1])

    first = listed(fal, limit="2")
    second = listed(fal, limit="2", cursor=first["next_cursor"])
    assert [*ids(first), *ids(second)] == sent[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


def test_the_list_looks_a_day_back_unless_told_otherwise(fal: RunningFace) -> None:
    request_id = made(fal)
    ended(fal, request_id)
    before = datetime.fromtimestamp(time.time() - 3600, UTC).isoformat()
    fal.simulator.advance(2 * 86400)

    assert ids(listed(fal)) == []
    assert ids(listed(fal, start=before)) == [request_id]
    assert ids(listed(fal, start=before, end=before)) == []
    assert ids(listed(fal, start=before, request_id=request_id)) == [request_id]
    assert ids(listed(fal, start=before, request_id="other")) == []


def test_an_account_sees_its_own_requests_and_endpoints_only(fal: RunningFace) -> None:
    ended(fal, made(fal))
    fal.simulator.do("accounts", provider="fal", api_key="second")
    stranger = http.get(fal.url + LIST, params={"endpoint_id": ENDPOINT}, headers={"Authorization": "Key second"})

    assert stranger.json()["items"] == []
    assert ids(listed(fal, endpoint_id="fal-ai/kling-video/v3/pro/text-to-video")) == []
    assert len(ids(listed(fal, endpoint_id=f"fal-ai/kling-video/v3/pro/text-to-video,{ENDPOINT}"))) == 1


@pytest.mark.parametrize(
    "asked", [{"endpoint_id": ""}, {"limit": "101"}, {"limit": "x"}, {"start": "yesterday"}, {"cursor": "x"}]
)
def test_a_wrong_question_is_refused(fal: RunningFace, asked: dict[str, str]) -> None:
    assert call(fal, "GET", LIST, params={"endpoint_id": ENDPOINT} | asked).status_code == 422


@pytest.fixture
def receiver(fal: RunningFace) -> Iterator[wire.Peer]:
    with wire.peer() as peer:
        yield peer


def told(fal: RunningFace, receiver: wire.Peer, prompt: str, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
    """Headers and body of the webhooks about a request with this prompt."""
    address = f"{receiver.url}/hints/att_1/token"
    call(fal, "POST", APP + TEXT, params={"fal_webhook": address}, json={"prompt": prompt}).raise_for_status()
    fal.simulator.advance(600)
    wait_for(lambda: len(receiver.requests) >= count)
    found = []
    for request in receiver.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        found.append(({name.lower(): value for name, value in lines}, body))
    return found


def test_the_end_is_told_once_with_a_signature_that_the_adapter_believes(fal: RunningFace, receiver: wire.Peer) -> None:
    ((headers, body),) = told(fal, receiver, "a heron")
    account = fal_at(fal)
    said = json.loads(body)

    assert receiver.requests[0].startswith(b"POST /hints/att_1/token ")
    assert said["status"] == "OK"
    assert said["payload"]["video"]["content_type"] == "video/mp4"
    assert Fal().read_callback(account, headers, body, datetime.now(UTC)) == said["request_id"]
    with pytest.raises(CallbackRefused):
        Fal().read_callback(account, headers, body + b" ", datetime.now(UTC))
    assert [row["external_id"] for row in fal.see("tasks")["tasks"]] == ["att_1"]


def test_a_failure_is_told_as_an_error(fal: RunningFace, receiver: wire.Peer) -> None:
    ((_, body),) = told(fal, receiver, "a heron [sim:fail content]")
    said = json.loads(body)

    assert (said["status"], said["error"]) == ("ERROR", "Unexpected status code: 422")
    assert said["payload"]["detail"][0]["type"] == "content_policy_violation"


def test_a_webhook_can_be_lost_doubled_and_signed_wrongly(fal: RunningFace, receiver: wire.Peer) -> None:
    account = fal_at(fal)
    told(fal, receiver, "a heron [sim:callback-lost]", count=0)
    ((headers, body), _) = told(fal, receiver, "a heron [sim:callback-twice] [sim:callback-bad-signature]", count=2)

    with pytest.raises(CallbackRefused):
        Fal().read_callback(account, headers, body, datetime.now(UTC))


def test_a_webhook_that_nobody_takes_is_sent_again(fal: RunningFace) -> None:
    fal.simulator.do("settings", speed=1000)
    with wire.peer(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n") as peer:
        told(fal, peer, "a heron", count=5)
    assert {row["outcome"] for row in fal.see("callbacks")["callbacks"]} >= {"503"}


def test_the_keys_are_public_and_survive_a_reset_and_a_kill(tmp_path: Path) -> None:
    running = RunningSimulator(tmp_path)
    running.start()
    url = running.face("fal").url + "/.well-known/jwks.json"
    before = http.get(url).json()
    running.do("reset")
    after_reset = http.get(url).json()
    running.kill()
    running.start()
    after_kill = http.get(url).json()
    running.kill()

    assert before == after_reset == after_kill
    assert [key["crv"] for key in before["keys"]] == ["Ed25519"]


def test_the_list_asks_for_a_key(fal: RunningFace) -> None:
    assert http.get(fal.url + LIST, params={"endpoint_id": ENDPOINT}).status_code == 401
