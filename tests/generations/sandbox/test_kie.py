"""The face of kie.ai: HTTP 200 to everything, a code in the body, JSON written as text, and limits that refuse."""

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from generations.providers.base import Handle, OutcomeUnknown, Progress, query_client
from generations.providers.kie import Kie
from generations.sandbox.kie import KIE
from tests.generations import wire
from tests.generations.providers.requests import from_image, video
from tests.generations.providers.test_kie_bodies import ADA, BOB, EVE, SHOTS, TURBO_IMAGE, TURBO_TEXT, motion
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for
from tests.plain_http import http

AWAY = "http://127.0.0.1:9"
KEY = {"Authorization": "Bearer demo"}


@pytest.fixture
def kie(simulator: RunningSimulator) -> RunningFace:
    return simulator.face("kie")


def plain(**changes: Any) -> dict[str, Any]:
    """The `input` of a plain clip."""
    given = {"prompt": "a heron", "mode": "std", "duration": "5", "sound": False, "multi_shots": False}
    return given | {"aspect_ratio": "16:9"} | changes


def call(kie: RunningFace, body: Any, headers: dict[str, str] = KEY) -> dict[str, Any]:
    """The answer to a create, whose HTTP status says nothing."""
    answer = http.post(f"{kie.url}/api/v1/jobs/createTask", json=body, headers=headers)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def create(kie: RunningFace, model: str = "kling-3.0/video", to: str = f"{AWAY}/hints/att_1/x", **changes: Any) -> Any:
    return call(kie, {"model": model, "callBackUrl": to, "input": plain(**changes)})


def query(kie: RunningFace, path: str) -> dict[str, Any]:
    answer = http.get(kie.url + path, headers=KEY)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def record(kie: RunningFace, task_id: str) -> dict[str, Any]:
    row: dict[str, Any] = query(kie, f"/api/v1/jobs/recordInfo?taskId={task_id}")["data"]
    return row


def ended(kie: RunningFace, task_id: str) -> dict[str, Any]:
    kie.simulator.advance(600)

    def row() -> dict[str, Any] | None:
        found = record(kie, task_id)
        return found if found["state"] in ("success", "fail") else None

    found: dict[str, Any] = wait_for(row)
    return found


def check(kie: RunningFace, task_id: str) -> Progress:
    """As the adapter polls it."""

    async def ask() -> dict[str, Progress]:
        async with query_client() as client:
            return await Kie().check_many(client, kie.account, [Handle(upstream_id=task_id, route="kling-3.0/video")])

    return asyncio.run(ask())[task_id]


def test_a_task_waits_generates_and_succeeds_with_its_result_written_as_text(kie: RunningFace) -> None:
    kie.simulator.do("settings", speed=1)
    made = create(kie)
    assert made == {"code": 200, "msg": "success", "data": {"taskId": made["data"]["taskId"]}}
    task_id = made["data"]["taskId"]

    row = record(kie, task_id)
    assert (row["taskId"], row["model"], row["state"]) == (task_id, "kling-3.0/video", "waiting")
    assert (row["resultJson"], row["creditsConsumed"], row["completeTime"]) == ("", 0.0, 0)
    kie.simulator.advance(60)
    assert record(kie, task_id)["state"] == "generating"

    row = ended(kie, task_id)
    assert json.loads(row["param"])["input"] == plain()
    (url,) = json.loads(row["resultJson"])["resultUrls"]
    assert (row["failCode"], row["failMsg"], row["creditsConsumed"]) == ("", "", 70.0)
    assert http.get(url).headers["content-type"] == "video/mp4"


def test_the_reference_is_read_from_the_callback_address(kie: RunningFace) -> None:
    create(kie)
    create(kie, to="")

    assert [row["external_id"] for row in kie.see("requests")["requests"]] == ["att_1", ""]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "demo"}])
