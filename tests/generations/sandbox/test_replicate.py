"""The face of Replicate over real HTTP: its bodies, its problems, its list, and what it forgets after an hour."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from generations.sandbox.store import API_KEY
from tests.generations import wire
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for
from tests.plain_http import http

KEY = {"authorization": f"Bearer {API_KEY}"}
VIDEO, OMNI, MOTION = "kling-v3-video", "kling-v3-omni-video", "kling-v3-motion-control"
AWAY = "http://127.0.0.1:9"


@pytest.fixture
def replicate(simulator: RunningSimulator) -> RunningFace:
    simulator.do("settings", media="off")
    return simulator.face("replicate")


def call(face: RunningFace, path: str, body: Any = None, method: str = "", headers: Any = KEY) -> httpx.Response:
    content = None if body is None else json.dumps(body)
    verb = method or ("GET" if body is None else "POST")
    return http.request(verb, face.url + path, content=content, headers=headers)


def create(face: RunningFace, model: str = VIDEO, webhook: str = "", **fields: Any) -> httpx.Response:
    given: dict[str, Any] = {"prompt": "a heron"} | fields
    body = {"input": {name: value for name, value in given.items() if value is not ...}}
    return call(face, f"/models/kwaivgi/{model}/predictions", body | ({"webhook": webhook} if webhook else {}))


def get(face: RunningFace, upstream_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = call(face, f"/predictions/{upstream_id}").json()
    return answer


def ended(face: RunningFace, upstream_id: str) -> dict[str, Any]:
    face.simulator.do("finish", task_id=upstream_id)
    return get(face, upstream_id)


def test_a_create_answers_201_with_the_whole_prediction(replicate: RunningFace) -> None:
    answer = create(replicate, webhook=f"{AWAY}/hints/att_1/token", mode="standard")
    row = answer.json()

    assert answer.status_code == 201
    assert len(row["id"]) == 26
    assert datetime.fromisoformat(row["created_at"]).tzinfo is not None
    assert row == {
        "id": row["id"],
        "model": "kwaivgi/kling-v3-video",
        "version": "hidden",
        "input": {"prompt": "a heron", "mode": "standard"},
        "logs": "",
        "output": None,
        "data_removed": False,
        "error": None,
        "source": "api",
        "status": "starting",
        "created_at": row["created_at"],
        "started_at": None,
        "completed_at": None,
        "metrics": {},
        "urls": {
            "get": f"{replicate.url}/predictions/{row['id']}",
            "cancel": f"{replicate.url}/predictions/{row['id']}/cancel",
        },
    }
    assert replicate.simulator.creates() == {"att_1": {"requests": 1, "tasks": 1}}


def test_a_prediction_starts_is_processed_and_succeeds_with_one_address(replicate: RunningFace) -> None:
    row = create(replicate, mode="standard").json()
    seen = {row["status"]}

    def done() -> dict[str, Any] | None:
        found = get(replicate, row["id"])
        seen.add(found["status"])
        return found if found["status"] == "succeeded" else None

    found = wait_for(done)
    assert seen == {"starting", "processing", "succeeded"}
    assert found["metrics"]["video_output_duration_seconds"] == 5
    assert found["started_at"] < found["completed_at"]
    film = http.get(found["output"])
    assert (film.headers["content-type"], film.content[4:8]) == ("video/mp4", b"ftyp")


def test_what_is_not_sent_is_charged_by_its_default(replicate: RunningFace) -> None:
    create(replicate)
    create(replicate, mode="standard", generate_audio=True, duration=10)
    create(replicate, OMNI, mode="4k", duration=3)
    create(replicate, MOTION, image=f"{AWAY}/a.png", video=f"{AWAY}/a.mp4")
    replicate.simulator.advance(600)

    assert [task["milliunits"] for task in replicate.see("tasks")["tasks"]] == [5 * 224, 10 * 252, 3 * 420, 5 * 120]
    assert replicate.see("ledger")["milliunits"] == 5 * 224 + 10 * 252 + 3 * 420 + 5 * 120


@pytest.mark.parametrize(
    ("model", "fields", "problems"),
    [
        (VIDEO, {"prompt": ...}, [("required", "input", "prompt is required")]),
        (
            VIDEO,
            {"duration": 16, "mode": "std"},
            [
                ("enum", "input.mode", 'mode must be one of the following: "standard", "pro", "4k"'),
                ("number_lte", "input.duration", "Must be less than or equal to 15"),
            ],
        ),
        (VIDEO, {"duration": 2}, [("number_gte", "input.duration", "Must be greater than or equal to 3")]),
        (
            VIDEO,
            {"duration": "5"},
            [("invalid_type", "input.duration", "Invalid type. Expected: integer, given: string")],
        ),
        (
            VIDEO,
            {"generate_audio": 1},
            [("invalid_type", "input.generate_audio", "Invalid type. Expected: boolean, given: integer")],
        ),
        (
            VIDEO,
            {"negative_prompt": None},
            [("invalid_type", "input.negative_prompt", "Invalid type. Expected: string, given: null")],
        ),
        (
            VIDEO,
            {"prompt": "x" * 2501},
            [("string_lte", "input.prompt", "String length must be less than or equal to 2500")],
        ),
        (VIDEO, {"start_image": "a.png"}, [("format", "input.start_image", "Does not match format 'uri'")]),
        (VIDEO, {"end_image": f"{AWAY}/a.png"}, [("invalid", "input.end_image", "requires start_image")]),
        (
            VIDEO,
            {"reference_images": []},
            [("additional_property_not_allowed", "input", "Additional property reference_images is not allowed")],
        ),
        (
            OMNI,
            {"negative_prompt": ""},
            [("additional_property_not_allowed", "input", "Additional property negative_prompt is not allowed")],
        ),
        (
            OMNI,
            {"reference_images": ["a.png", 7]},
            [
                ("format", "input.reference_images.0", "Does not match format 'uri'"),
                ("invalid_type", "input.reference_images.1", "Invalid type. Expected: string, given: integer"),
            ],
        ),
        (
            OMNI,
            {"reference_images": [AWAY] * 8},
            [("array_max_items", "input.reference_images", "Array must have at most 7 items")],
        ),
        (
            MOTION,
            {"mode": "standard"},
            [
                ("required", "input", "image is required"),
                ("required", "input", "video is required"),
                ("enum", "input.mode", 'mode must be one of the following: "std", "pro"'),
            ],
        ),
        (VIDEO, {"multi_prompt": "[{"}, [("invalid", "input.multi_prompt", "must be valid JSON")]),
        (
            VIDEO,
            {"multi_prompt": '[{"prompt": "a", "duration": 4}]'},
            [("invalid", "input.multi_prompt", "the durations must add up to duration")],
        ),
        (
            VIDEO,
            {"multi_prompt": '[{"prompt": "a", "duration": "5"}]'},
            [("invalid", "input.multi_prompt", "must be an array of 1 to 6 shots with prompt and duration")],
        ),
    ],
)
def test_wrong_input_is_refused_field_by_field(
    replicate: RunningFace, model: str, fields: dict[str, Any], problems: list[tuple[str, str, str]]
) -> None:
    answer = create(replicate, model, **fields)

    assert answer.status_code == 422
    assert answer.json() == {
        "status": 422,
        "title": "Input validation failed",
        "detail": "".join(f"- {field}: {why}\n" for _, field, why in problems),
        "invalid_fields": [{"type": kind, "field": field, "description": why} for kind, field, why in problems],
    }
    assert replicate.see("tasks")["tasks"] == []


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "- input is required\n"),
        ([], "- Invalid type. Expected: object, given: array\n"),
        ({"input": "x"}, "- input: Invalid type. Expected: object, given: string\n"),
        ({"input": {"prompt": "x"}, "version": "1"}, "- Additional property version is not allowed\n"),
        ({"input": {"prompt": "x"}, "webhook": "nowhere"}, "- webhook: Does not match format 'uri'\n"),
    ],
)
def test_a_body_that_is_none_is_refused(replicate: RunningFace, body: Any, detail: str) -> None:
    answer = call(replicate, f"/models/kwaivgi/{VIDEO}/predictions", body)

    assert (answer.status_code, answer.json()["detail"]) == (422, detail)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Token {API_KEY}"}])
@pytest.mark.parametrize("path", ["/predictions", "/predictions/x", "/webhooks/default/secret"])
def test_only_a_known_key_may_ask(replicate: RunningFace, path: str, headers: dict[str, str]) -> None:
    answer = call(replicate, path, headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {
        "status": 401,
        "title": "Unauthenticated",
        "detail": "You did not pass a valid authentication token",
    }


def test_what_does_not_exist_is_404_in_replicates_words(replicate: RunningFace) -> None:
    problem = {"status": 404, "detail": "The requested resource could not be found."}
    paths = ("/predictions/stranger", "/models/kwaivgi/kling-v9/predictions", "/nothing")

    assert [call(replicate, path).json() for path in paths] == [problem] * 3
    assert call(replicate, "/models/kwaivgi/kling-v9/predictions", {"input": {}}).status_code == 404


def test_another_accounts_predictions_are_not_there(replicate: RunningFace) -> None:
    replicate.simulator.do("accounts", provider="replicate", api_key="other")
    row = create(replicate).json()
    other = {"authorization": "Bearer other"}

    assert call(replicate, f"/predictions/{row['id']}", headers=other).status_code == 404
    assert call(replicate, "/predictions", headers=other).json()["results"] == []


def test_without_credit_a_create_is_402(replicate: RunningFace) -> None:
    replicate.change_account(units=1)
    answer = create(replicate, mode="standard", duration=6)

    assert answer.status_code == 402
    assert answer.json()["title"] == "Insufficient credit"
    assert answer.json()["detail"].startswith("You have insufficient credit to run this model. ")
    assert create(replicate, mode="standard", duration=5).status_code == 201


def test_more_than_600_creates_a_minute_are_throttled(replicate: RunningFace) -> None:
    with httpx.Client(base_url=replicate.url, headers=KEY, trust_env=False) as client:
        body = {"input": {"prompt": "a heron"}}
        path = f"/models/kwaivgi/{VIDEO}/predictions"
        statuses = [client.post(path, json=body).status_code for _ in range(601)]
        answer = client.post(path, json=body)

    assert statuses == [201] * 600 + [429]
    assert answer.json() == {
        "status": 429,
        "detail": "Request was throttled. Your rate limit resets in ~30s.",
    }


def test_an_hour_after_its_end_a_prediction_shows_no_data(replicate: RunningFace) -> None:
    row = create(replicate, mode="standard").json()
    done = ended(replicate, row["id"])
    replicate.simulator.advance(3500)
    assert get(replicate, row["id"])["output"] == done["output"]

    replicate.simulator.advance(200)
    removed = get(replicate, row["id"])
    assert (removed["status"], removed["data_removed"]) == ("succeeded", True)
    assert (removed["output"], removed["input"], removed["logs"]) == (None, {}, None)
    assert call(replicate, "/predictions").json()["results"] == [removed]
    assert http.get(done["output"]).status_code == 404


def test_work_that_runs_keeps_its_data_however_long(replicate: RunningFace) -> None:
    row = create(replicate, prompt="x [sim:late-success]").json()
    replicate.simulator.advance(7200)

    assert get(replicate, row["id"])["input"] == {"prompt": "x [sim:late-success]"}


def test_the_list_has_pages_of_a_hundred_newest_first(replicate: RunningFace) -> None:
    made = [create(replicate, prompt=str(number)).json()["id"] for number in range(205)]
    pages: list[list[str]] = []
    address: str | None = f"{replicate.url}/predictions"
    while address is not None:
        page = http.get(address, headers=KEY).json()
        pages.append([row["id"] for row in page["results"]])
        address = page["next"]

    assert [len(page) for page in pages] == [100, 100, 5]
    assert [upstream_id for page in pages for upstream_id in page] == made[::-1]
    broken = call(replicate, "/predictions?cursor=broken")
    assert (broken.status_code, broken.json()["detail"]) == (404, "Invalid cursor")


def test_a_cancelled_prediction_is_charged_for_the_time_it_ran(replicate: RunningFace) -> None:
    replicate.simulator.do("settings", speed=1)
    waits, runs, done = (create(replicate, mode="standard").json()["id"] for _ in range(3))
    answer = call(replicate, f"/predictions/{waits}/cancel", method="POST")
    assert (answer.status_code, answer.json()["status"], answer.json()["started_at"]) == (200, "canceled", None)

    ended(replicate, done)
    replicate.simulator.advance(66)
    cancelled = call(replicate, f"/predictions/{runs}/cancel", method="POST").json()
    assert (cancelled["status"], cancelled["output"]) == ("canceled", None)
    assert call(replicate, f"/predictions/{done}/cancel", method="POST").json()["status"] == "succeeded"

    charges = {charge["task_id"]: charge["milliunits"] for charge in replicate.see("ledger")["charges"]}
    assert charges.keys() == {runs, done}
    assert (charges[done], charges[runs]) == (840, pytest.approx(420, abs=20))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (
            "content",
            "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
        ),
        ("download", "ModelError: Failed to download the reference image"),
        ("internal", "Prediction failed for an unknown reason. It might have run out of memory? (E1001)"),
        ("a sentence of its own", "a sentence of its own"),
    ],
)
def test_a_failed_prediction_says_why_and_costs_nothing(replicate: RunningFace, fault: str, error: str) -> None:
    row = create(replicate, prompt=f"x [sim:fail {fault}]").json()
    failed = ended(replicate, row["id"])

    assert (failed["status"], failed["error"], failed["output"]) == ("failed", error, None)
    assert replicate.see("ledger")["charges"] == []


def received(receiver: wire.Peer) -> tuple[dict[str, str], str]:
    """The one callback that came: its headers and its body."""
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in lines}, body.decode()


def told(replicate: RunningFace, make: Callable[[str], httpx.Response]) -> tuple[dict[str, str], str]:
    """What the receiver of a prediction's end was told."""
    with wire.peer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as receiver:
        row = make(f"{receiver.url}/hints/att_1/token").json()
        replicate.simulator.do("finish", task_id=row["id"])
        wait_for(lambda: replicate.see("callbacks")["callbacks"])
        return received(receiver)


