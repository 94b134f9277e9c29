"""How accepted work at kie.ai stands: words, results, credits, verdicts; and that nothing can be cancelled."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from generations.providers.base import Account, Cost, Handle, OutcomeUnknown, Output, Progress
from generations.providers.kie import Kie, verdicts
from tests.generations.providers.test_kling_progress import TERMINAL

ACCOUNT = Account(base_url="https://kie.example", credentials={"api_key": "key"})
RESULT = json.dumps({"resultUrls": ["https://tempfile.example/77.mp4"]})


def check(answer: Callable[[httpx.Request], httpx.Response], *ids: str, seconds: float = 5) -> dict[str, Progress]:
    handles = [Handle(upstream_id=upstream_id, route="kling-3.0/video") for upstream_id in ids or ("77",)]

    async def ask() -> dict[str, Progress]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await Kie(query_seconds=seconds).check_many(client, ACCOUNT, handles)

    return asyncio.run(ask())


def standing(**row: Any) -> Progress:
    """Task 77 as the adapter reads this row."""
    body = {"code": 200, "msg": "success", "data": {"taskId": "77", **row}}
    return check(lambda request: httpx.Response(200, json=body))["77"]


def test_each_task_is_asked_about_by_itself_with_the_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        row = {"taskId": request.url.params["taskId"], "state": "generating"}
        return httpx.Response(200, json={"code": 200, "data": row})

    found = check(answer, "77", "a/b&c")

    assert {upstream_id: progress.state for upstream_id, progress in found.items()} == {
        "77": "running",
        "a/b&c": "running",
    }
    assert sorted(str(request.url) for request in seen) == [
        "https://kie.example/api/v1/jobs/recordInfo?taskId=77",
        "https://kie.example/api/v1/jobs/recordInfo?taskId=a%2Fb%26c",
    ]
    assert {(request.method, request.headers["authorization"]) for request in seen} == {("GET", "Bearer key")}


@pytest.mark.parametrize("word", ["waiting", "queuing", "generating"])
def test_work_that_waits_may_have_begun(word: str) -> None:
    found = standing(state=word, resultJson="", creditsConsumed=0)

    assert (found.state, found.state_word, found.known_word, found.queued) == ("running", word, True, False)
    assert (found.outputs, found.verdict, found.cost) == ((), None, None)


@pytest.mark.parametrize("result", [RESULT, json.loads(RESULT)])
def test_a_success_has_its_file_and_its_price_in_dollars(result: Any) -> None:
    found = standing(state="success", resultJson=result, creditsConsumed=70)

    assert (found.state, found.state_word, found.known_word) == ("succeeded", "success", True)
    assert found.outputs == (Output(url="https://tempfile.example/77.mp4", upstream_id="", duration_seconds=None),)
    assert found.cost == Cost(amount=Decimal("0.35"), unit="cash", currency="USD")
    assert found.verdict is None


@pytest.mark.parametrize("credits", [None, "", "many", True, "NaN", [1]])
def test_an_unreadable_price_is_none(credits: Any) -> None:
    assert standing(state="success", resultJson=RESULT, creditsConsumed=credits).cost is None


def test_a_price_may_be_spelled_as_text() -> None:
    found = standing(state="success", resultJson=RESULT, creditsConsumed="112.5").cost

    assert found is not None
    assert found.amount == Decimal("0.5625")


@pytest.mark.parametrize(
    "result",
    [None, "", "{", "[]", "3", '{"resultUrls": []}', '{"resultUrls": ""}', '{"resultUrls": [""]}', {"resultUrls": 3}],
)
def test_a_success_without_its_result_is_not_believed(result: Any) -> None:
    found = standing(state="success", resultJson=result)

    assert (found.state, found.known_word) == ("running", False)


@pytest.mark.parametrize("word", ["reviewing", "", None, 5])
def test_an_unknown_word_means_running(word: Any) -> None:
    found = standing(state=word)

    assert (found.state, found.known_word, found.cost) == ("running", False, None)


@pytest.mark.parametrize("code", ["400", "422", 400, 422])
@pytest.mark.parametrize(
    ("message", "expected", "retryable"),
    [
        ("No valid characters detected in the video", "video_probe_failed", False),
        ("Image fetch failed", "media_unreachable", True),
        ("Image pixel is invalid", "image_dimension_mismatch", False),
        ("Service internal error", "invalid_parameters", False),
        ("", "invalid_parameters", False),
    ],
)
def test_a_failure_of_the_input_is_the_customers(code: Any, message: str, expected: str, retryable: bool) -> None:
    verdict = standing(state="fail", failCode=code, failMsg=message).verdict

    assert verdict is not None
    assert (verdict.code, verdict.by_input, verdict.retryable) == (expected, True, retryable)
    assert verdict.upstream_message == f"{code}: {message}"


@pytest.mark.parametrize("code", ["501", "500", ""])
@pytest.mark.parametrize(("message", "expected", "by_input", "retryable"), TERMINAL)
def test_a_failed_generation_is_judged_by_its_text(
    code: str, message: str, expected: str, by_input: bool, retryable: bool
) -> None:
    verdict = standing(state="fail", failCode=code, failMsg=message).verdict

    assert verdict is not None
    assert (verdict.code, verdict.by_input, verdict.retryable) == (expected, by_input, retryable)


def test_words_of_its_own_are_understood() -> None:
    for message in ("the output video may be related to copyright restrictions", "NSFW content detected"):
        assert verdicts.failure("500", message).code == "content_policy_violation"
    assert verdicts.failure("501", "No person detected in the image").code == "image_processing_error"


@pytest.mark.parametrize("code", ["401", "402", "404", "429", "455", "505"])
def test_troubles_of_its_own_are_never_the_customers(code: str) -> None:
    verdict = standing(state="fail", failCode=code, failMsg="content policy").verdict

    assert verdict is not None
    assert (verdict.code, verdict.by_input, verdict.retryable) == ("service_error", False, True)


@pytest.mark.parametrize(("credits", "dollars"), [(0.0, "0"), (120, "0.6")])
def test_a_failure_says_what_it_cost(credits: float, dollars: str) -> None:
    found = standing(state="fail", failCode="501", failMsg="", creditsConsumed=credits)

    assert found.state == "failed"
    assert found.cost == Cost(amount=Decimal(dollars), unit="cash", currency="USD")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"code": 401, "msg": "unauthorized"}),
        (200, {"code": 404, "msg": "not found"}),
        (200, {"code": 422, "msg": "recordInfo is null"}),
        (200, {"code": 429, "msg": "too fast"}),
        (200, {"code": 501, "msg": "generation failed", "data": {"taskId": "77", "state": "fail"}}),
        (500, {"code": 200, "data": {"taskId": "77", "state": "fail"}}),
        (503, "<html>"),
        (200, {"code": 200, "data": None}),
        (200, {"code": 200, "data": {"taskId": "78", "state": "fail"}}),
        (200, {"code": 200, "data": {"state": "fail"}}),
        (302, ""),
    ],
)
def test_a_query_decides_nothing_but_by_a_whole_answer(status: int, body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        check(lambda request: httpx.Response(status, json=body))


def test_a_query_that_fails_keeps_back_no_other() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["taskId"] == "1":
            raise httpx.ReadTimeout("late")
        return httpx.Response(200, json={"code": 200, "data": {"taskId": "2", "state": "waiting"}})

    assert set(check(answer, "1", "2")) == {"2"}


def test_nothing_can_be_cancelled_and_nothing_is_asked() -> None:
    def forbidden(request: httpx.Request) -> httpx.Response:
        raise AssertionError("there is no such call")

    adapter = Kie(transport=httpx.MockTransport(forbidden))
    assert adapter.cancel(ACCOUNT, Handle(upstream_id="77", route="kling-3.0/video")) is False
    assert adapter.callback_keys(ACCOUNT) == {}
    assert adapter.poll_every == 3
