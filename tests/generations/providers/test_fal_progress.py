"""How accepted work stands at fal: status, result, the list of what has ended."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from generations.providers.base import Account, Cost, Handle, OutcomeUnknown, Output, Progress, Verdict
from generations.providers.fal import Fal, verdicts
from tests.generations.providers.test_fal_refusals import named

ACCOUNT = Account(
    base_url="https://queue.example", credentials={"api_key": "key", "platform_url": "https://list.example"}
)
ROUTE = "/fal-ai/kling-video/v3/pro/text-to-video"
HANDLE = Handle(upstream_id="r-1", route=ROUTE)
REQUEST = "/fal-ai/kling-video/requests/r-1"
VIDEO = {"video": {"url": "https://cdn.example/a.mp4", "content_type": "video/mp4"}}
Handler = Callable[[httpx.Request], httpx.Response]


def says(status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return httpx.Response(status, headers=headers, **content)


DONE = (200, {"status": "COMPLETED", "metrics": {"inference_time": 61.2}})


class Wire:
    """fal at the wire: what it answers to each kind of call, the last of several for ever; and what it was asked."""

    def __init__(self, **answers: httpx.Response | Sequence[httpx.Response]) -> None:
        self.answers = answers
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        kind = "cancel" if request.method == "PUT" else "items" if request.url.host == "list.example" else "result"
        if request.method == "GET" and request.url.path.endswith("/status"):
            kind = "status"
        answer = self.answers[kind]
        first, *rest = [answer] if isinstance(answer, httpx.Response) else answer
        self.answers[kind] = rest or first
        return httpx.Response(first.status_code, headers=first.headers, content=first.content)

    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.host}{request.url.path}" for request in self.asked]


def check_all(handler: Handler, handles: Sequence[Handle]) -> dict[str, Progress]:
    async def ask() -> dict[str, Progress]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
            return await Fal().check_many(client, ACCOUNT, handles)

    return asyncio.run(ask())


def check(wire: Wire) -> Progress:
    return check_all(wire, [HANDLE])["r-1"]


def test_a_request_in_the_queue_waits() -> None:
    wire = Wire(status=says(202, {"status": "IN_QUEUE", "queue_position": 3}))
    standing = check(wire)

    assert (standing.state, standing.state_word, standing.known_word, standing.queued) == (
        "running",
        "IN_QUEUE",
        True,
        True,
    )
    (asked,) = wire.asked
    assert str(asked.url) == f"https://queue.example{REQUEST}/status?logs=0"
    assert asked.headers["authorization"] == "Key key"


def test_a_request_that_runs_no_longer_waits() -> None:
    standing = check(Wire(status=says(202, {"status": "IN_PROGRESS", "logs": []})))

    assert (standing.state, standing.queued, standing.verdict, standing.cost) == ("running", False, None, None)


def test_a_word_that_nobody_knows_means_running() -> None:
    standing = check(Wire(status=says(202, {"status": "IN_REVIEW"})))

    assert (standing.state, standing.state_word, standing.known_word) == ("running", "IN_REVIEW", False)


def test_a_completed_request_has_its_result_and_its_units() -> None:
    wire = Wire(status=says(*DONE), result=says(200, VIDEO, {"x-fal-billable-units": "5.0"}))
    standing = check(wire)

    assert wire.paths() == [f"GET queue.example{REQUEST}/status", f"GET queue.example{REQUEST}"]
    assert standing == Progress(
        upstream_id="r-1",
        state="succeeded",
        state_word="COMPLETED",
        known_word=True,
        outputs=(Output(url="https://cdn.example/a.mp4", upstream_id="r-1", duration_seconds=None),),
        cost=Cost(amount=Decimal("5.0"), unit="unit", currency=""),
    )


@pytest.mark.parametrize("units", [None, "", "NaN", "much", "1e13"])
def test_units_that_cannot_be_read_are_no_cost(units: str | None) -> None:
    headers = {"x-fal-billable-units": units} if units is not None else None
    assert check(Wire(status=says(*DONE), result=says(200, VIDEO, headers))).cost is None


@pytest.mark.parametrize(
    "body", [{}, {"video": None}, {"video": {}}, {"video": {"url": ""}}, {"video": 3}, b"[]", b"{"]
)
def test_a_success_without_its_video_is_not_believed(body: Any) -> None:
    standing = check(Wire(status=says(*DONE), result=says(200, body)))

    assert (standing.state, standing.known_word) == ("running", False)


# type, the code of ours, whether another provider would refuse it too, whether it may work later
TERMINAL = [
    ("content_policy_violation", "content_policy_violation", True, False),
    ("no_media_generated", "generation_failed_no_content", True, False),
    ("image_too_small", "image_dimension_mismatch", True, False),
    ("image_load_error", "image_processing_error", True, False),
    ("file_download_error", "media_unreachable", False, True),
    ("face_detection_error", "face_not_found", True, False),
    ("video_duration_too_short", "video_probe_failed", True, False),
    ("video_duration_too_long", "video_probe_failed", False, False),
    ("value_error", "invalid_parameters", True, False),
    ("internal_server_error", "service_error", False, True),
    ("generation_timeout", "generation_timeout", False, True),
    ("runner_scheduling_failure", "resource_exhausted", False, True),
    ("downstream_service_unavailable", "service_error", False, True),
]


def verdict_of(standing: Progress) -> Verdict:
    assert standing.state == "failed"
    assert standing.verdict is not None
    return standing.verdict


@pytest.mark.parametrize("status", [400, 422, 500, 504])
@pytest.mark.parametrize(("kind", "code", "by_input", "retryable"), TERMINAL)
def test_a_completed_request_may_be_a_failure(
    kind: str, code: str, by_input: bool, retryable: bool, status: int
) -> None:
    standing = check(Wire(status=says(*DONE), result=says(status, named(kind))))
    verdict = verdict_of(standing)

    assert (verdict.code, verdict.by_input, verdict.retryable) == (code, by_input, retryable)
    assert verdict.upstream_message == f"{kind}: It is not right."
    assert standing.state_word == f"COMPLETED {kind}"
    assert verdict.message.endswith(".")
    assert "fal" not in verdict.message.replace("failed", "")


@pytest.mark.parametrize(
    ("status", "code", "by_input"),
    [(422, "invalid_parameters", True), (500, "service_error", False), (504, "service_error", False)],
)
def test_a_type_that_nobody_knows_is_judged_by_its_status(status: int, code: str, by_input: bool) -> None:
    verdict = verdict_of(check(Wire(status=says(*DONE), result=says(status, named("a_type_of_next_year")))))

    assert (verdict.code, verdict.by_input) == (code, by_input)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"error": "Late", "error_type": "startup_timeout"}, "generation_timeout"),
        ({"error": "Stopped", "error_type": "client_cancelled"}, "request_cancelled"),
        ({"error": "content_policy_violation in prompt"}, "content_policy_violation"),
        ({"error": "Something nobody has seen"}, "service_error"),
        ({"error_type": "a_type_of_next_year"}, "service_error"),
    ],
)
def test_the_status_may_say_so_already(words: dict[str, str], code: str) -> None:
    wire = Wire(status=says(200, {"status": "COMPLETED"} | words))

    assert verdict_of(check(wire)).code == code
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("message", "header", "code", "by_input", "retryable"),
    [
        ("Kling says: internal error", "true", "service_error", False, True),
        ("Kling says: internal error", "false", "service_error", False, False),
        ("Kling says: internal error", None, "service_error", False, True),
        ("Failure to pass the risk control system", "true", "content_policy_violation", True, False),
        ("Image pixel is invalid", "false", "image_dimension_mismatch", True, False),
    ],
)
def test_what_failed_behind_fal_is_read_from_its_words(
    message: str, header: str | None, code: str, by_input: bool, retryable: bool
) -> None:
    headers = {"X-Fal-Retryable": header} if header else None
    body = named("downstream_service_error", message=message)
    verdict = verdict_of(check(Wire(status=says(*DONE), result=says(422, body, headers))))

    assert (verdict.code, verdict.by_input, verdict.retryable) == (code, by_input, retryable)


@pytest.mark.parametrize("field", sorted(verdicts.OWN_FIELDS))
def test_a_result_that_blames_a_field_of_ours_goes_to_another_provider(field: str) -> None:
    verdict = verdict_of(check(Wire(status=says(*DONE), result=says(422, named("one_of", field)))))

    assert (verdict.code, verdict.by_input) == ("service_error", False)


def entry(request_id: str = "r-1", **changes: Any) -> dict[str, Any]:
    """An entry of the list of ended requests."""
    return {
        "request_id": request_id,
        "endpoint_id": ROUTE.lstrip("/"),
        "sent_at": datetime.now(UTC).isoformat(),
        "status_code": 200,
        "json_input": {"prompt": "x", "duration": "5"},
        "json_output": VIDEO,
    } | changes


def page(*items: Any, cursor: str | None = None) -> httpx.Response:
    return says(200, {"items": list(items), "next_cursor": cursor, "has_more": cursor is not None})


GONE = says(404, {"detail": "Request not found"})


@pytest.mark.parametrize(
    "gone",
    [
        {"status": GONE},
        {"status": says(*DONE), "result": GONE},
        {"status": says(*DONE), "result": says(502, b"<html>")},
        {"status": says(*DONE), "result": says(422, b"")},
    ],
)
def test_a_result_that_the_queue_has_forgotten_is_in_the_list(gone: dict[str, httpx.Response]) -> None:
    wire = Wire(**gone, items=page(entry("other"), entry()))
    standing = check(wire)

    assert (standing.state, standing.outputs[0].url) == ("succeeded", "https://cdn.example/a.mp4")
    asked = wire.asked[-1]
    assert (asked.url.host, asked.url.path) == ("list.example", "/v1/models/requests/by-endpoint")
    assert dict(asked.url.params) == {
        "endpoint_id": "fal-ai/kling-video/v3/pro/text-to-video",
        "expand": "payloads",
        "limit": "100",
        "start": "2026-01-01T00:00:00Z",
        "request_id": "r-1",
    }
    assert asked.headers["authorization"] == "Key key"


def test_the_list_remembers_failures_too() -> None:
    refused = entry(status_code=422, json_output=named("content_policy_violation"))

    assert verdict_of(check(Wire(status=GONE, items=page(refused)))).code == "content_policy_violation"
    unsaid = verdict_of(check(Wire(status=GONE, items=page(entry(status_code=500, json_output=None)))))
    assert (unsaid.code, unsaid.by_input) == ("service_error", False)


@pytest.mark.parametrize(
    "items",
    [
        page(),
        page(entry("other")),
        page(entry(json_output=None)),
        page(entry(json_output={})),
        page(entry(status_code="200")),
        page("r-1", None),
        says(200, {"items": {}}),
        says(200, b"<html>"),
        says(401, {"detail": "No"}),
        says(404, {"items": [entry()]}),
        says(500, b""),
    ],
)
def test_what_neither_the_queue_nor_the_list_knows_stays_unknown(items: httpx.Response) -> None:
    with pytest.raises(OutcomeUnknown):
        check(Wire(status=GONE, items=items))


@pytest.mark.parametrize("status", [302, 401, 402, 403, 405, 408, 429, 500, 502, 503])
def test_no_status_of_a_query_is_a_verdict(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        check(Wire(status=says(status, {"detail": "Exhausted balance", "status": "COMPLETED"})))


@pytest.mark.parametrize("status", [302, 401, 402, 403, 405, 408, 409, 429])
def test_a_result_that_is_refused_to_us_is_no_verdict(status: int) -> None:
    wire = Wire(status=says(*DONE), result=says(status, named("content_policy_violation")))
    with pytest.raises(OutcomeUnknown):
        check(wire)
    assert len(wire.asked) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"detail": "Request is still in progress"}),
        (400, {"error": "Bad request"}),
        (400, {"detail": [{"msg": "No type"}]}),
        (404, {"detail": [{"msg": "Not found", "type": "not_found"}]}),
        (406, {"error": "Not acceptable"}),
        (413, {"detail": "content_policy_violation"}),
        (418, b"blocked"),
        (422, {"detail": "Refused by a proxy"}),
        (422, {"detail": []}),
    ],
)
def test_a_result_that_names_no_type_is_no_verdict(status: int, body: Any) -> None:
    """The list of ended requests may decide; where it does not know the request either, nothing is decided."""
    completed, answer = says(*DONE), says(status, body)
    with pytest.raises(OutcomeUnknown):
        check(Wire(status=completed, result=answer, items=page()))
    assert check(Wire(status=completed, result=answer, items=page(entry()))).state == "succeeded"


def test_a_list_of_what_is_wrong_is_a_verdict_without_a_type() -> None:
    body = {"detail": [{"loc": ["body", "prompt"], "msg": "It is not right."}]}
    verdict = verdict_of(check(Wire(status=says(*DONE), result=says(422, body))))

    assert (verdict.code, verdict.by_input) == ("invalid_parameters", True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", {}, {"status": None}, {"status": "IN_QUEUE", "request_id": "r-2"}])
def test_a_status_that_says_nothing_is_unknown(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        check(Wire(status=says(200, body)))


def test_a_dead_wire_under_a_query_is_unknown() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late")

    with pytest.raises(OutcomeUnknown):
        check_all(fail, [HANDLE])


def test_one_failed_query_hides_no_other() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return says(503, b"") if "r-2" in request.url.path else says(202, {"status": "IN_PROGRESS"})

    assert set(check_all(answer, [HANDLE, Handle(upstream_id="r-2", route=ROUTE)])) == {"r-1"}


def test_an_odd_id_stays_one_piece_of_the_address() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/fal-ai/kling-video/requests/..%2F2%3Fx/status?logs=0"
        return says(202, {"status": "IN_PROGRESS"})

    assert set(check_all(answer, [Handle(upstream_id="../2?x", route=ROUTE)])) == {"../2?x"}


def test_nothing_to_check_asks_nobody() -> None:
    assert check_all(lambda request: pytest.fail("asked"), []) == {}
