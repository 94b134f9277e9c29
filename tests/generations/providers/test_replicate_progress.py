"""How accepted work stands at Replicate: words, output that was removed, verdicts, failing queries."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from generations.providers.base import Account, Handle, OutcomeUnknown, Progress
from generations.providers.replicate import Replicate, verdicts
from generations.providers.replicate.answers import progress

ACCOUNT = Account(base_url="https://replicate.example/v1", credentials={"api_key": "r8_secret"})
ROUTE = "/models/kwaivgi/kling-v3-video/predictions"
URL = "https://replicate.delivery/xezq/abc/tmp.mp4"
ABSENT = {"title": "Not found", "detail": "The requested resource could not be found.", "status": 404}


def check_at(answer: Callable[[httpx.Request], Any], *ids: str, seconds: float = 20) -> dict[str, Progress]:
    """`check_many` against an answer at the wire."""
    handles = [Handle(upstream_id=upstream_id, route=ROUTE) for upstream_id in ids]

    async def ask() -> dict[str, Progress]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await Replicate(query_seconds=seconds).check_many(client, ACCOUNT, handles)

    return asyncio.run(ask())


def standing(**row: Any) -> Progress:
    return progress({"id": "abc"} | row)


def test_each_prediction_is_asked_for_by_its_id() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": request.url.path.rsplit("/", 1)[-1], "status": "processing"})

    found = check_at(answer, "abc", "def")

    assert sorted(str(request.url) for request in seen) == [
        "https://replicate.example/v1/predictions/abc",
        "https://replicate.example/v1/predictions/def",
    ]
    assert {request.headers["authorization"] for request in seen} == {"Bearer r8_secret"}
    assert {upstream_id: one.state for upstream_id, one in found.items()} == {"abc": "running", "def": "running"}


def test_an_odd_id_stays_one_piece_of_the_address() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/v1/predictions/..%2Faccount%3Fx"
        return httpx.Response(404, json=ABSENT)

    assert check_at(answer, "../account?x") == {}


def test_nothing_to_check_asks_nobody() -> None:
    assert check_at(lambda request: pytest.fail("asked")) == {}


def test_an_id_that_replicate_does_not_know_is_absent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/abc"):
            return httpx.Response(200, json={"id": "abc", "status": "starting"})
        return httpx.Response(404, json=ABSENT)

    assert set(check_at(answer, "abc", "stranger")) == {"abc"}
    assert check_at(answer, "stranger") == {}


def test_an_answer_about_another_prediction_is_not_believed() -> None:
    with pytest.raises(OutcomeUnknown):
        check_at(lambda request: httpx.Response(200, json={"id": "def", "status": "failed"}), "abc")


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 503])
def test_no_status_of_a_query_is_a_verdict(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        check_at(lambda request: httpx.Response(status, content=b"<html>no</html>"), "abc")


@pytest.mark.parametrize("body", [b"", b'{"id":"abc"', b"[]", b"null", b"{}", b'{"id":7.5}'])
def test_a_body_without_a_prediction_decides_nothing(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        check_at(lambda request: httpx.Response(200, content=body), "abc")


def test_a_dead_wire_under_a_query_is_unknown() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    with pytest.raises(OutcomeUnknown):
        check_at(fail, "abc")


def test_one_failed_or_hanging_query_does_not_hide_the_others() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        upstream_id = request.url.path.rsplit("/", 1)[-1]
        if upstream_id == "hangs":
            await asyncio.sleep(60)
        return httpx.Response(503 if upstream_id == "fails" else 200, json={"id": upstream_id, "status": "starting"})

    assert set(check_at(answer, "hangs", "fails", "abc", seconds=0.3)) == {"abc"}
    with pytest.raises(OutcomeUnknown):
        check_at(answer, "hangs", seconds=0.3)


@pytest.mark.parametrize("word", ["starting", "processing"])
def test_work_that_runs_waits_in_no_queue_of_ours(word: str) -> None:
    one = standing(status=word, output=None)

    assert (one.state, one.state_word, one.known_word, one.queued) == ("running", word, True, False)
    assert (one.verdict, one.cost, one.outputs) == (None, None, ())


@pytest.mark.parametrize("output", [URL, [URL], [URL, "https://replicate.delivery/other.mp4"]])
def test_a_success_has_one_file_with_the_length_that_was_billed(output: Any) -> None:
    one = standing(
        status="succeeded", output=output, metrics={"predict_time": 88.1, "video_output_duration_seconds": 5}
    )

    assert (one.state, one.known_word, one.verdict) == ("succeeded", True, None)
    (file,) = one.outputs
    assert (file.url, file.upstream_id, file.duration_seconds) == (URL, "abc", Decimal(5))
    assert file.link(watermark=True) == URL


@pytest.mark.parametrize("metrics", [None, [], {}, {"predict_time": 1}, {"video_output_duration_seconds": "NaN"}])
def test_metrics_that_say_no_length_and_no_money_are_none(metrics: Any) -> None:
    one = standing(status="succeeded", output=URL, metrics=metrics)

    assert (one.outputs[0].duration_seconds, one.cost) == (None, None)


def test_output_that_was_removed_is_no_failure() -> None:
    one = standing(status="succeeded", output=None, data_removed=True)

    assert (one.state, one.state_word, one.known_word) == ("running", "succeeded, data removed", False)
    assert one.verdict is None


@pytest.mark.parametrize("output", [None, "", [], [""], {}, 7, [7], [None]])
def test_a_success_without_its_output_is_not_believed(output: Any) -> None:
    one = standing(status="succeeded", output=output)

    assert (one.state, one.state_word, one.known_word) == ("running", "succeeded", False)


@pytest.mark.parametrize("word", ["queued-for-review", "", None, 7, ["failed"]])
def test_an_unknown_word_means_running(word: Any) -> None:
    one = standing(status=word, error="boom")

    assert (one.state, one.known_word, one.verdict) == ("running", False, None)


TERMINAL = [
    ("failed", "The input or output was flagged as sensitive. Please try again. (E005)", "content_policy_violation"),
    ("failed", "ModelError: Failure to pass the risk control system", "content_policy_violation"),
    ("failed", "NSFW content detected", "content_policy_violation"),
    ("failed", "Image pixel is invalid", "image_dimension_mismatch"),
    ("failed", "Failed to download the reference image", "media_unreachable"),
    ("failed", "No face detected in the reference image", "face_not_found"),
    ("failed", "The reference video format is not supported", "video_probe_failed"),
    ("failed", "picture is broken", "image_processing_error"),
    ("failed", "The input was invalid (E006)", "invalid_parameters"),
    ("failed", "element has been deleted", "resource_not_found"),
    ("failed", "Task timed out", "generation_timeout"),
    ("aborted", "", "generation_timeout"),
    ("failed", "Service is currently unavailable due to high demand (E003)", "resource_exhausted"),
    ("failed", "429 Client Error: Too Many Requests for url: https://api.example", "resource_exhausted"),
    ("failed", "Account balance insufficient", "resource_exhausted"),
    ("failed", "empty result", "generation_failed_no_content"),
    ("failed", "HTTPSConnectionPool(host='files', port=443): failed to fetch the file", "service_error"),
    ("failed", "404 Client Error: Not Found for url: https://api.example/video", "service_error"),
    ("failed", "Prediction interrupted; please retry (code: PA)", "service_error"),
    ("failed", "something nobody has seen before", "service_error"),
    ("failed", "", "service_error"),
    ("canceled", "", "service_error"),
    ("canceled", "the content was flagged", "service_error"),
]
BY_INPUT = {cause.code for _, cause in verdicts.TEXTS if cause.by_input}


@pytest.mark.parametrize(("word", "error", "code"), TERMINAL)
def test_each_end_has_its_verdict(word: str, error: str, code: str) -> None:
    one = standing(status=word, error=error or None, output=None)

    assert one.state == "failed" and one.known_word
    assert one.verdict is not None
    assert (one.verdict.code, one.verdict.by_input) == (code, code in BY_INPUT)
    assert one.verdict.upstream_message == (error or ("" if word == "failed" else word))
    assert "replicate" not in one.verdict.message.lower()


def test_a_failure_whose_data_was_removed_stays_a_failure() -> None:
    one = standing(status="failed", error=None, data_removed=True)

    assert (one.state, one.state_word, one.known_word) == ("failed", "failed", True)


def test_every_cause_is_reached_by_some_text() -> None:
    reached = {code for _, _, code in TERMINAL}

    assert {cause.code for _, cause in verdicts.TEXTS} <= reached


def test_nothing_can_be_cancelled() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        pytest.fail("asked")

    adapter = Replicate(transport=httpx.MockTransport(answer))
    assert adapter.cancel(ACCOUNT, Handle(upstream_id="abc", route=ROUTE)) is False
