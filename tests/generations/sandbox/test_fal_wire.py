"""The simulated fal answers as fal does: statuses, bodies, headers, refusals, prices."""

from typing import Any

import httpx
import pytest

from generations.sandbox.fal.endpoints import ENDPOINTS
from generations.sandbox.store import API_KEY
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for
from tests.plain_http import http

KEY = {"Authorization": f"Key {API_KEY}"}
APP = "/fal-ai/kling-video"
TEXT = "/v3/standard/text-to-video"
IMAGE = "http://127.0.0.1:9/x.png"
CLIP = "http://127.0.0.1:9/x.mp4"
ELEMENT = {"frontal_image_url": IMAGE, "reference_image_urls": [IMAGE]}
HOUR = 3600


@pytest.fixture
def fal(simulator: RunningSimulator) -> RunningFace:
    return simulator.face("fal")


def call(fal: RunningFace, method: str, path: str, **more: Any) -> httpx.Response:
    return http.request(method, fal.url + path, headers=KEY, timeout=30, **more)


def create(fal: RunningFace, path: str = TEXT, **fields: Any) -> httpx.Response:
    return call(fal, "POST", APP + path, json={"prompt": "a heron"} | fields)


def made(fal: RunningFace, path: str = TEXT, **fields: Any) -> str:
    answer = create(fal, path, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["request_id"])


def status(fal: RunningFace, request_id: str) -> httpx.Response:
    return call(fal, "GET", f"{APP}/requests/{request_id}/status?logs=0")


def result(fal: RunningFace, request_id: str) -> httpx.Response:
    return call(fal, "GET", f"{APP}/requests/{request_id}")


def ended(fal: RunningFace, request_id: str) -> dict[str, Any]:
    """The status once the request has ended."""
    fal.simulator.advance(600)

    def done() -> dict[str, Any] | None:
        answer = status(fal, request_id)
        return answer.json() if answer.status_code == 200 else None

    found: dict[str, Any] = wait_for(done)
    return found


def test_a_create_is_answered_with_addresses_under_owner_and_app(fal: RunningFace) -> None:
    answer = create(fal)
    body = answer.json()

    assert answer.status_code == 200
    address = f"{fal.url}{APP}/requests/{body['request_id']}"
    assert body == {
        "request_id": body["request_id"],
        "gateway_request_id": body["request_id"],
        "status": "IN_QUEUE",
        "queue_position": 0,
        "response_url": address,
        "status_url": f"{address}/status",
        "cancel_url": f"{address}/cancel",
    }
    assert answer.headers["x-fal-request-id"] == body["request_id"]


def test_a_request_waits_runs_and_is_completed(fal: RunningFace) -> None:
    fal.simulator.do("settings", speed=2)
    request_id = made(fal)
    waiting = status(fal, request_id)
    assert (waiting.status_code, waiting.json()["status"], waiting.json()["queue_position"]) == (202, "IN_QUEUE", 0)
    fal.simulator.advance(10)
    running = status(fal, request_id)
    assert (running.status_code, running.json()["status"], running.json()["logs"]) == (202, "IN_PROGRESS", None)
    assert result(fal, request_id).status_code == 400
    done = ended(fal, request_id)
    assert done["status"] == "COMPLETED"
    assert done["metrics"]["inference_time"] > 0
    assert "error" not in done


def test_a_result_has_the_video_and_the_units(fal: RunningFace) -> None:
    request_id = made(fal, duration="7")
    ended(fal, request_id)
    answer = result(fal, request_id)

    assert answer.status_code == 200
    assert (answer.headers["x-fal-billable-units"], answer.headers["x-fal-request-id"]) == ("7", request_id)
    video = answer.json()["video"]
    assert video["content_type"] == "video/mp4"
    assert http.get(video["url"]).headers["content-type"] == "video/mp4"


def test_a_result_is_gone_after_an_hour_and_the_status_is_not(fal: RunningFace) -> None:
    request_id = made(fal)
    ended(fal, request_id)
    fal.simulator.advance(HOUR - 10)
    assert result(fal, request_id).status_code == 200
    fal.simulator.advance(20)
    gone = result(fal, request_id)
    assert (gone.status_code, gone.json()) == (404, {"detail": "Not found"})
    assert status(fal, request_id).json()["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("fault", "code", "kind", "retryable"),
    [
        ("content", 422, "content_policy_violation", "false"),
        ("image", 422, "image_too_small", "false"),
        ("format", 422, "unsupported_image_format", "false"),
        ("download", 422, "file_download_error", "false"),
        ("large", 422, "file_too_large", "false"),
        ("face", 422, "face_detection_error", "false"),
        ("video", 422, "unsupported_video_format", "false"),
        ("internal", 500, "internal_server_error", "true"),
        ("Kling said no", 422, "downstream_service_error", "true"),
    ],
)
def test_a_failure_is_completed_and_its_result_says_why(
    fal: RunningFace, fault: str, code: int, kind: str, retryable: str
) -> None:
    request_id = made(fal, prompt=f"a heron [sim:fail {fault}]")
    done = ended(fal, request_id)
    answer = result(fal, request_id)

    assert (done["status"], "error" in done) == ("COMPLETED", False)
    assert answer.status_code == code
    (entry,) = answer.json()["detail"]
    assert (entry["type"], entry["url"]) == (kind, f"https://docs.fal.ai/errors#{kind}")
    assert (answer.headers["x-fal-error-type"], answer.headers["x-fal-retryable"]) == (kind, retryable)
    assert fal.see("ledger") == {"charges": [], "milliunits": 0}