def test_its_end_is_told_once_signed_with_the_secret_that_it_gives_out(replicate: RunningFace) -> None:
    def make(webhook: str) -> httpx.Response:
        body = {"input": {"prompt": "x"}, "webhook": webhook, "webhook_events_filter": ["completed"]}
        return call(replicate, f"/models/kwaivgi/{VIDEO}/predictions", body)

    headers, body = told(replicate, make)
    secret = call(replicate, "/webhooks/default/secret").json()["key"]

    assert secret.startswith("whsec_")
    told_of = Webhook(secret).verify(body, headers)
    (task,) = replicate.see("tasks")["tasks"]
    assert (told_of["id"], told_of["status"]) == (task["id"], "succeeded")
    assert told_of["output"].endswith(f"/results/{task['id']}.mp4")


def test_without_a_filter_its_start_is_told_as_well(replicate: RunningFace) -> None:
    create(replicate, webhook=f"{AWAY}/hints/att_1/token")
    replicate.simulator.do("settings", speed=10_000)

    states = wait_for(lambda: {row["state"] for row in replicate.see("callbacks")["callbacks"]} - {"processing"})
    assert states == {"succeeded"}
    assert {row["state"] for row in replicate.see("callbacks")["callbacks"]} == {"processing", "succeeded"}


def test_a_forged_callback_does_not_verify(replicate: RunningFace) -> None:
    def make(webhook: str) -> httpx.Response:
        body = {"input": {"prompt": "x [sim:callback-bad-signature]"}, "webhook": webhook}
        return call(replicate, f"/models/kwaivgi/{VIDEO}/predictions", body | {"webhook_events_filter": ["completed"]})

    headers, body = told(replicate, make)
    with pytest.raises(WebhookVerificationError):
        Webhook(call(replicate, "/webhooks/default/secret").json()["key"]).verify(body, headers)