def test_a_wrong_key_is_told_so_with_http_200(kie: RunningFace, headers: dict[str, str]) -> None:
    assert call(kie, {"model": "kling-3.0/video", "input": plain()}, headers)["code"] == 401
    assert kie.see("tasks")["tasks"] == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("kling-3.0/video", {"duration": 5}, "input.duration"),
    ("kling-3.0/video", {"duration": "2"}, "input.duration"),
    ("kling-3.0/video", {"mode": "4k"}, "input.mode"),
    ("kling-3.0/video", {"sound": "on"}, "input.sound"),
    ("kling-3.0/video", {"prompt": "x" * 2501}, "input.prompt"),
    ("kling-3.0/video", {"prompt": None}, "input.prompt"),
    ("kling-3.0/video", {"aspect_ratio": "4:3"}, "input.aspect_ratio"),
    ("kling-3.0/video", {"negative_prompt": "rain"}, "input.negative_prompt"),
    ("kling-3.0/video", {"image_urls": "https://a/b.png"}, "input.image_urls"),
    ("kling-3.0/video", {"image_urls": ["ftp://a/b.png"]}, "input.image_urls"),
    ("kling-3.0/video", {"image_urls": [AWAY] * 3}, "input.image_urls"),
    ("kling-3.0/video", {"image_urls": [AWAY] * 2, "multi_shots": True}, "input.image_urls"),
    ("kling-3.0/video", {"multi_shots": True, "multi_prompt": [{"prompt": "x", "duration": 4}]}, "input.multi_prompt"),
    (
        "kling-3.0/video",
        {"multi_shots": True, "duration": "13", "multi_prompt": [{"prompt": "x", "duration": 13}]},
        "input.multi_prompt[0].duration",
    ),
    (
        "kling-3.0/video",
        {"multi_shots": True, "multi_prompt": [{"prompt": "x" * 501, "duration": 5}]},
        "input.multi_prompt[0].prompt",
    ),
    (
        "kling-3.0/video",
        {"kling_elements": [{"name": "a", "description": "b", "element_input_urls": [AWAY]}]},
        "input.kling_elements[0].element_input_urls",
    ),
    ("kling-3.0/video", {"prompt": "@element_1 waves"}, "input.kling_elements"),
    ("kling-3.0/motion-control", {}, "input.input_urls"),
    ("kling/v3-turbo-text-to-video", {}, "input.mode"),
    ("kling/v3-turbo-image-to-video", {}, "input.image_urls"),
]


@pytest.mark.parametrize(("model", "changes", "place"), WRONG)
def test_an_input_is_read_strictly(kie: RunningFace, model: str, changes: dict[str, Any], place: str) -> None:
    answer = create(kie, model, **changes)

    assert (answer["code"], answer["data"]) == (422, None)
    assert answer["msg"].startswith(place)
    assert kie.see("tasks")["tasks"] == []


@pytest.mark.parametrize(("mode", "wrong"), [("720p", ""), ("1080p", ""), ("std", "mode"), ("pro", "mode")])
def test_the_modes_of_motion_control_are_resolutions(kie: RunningFace, mode: str, wrong: str) -> None:
    given = {"input_urls": [f"{AWAY}/a.png"], "video_urls": [f"{AWAY}/a.mp4"], "mode": mode}
    answer = call(kie, {"model": "kling-3.0/motion-control", "input": given})

    assert (answer["code"], wrong in answer["msg"]) == (422 if wrong else 200, True)


def test_an_unknown_model_or_path_is_404_in_the_body(kie: RunningFace) -> None:
    assert create(kie, "kling-9")["code"] == 404
    assert query(kie, "/api/v1/jobs")["code"] == 404
    assert query(kie, "/api/v1/jobs/recordInfo?taskId=nobody")["msg"] == "recordInfo is null"


def test_the_twenty_first_create_in_ten_seconds_is_refused_and_not_kept(kie: RunningFace) -> None:
    answers = [create(kie)["code"] for _ in range(21)]

    assert answers == [200] * 20 + [429]
    assert len(kie.see("tasks")["tasks"]) == 20
    kie.simulator.advance(10)
    assert create(kie)["code"] == 200


def test_an_account_works_on_so_many_at_once_whatever_the_model(kie: RunningFace) -> None:
    assert KIE.new_account("new").slots == 100
    kie.simulator.do("settings", speed=1)
    kie.change_account(slots=2)
    create(kie)
    given = {"prompt": "a heron", "duration": "5", "resolution": "720p", "aspect_ratio": "16:9"}
    turbo = {"model": "kling/v3-turbo-text-to-video", "input": given}

    assert [call(kie, turbo)["code"], call(kie, turbo)["code"]] == [200, 429]
    kie.simulator.advance(600)
    assert call(kie, turbo)["code"] == 200