def test_a_request_that_the_queue_ends_says_so_in_its_status(fal: RunningFace) -> None:
    request_id = made(fal, prompt="a heron [sim:fail timeout]")
    done = ended(fal, request_id)

    assert (done["error"], done["error_type"]) == ("Request timed out", "request_timeout")
    answer = result(fal, request_id)
    assert (answer.status_code, answer.json()) == (
        504,
        {"detail": "Request timed out", "error_type": "request_timeout"},
    )


def test_two_run_and_the_third_waits_until_one_ends(fal: RunningFace) -> None:
    fal.simulator.do("settings", speed=1)
    ids = [made(fal) for _ in range(4)]
    fal.simulator.do("finish", task_id=ids[0])

    def states() -> list[str]:
        return [row["state"] for row in sorted(fal.see("tasks")["tasks"], key=lambda row: ids.index(row["id"]))]

    wait_for(lambda: states()[0] == "succeeded")
    fal.simulator.advance(15)
    wait_for(lambda: states()[2] == "processing")
    assert states()[3] == "submitted"
    assert status(fal, ids[3]).json()["queue_position"] == 0


def test_what_waits_can_be_cancelled_and_what_runs_runs_on(fal: RunningFace) -> None:
    fal.change_account(slots=1)
    fal.simulator.do("settings", speed=1)
    running, waiting = made(fal), made(fal)
    fal.simulator.advance(15)
    wait_for(lambda: status(fal, running).json()["status"] == "IN_PROGRESS")

    def cancel(request_id: str) -> tuple[int, dict[str, str]]:
        answer = call(fal, "PUT", f"{APP}/requests/{request_id}/cancel")
        return answer.status_code, answer.json()

    assert cancel(running) == cancel(waiting) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert status(fal, running).json()["status"] == "IN_PROGRESS"
    done = status(fal, waiting)
    assert (done.status_code, done.json()["error_type"]) == (200, "client_cancelled")
    assert done.json()["metrics"] == {"inference_time": None}
    assert result(fal, waiting).status_code == 499
    assert cancel(waiting) == (400, {"status": "ALREADY_COMPLETED"})
    assert cancel("nobody") == (404, {"status": "NOT_FOUND"})


@pytest.mark.parametrize("authorization", [None, f"Bearer {API_KEY}", "Key wrong", "Key"])
def test_a_wrong_key_is_refused(fal: RunningFace, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for method, path in (("POST", APP + TEXT), ("GET", f"{APP}/requests/x/status")):
        answer = http.request(method, fal.url + path, headers=headers, json={"prompt": "x"})
        assert answer.status_code == 401
    assert fal.see("requests")["requests"] == []


def test_an_account_without_money_is_locked(fal: RunningFace) -> None:
    fal.change_account(units=0.419)
    answer = create(fal, generate_audio=False)

    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("User is locked. Reason: Exhausted balance.")
    fal.change_account(units=0.42)
    assert create(fal, generate_audio=False).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields", "place"),
    [
        (TEXT, {"prompt": None}, ["prompt"]),
        (TEXT, {"prompt": " "}, ["prompt"]),
        (TEXT, {"prompt": "x" * 2501}, ["prompt"]),
        (TEXT, {"duration": 5}, ["duration"]),
        (TEXT, {"duration": "2"}, ["duration"]),
        (TEXT, {"aspect_ratio": "4:3"}, ["aspect_ratio"]),
        (TEXT, {"generate_audio": "on"}, ["generate_audio"]),
        (TEXT, {"shot_type": "intelligence"}, ["shot_type"]),
        (TEXT, {"elements": [ELEMENT]}, ["elements"]),
        (TEXT, {"multi_prompt": [{"prompt": "x", "duration": "5"}]}, ["prompt"]),
        (TEXT, {"prompt": None, "multi_prompt": [{"prompt": "x", "duration": 5}]}, ["multi_prompt", 0, "duration"]),
        (TEXT, {"prompt": None, "multi_prompt": [{"prompt": "x", "duration": "4"}]}, ["multi_prompt"]),
        ("/v3/pro/image-to-video", {}, ["start_image_url"]),
        ("/v3/pro/image-to-video", {"start_image_url": "x"}, ["start_image_url"]),
        ("/v3/pro/image-to-video", {"start_image_url": IMAGE, "aspect_ratio": "1:1"}, ["aspect_ratio"]),
        (
            "/v3/pro/image-to-video",
            {
                "prompt": None,
                "start_image_url": IMAGE,
                "end_image_url": IMAGE,
                "multi_prompt": [{"prompt": "x", "duration": "5"}],
            },
            ["end_image_url"],
        ),
        (
            "/v3/pro/image-to-video",
            {"start_image_url": IMAGE, "elements": [{"frontal_image_url": IMAGE}]},
            ["reference_image_urls"],
        ),
        (
            "/v3/pro/image-to-video",
            {"start_image_url": IMAGE, "elements": [{"video_url": CLIP}, {"video_url": CLIP}]},
            ["elements"],
        ),
        (
            "/v3/pro/motion-control",
            {"image_url": IMAGE, "video_url": CLIP},
            ["character_orientation"],
        ),
        (
            "/v3/pro/motion-control",
            {"image_url": IMAGE, "video_url": CLIP, "character_orientation": "image", "elements": [ELEMENT]},
            ["elements"],
        ),
        ("/o3/pro/text-to-video", {"negative_prompt": ""}, ["negative_prompt"]),
        ("/o3/pro/video-to-video/edit", {}, ["video_url"]),
        ("/o3/pro/video-to-video/edit", {"video_url": CLIP, "image_urls": [IMAGE] * 5}, ["image_urls"]),
        ("/o1/image-to-video", {"start_image_url": IMAGE, "duration": "11"}, ["duration"]),
    ],
)
def test_a_wrong_body_is_refused_by_its_field(
    fal: RunningFace, path: str, fields: dict[str, Any], place: list[str | int]
) -> None:
    body = {name: value for name, value in ({"prompt": "a heron"} | fields).items() if value is not None}
    answer = call(fal, "POST", APP + path, json=body)

    assert answer.status_code == 422
    (entry,) = answer.json()["detail"]
    assert entry["type"] == "value_error"
    assert entry["loc"][0] == "body"
    assert entry["loc"][-len(place) :] == place
    assert fal.see("tasks")["tasks"] == []


@pytest.mark.parametrize("path", ["/v3/8k/text-to-video", "/o3/4k/video-to-video/edit", "/v9/pro/text-to-video"])
def test_an_endpoint_that_is_not_there(fal: RunningFace, path: str) -> None:
    assert create(fal, path, video_url=CLIP).status_code == 404


def test_a_body_that_is_no_json_is_refused(fal: RunningFace) -> None:
    answer = call(fal, "POST", APP + TEXT, content=b"{")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body"])


def billed(fal: RunningFace, path: str, **fields: Any) -> int:
    ended(fal, made(fal, path, **fields))
    return int(fal.see("ledger")["milliunits"])


def test_sound_is_on_and_billed_unless_it_is_switched_off(fal: RunningFace) -> None:
    with_sound = billed(fal, TEXT)
    assert with_sound == 5 * 126
    assert billed(fal, TEXT, generate_audio=False) - with_sound == 5 * 84


@pytest.mark.parametrize(
    ("path", "fields", "cost"),
    [
        ("/v3/pro/text-to-video", {"generate_audio": False}, 560),
        ("/v3/4k/text-to-video", {"duration": "3"}, 1260),
        ("/v3/standard/image-to-video", {"start_image_url": IMAGE, "generate_audio": False}, 420),
        (
            "/v3/pro/motion-control",
            {"image_url": IMAGE, "video_url": CLIP, "character_orientation": "image"},
            840,
        ),
        (
            "/v2.6/standard/motion-control",
            {"image_url": IMAGE, "video_url": CLIP, "character_orientation": "image"},
            350,
        ),
        ("/o3/pro/text-to-video", {}, 700),
        ("/o3/standard/image-to-video", {"image_url": IMAGE, "generate_audio": False}, 420),
        ("/o3/4k/reference-to-video", {"image_urls": [IMAGE], "elements": [ELEMENT]}, 2100),
        ("/o3/standard/video-to-video/reference", {"video_url": CLIP, "duration": "10"}, 1260),
        ("/o3/pro/video-to-video/edit", {"video_url": CLIP}, 840),
        ("/o1/image-to-video", {"start_image_url": IMAGE, "end_image_url": IMAGE, "duration": "10"}, 1120),
        ("/o1/video-to-video/edit", {"video_url": CLIP}, 840),
    ],
)
def test_each_endpoint_has_its_price(fal: RunningFace, path: str, fields: dict[str, Any], cost: int) -> None:
    assert billed(fal, path, **fields) == cost


def test_every_endpoint_is_in_the_price_test() -> None:
    (mark,) = [mark for mark in test_each_endpoint_has_its_price.pytestmark if mark.name == "parametrize"]
    tried = {path.replace("/standard/", "/{tier}/").replace("/pro/", "/{tier}/") for path, *_ in mark.args[1]}
    assert {path.replace("/4k/", "/{tier}/") for path in tried} | {"/v3/{tier}/text-to-video"} == set(ENDPOINTS)