def test_only_a_success_is_paid_for(kie: RunningFace) -> None:
    kie.change_account(units=200)
    assert query(kie, "/api/v1/chat/credit") == {"code": 200, "msg": "success", "data": 200.0}
    failed, made = (create(kie, prompt=words)["data"]["taskId"] for words in ("x [sim:fail video]", "x"))

    row = ended(kie, failed)
    assert (row["state"], row["failCode"]) == ("fail", "400")
    assert (row["failMsg"], row["creditsConsumed"]) == ("No valid characters detected in the video", 0.0)
    assert ended(kie, made)["state"] == "success"
    assert query(kie, "/api/v1/chat/credit")["data"] == 130.0
    assert create(kie, sound=True, duration="15")["code"] == 402


def test_a_callback_comes_at_the_end_and_signs_the_id_and_the_time_alone(kie: RunningFace) -> None:
    kie.change_account(webhook_secret="hush")
    with wire.peer() as peer:
        task_id = create(kie, to=f"{peer.url}/hints/att_1/x")["data"]["taskId"]
        row = ended(kie, task_id)
        wait_for(lambda: peer.requests)

    (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    stamp = headers["x-webhook-timestamp"]
    signature = base64.b64encode(hmac.digest(b"hush", f"{task_id}.{stamp}".encode(), hashlib.sha256)).decode()
    assert headers["x-webhook-signature"] == signature
    assert json.loads(body) == {"code": 200, "msg": "success", "data": row}


def test_a_failure_is_called_back_with_its_code(kie: RunningFace) -> None:
    with wire.peer() as peer:
        task_id = create(kie, to=peer.url, prompt="x [sim:fail content]")["data"]["taskId"]
        ended(kie, task_id)
        wait_for(lambda: peer.requests)

    told = json.loads(peer.requests[0].partition(b"\r\n\r\n")[2])
    assert (told["code"], told["data"]["taskId"], told["data"]["failCode"]) == (501, task_id, "422")
    assert b"x-webhook" not in peer.requests[0].lower()


def test_two_months_later_the_record_is_gone_and_after_two_weeks_the_file(kie: RunningFace) -> None:
    task_id = create(kie)["data"]["taskId"]
    url = json.loads(ended(kie, task_id)["resultJson"])["resultUrls"][0]

    kie.simulator.advance(15 * 24 * 3600)
    assert http.get(url).status_code == 404
    assert record(kie, task_id)["state"] == "success"
    kie.simulator.advance(50 * 24 * 3600)
    assert query(kie, f"/api/v1/jobs/recordInfo?taskId={task_id}")["code"] == 422


@pytest.mark.parametrize(
    ("request_", "credits"),
    [
        (video(quality="4k", duration_seconds=3), 201),
        (from_image(elements=(ADA, BOB, EVE), prompt="<<<element_2>>>waves", sound=True), 100),
        (from_image(multi_shot=True, shots=SHOTS, elements=(ADA,), negative_prompt="rain", quality="1080p"), 90),
        (video(multi_shot=True, sound=True), 100),
        (video(model=TURBO_TEXT, quality="1080p"), 112.5),
        (from_image(model=TURBO_IMAGE), 90),
        (motion(), 60),
    ],
)
def test_it_takes_what_the_adapter_sends_and_bills_it(kie: RunningFace, request_: Any, credits: float) -> None:
    kie.simulator.do("settings", media="off")
    accepted = Kie().submit(kie.account, request_)
    row = ended(kie, accepted.upstream_id)

    assert (row["state"], row["creditsConsumed"]) == ("success", credits)
    assert row["model"] == accepted.route


@pytest.mark.parametrize(
    ("fault", "tasks"),
    [("bad-gateway", 0), ("reset-before-body", 0), ("internal-created", 1), ("half-answer", 1), ("garbage", 1)],
)
def test_faults_befall_it_as_any_other(kie: RunningFace, fault: str, tasks: int) -> None:
    kie.script(fault)
    with pytest.raises(OutcomeUnknown):
        Kie().submit(kie.account, video())

    assert len(kie.see("tasks")["tasks"]) == tasks


@pytest.mark.parametrize("fault", ["poll-5xx", "poll-garbage", "wrong-ids", "absent"])
def test_faulty_answers_to_a_query_decide_nothing(kie: RunningFace, fault: str) -> None:
    task_id = create(kie)["data"]["taskId"]
    kie.script(fault)

    with pytest.raises(OutcomeUnknown):
        check(kie, task_id)
    assert check(kie, task_id).upstream_id == task_id
