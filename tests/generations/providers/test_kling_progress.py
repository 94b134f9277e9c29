"""How accepted work stands: batches, look-ups by our reference, words, costs, verdicts."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import httpx
import pytest

from generations.providers import causes
from generations.providers.base import Accepted, Account, Cost, Handle, OutcomeUnknown, Progress, Request, query_client
from generations.providers.kling import Kling, verdicts
from generations.providers.kling.answers import progress
from tests.generations.providers.requests import element, from_image, trace, video
from tests.generations.simulator import RunningSimulator, wait_for

ACCOUNT = Account(base_url="https://kling.example", credentials={"api_key": "key"})
NEW = "/text-to-video/kling-3.0"
LEGACY = "/v1/videos/text2video"


def check(account: Account, accepted: Sequence[Accepted | Handle]) -> dict[str, Progress]:
    handles = [Handle(upstream_id=one.upstream_id, route=one.route) for one in accepted]

    async def ask() -> dict[str, Progress]:
        async with query_client() as client:
            return await Kling().check_many(client, account, handles)

    return asyncio.run(ask())


def check_at(answer: Callable[[httpx.Request], httpx.Response], handles: Sequence[Handle]) -> dict[str, Progress]:
    """`check_many` against an answer at the wire."""

    async def ask() -> dict[str, Progress]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await Kling().check_many(client, ACCOUNT, handles)

    return asyncio.run(ask())


def finished(simulator: RunningSimulator, *requests: Request) -> list[Progress]:
    accepted = [Kling().submit(simulator.account, request) for request in requests]
    simulator.advance(600)

    def ended() -> list[Progress]:
        found = check(simulator.account, accepted)
        standing = [found[one.upstream_id] for one in accepted]
        return [] if any(one.state == "running" for one in standing) else standing

    result: list[Progress] = wait_for(ended)
    return result


def test_both_generations_and_elements_finish_in_one_check(simulator: RunningSimulator) -> None:
    new, legacy, made = finished(
        simulator,
        video("a", sound=True),
        video("b", negative_prompt="rain", quality="1080p"),
        element("c"),
    )

    assert (new.state, new.state_word, new.known_word) == ("succeeded", "succeeded", True)
    assert [output.duration_seconds for output in new.outputs] == [Decimal("5.0")]
    assert new.cost == Cost(amount=Decimal("4.5"), unit="unit", currency="")
    assert (legacy.state, legacy.state_word) == ("succeeded", "succeed")
    assert legacy.cost == Cost(amount=Decimal("4"), unit="unit", currency="")
    assert made.state == "succeeded"
    assert made.element_id is not None and made.element_id.isdigit()
    assert made.outputs == ()


def test_an_element_can_be_used_on_both_generations(simulator: RunningSimulator) -> None:
    (made,) = finished(simulator, element())
    ids = (made.element_id,)

    new, legacy = finished(
        simulator, from_image("a", element_ids=ids), from_image("b", element_ids=ids, negative_prompt="rain")
    )
    assert (new.state, legacy.state) == ("succeeded", "succeeded")


def test_a_watermarked_task_has_the_watermarked_file_beside_the_plain_one(simulator: RunningSimulator) -> None:
    plain, marked = finished(simulator, video("a"), video("b", watermark=True))

    for watermark in (False, True):
        assert plain.outputs[0].link(watermark=watermark).endswith(f"/results/{plain.upstream_id}.mp4")
    assert marked.outputs[0].link(watermark=False).endswith(f"/results/{marked.upstream_id}.mp4")
    assert marked.outputs[0].link(watermark=True).endswith(f"/results/{marked.upstream_id}-watermark.mp4")


def test_a_watermark_that_nobody_asked_for_is_not_delivered() -> None:
    video = {"type": "video", "id": "v", "url": "https://a/plain.mp4", "watermark_url": "https://a/marked.mp4"}
    row = {"id": "1", "status": "succeeded", "outputs": [video]}

    (output,) = progress(row).outputs
    assert output.link(watermark=False) == "https://a/plain.mp4"
    assert output.link(watermark=True) == "https://a/marked.mp4"


def test_running_work_has_no_verdict_and_no_cost(simulator: RunningSimulator) -> None:
    accepted = [Kling().submit(simulator.account, request) for request in (video("a"), element("b"))]

    for standing in check(simulator.account, accepted).values():
        assert (standing.state, standing.verdict, standing.cost) == ("running", None, None)


@pytest.mark.parametrize(
    ("value", "clean"), [("no\0thing", "nothing"), ("half \ud83d", "half ?"), (12, "12"), (True, ""), (None, "")]
)
def test_what_an_upstream_writes_can_be_stored(value: object, clean: str) -> None:
    row = {"id": "1", "status": "failed", "message": value}
    verdict = progress(row).verdict
    assert verdict is not None
    assert verdict.upstream_message == clean


@pytest.mark.parametrize("amount", ["1e12", "-1e400", "NaN", "much"])
def test_an_amount_beyond_belief_is_none(amount: str) -> None:
    row = {"id": "1", "status": "failed", "billing": [{"amount": amount, "charge_type": "unit"}]}
    assert progress(row).cost is None


def test_fifty_ids_go_into_one_query() -> None:
    asked: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids = request.url.params["task_ids"].split(",")
        asked.append(ids)
        return httpx.Response(200, json={"code": 0, "data": [{"id": i, "status": "processing"} for i in ids]})

    found = check_at(answer, [Handle(upstream_id=str(number), route=NEW) for number in range(120)])

    assert sorted(map(len, asked)) == [20, 50, 50]
    assert len(found) == 120


def test_a_query_that_hangs_hides_no_answer_that_came() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        number = request.url.path.rsplit("/", 1)[-1]
        if number == "0":
            await asyncio.sleep(60)
        return httpx.Response(200, json={"code": 0, "data": {"task_id": number, "task_status": "processing"}})

    async def ask(*numbers: int) -> dict[str, Progress]:
        handles = [Handle(upstream_id=str(number), route=LEGACY) for number in numbers]
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await Kling(query_seconds=0.3).check_many(client, ACCOUNT, handles)

    assert set(asyncio.run(ask(*range(20)))) == {str(number) for number in range(1, 20)}
    with pytest.raises(OutcomeUnknown):
        asyncio.run(ask(0))


def test_nothing_to_check_asks_nobody() -> None:
    assert check_at(lambda request: pytest.fail("asked"), []) == {}


def test_an_id_nobody_knows_is_absent(simulator: RunningSimulator) -> None:
    known = Kling().submit(simulator.account, video())
    strangers = [Handle(upstream_id="1", route=NEW), Handle(upstream_id="../2?x", route=NEW)]

    assert set(check(simulator.account, [known, *strangers])) == {known.upstream_id}


def test_rows_about_other_tasks_are_not_believed(simulator: RunningSimulator) -> None:
    accepted = Kling().submit(simulator.account, video(prompt="x [sim:wrong-ids 2]"))

    assert check(simulator.account, [accepted]) == {}
    with pytest.raises(OutcomeUnknown):
        Kling().find(simulator.account, trace("attempt-1", accepted.route))
    assert set(check(simulator.account, [accepted])) == {accepted.upstream_id}


@pytest.mark.parametrize("fault", ["poll-5xx 1", "poll-garbage 1"])
@pytest.mark.parametrize("negative", ["", "rain"])
def test_a_failed_query_decides_nothing(simulator: RunningSimulator, fault: str, negative: str) -> None:
    accepted = Kling().submit(simulator.account, video(prompt=f"x [sim:{fault}]", negative_prompt=negative))

    with pytest.raises(OutcomeUnknown):
        check(simulator.account, [accepted])
    assert check(simulator.account, [accepted])[accepted.upstream_id].state == "running"


def test_one_failed_query_does_not_hide_the_others() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/tasks":
            return httpx.Response(503)
        return httpx.Response(200, json={"code": 0, "data": {"task_id": "2", "task_status": "processing"}})

    found = check_at(answer, [Handle(upstream_id="1", route=NEW), Handle(upstream_id="2", route=LEGACY)])

    assert set(found) == {"2"}


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500])
def test_no_status_of_a_query_is_a_verdict(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        check_at(lambda request: httpx.Response(status), [Handle(upstream_id="1", route=NEW)])


def test_a_dead_wire_under_a_query_is_unknown() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    with pytest.raises(OutcomeUnknown):
        check_at(fail, [Handle(upstream_id="1", route=NEW)])


@pytest.mark.parametrize("request_", [video(), video(negative_prompt="rain"), element()])
def test_work_is_found_by_our_reference(simulator: RunningSimulator, request_: Request) -> None:
    accepted = Kling().submit(simulator.account, request_)
    found = Kling().find(simulator.account, trace("attempt-1", accepted.route))

    assert [progress.upstream_id for progress in found] == [accepted.upstream_id]
    assert Kling().find(simulator.account, trace("attempt-2", accepted.route)) == []


@pytest.mark.parametrize(
    ("route", "status", "body"),
    [
        (LEGACY, 404, b"<html>not here</html>"),
        (LEGACY, 404, b'{"code":1202,"message":"wrong method"}'),
        (LEGACY, 401, b'{"code":1002}'),
        (LEGACY, 200, b'{"code":0,"data":{"task_id":"1","task_info":{"external_task_id":"other"}}}'),
        (LEGACY, 200, b'{"code":0,"data":{}}'),
        (NEW, 404, b"{}"),
        (NEW, 200, b'{"code":0}'),
        (NEW, 200, b'{"code":0,"data":[{"id":"1","status":"processing"}]}'),
    ],
)
def test_a_failed_look_up_is_not_an_absence(route: str, status: int, body: bytes) -> None:
    adapter = Kling(transport=httpx.MockTransport(lambda request: httpx.Response(status, content=body)))

    with pytest.raises(OutcomeUnknown):
        adapter.find(ACCOUNT, trace("attempt-1", route))


def test_a_look_up_over_a_dead_wire_is_unknown() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late")

    with pytest.raises(OutcomeUnknown):
        Kling(transport=httpx.MockTransport(fail)).find(ACCOUNT, trace("attempt-1", NEW))


def test_nothing_can_be_cancelled(simulator: RunningSimulator) -> None:
    accepted = Kling().submit(simulator.account, video())
    handle = Handle(upstream_id=accepted.upstream_id, route=accepted.route)

    assert Kling().cancel(simulator.account, handle) is False
    assert check(simulator.account, [accepted])[accepted.upstream_id].state == "running"


def test_an_unknown_word_means_running(simulator: RunningSimulator) -> None:
    accepted = Kling().submit(simulator.account, video(prompt="x [sim:unknown-status queued-for-review]"))
    simulator.do("settings", speed=1)

    def word() -> Progress | None:
        standing = check(simulator.account, [accepted])[accepted.upstream_id]
        return standing if standing.state_word != "submitted" else None

    standing = wait_for(word)
    assert (standing.state, standing.state_word, standing.known_word) == ("running", "queued-for-review", False)


@pytest.mark.parametrize("result", [{}, {"outputs": []}, {"outputs": [{"type": "video", "url": ""}]}, {"outputs": 3}])
def test_a_success_without_its_result_is_not_believed(result: dict[str, Any]) -> None:
    standing = progress({"id": "1", "status": "succeeded", **result})

    assert (standing.state, standing.known_word) == ("running", False)


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        ({"billing": [{"charge_type": "unit", "amount": "3"}]}, ("3", "unit", "")),
        (
            {"billing": [{"charge_type": "unit", "amount": "3"}, {"charge_type": "unit", "amount": 0.5}]},
            ("3.5", "unit", ""),
        ),
        ({"billing": [{"charge_type": "cash", "amount": "0.42", "currency": "USD"}]}, ("0.42", "cash", "USD")),
        ({"final_unit_deduction": "3"}, ("3", "unit", "")),
        ({"final_balance_deduction": {"quota": "0.42"}}, ("0.42", "cash", "USD")),
    ],
)
def test_the_cost_is_what_was_booked(row: dict[str, Any], cost: tuple[str, str, str]) -> None:
    amount, unit, currency = cost
    found = progress({"id": "1", "status": "failed", **row}).cost

    assert found is not None
    assert (str(found.amount), found.unit, found.currency) == (amount, unit, currency)


@pytest.mark.parametrize("row", [{}, {"billing": None}, {"billing": ["x"]}, {"billing": [{"amount": "NaN"}]}])
def test_an_unreadable_cost_is_none(row: dict[str, Any]) -> None:
    assert progress({"id": "1", "status": "failed", **row}).cost is None


TERMINAL = [
    ("Failure to pass the risk control system", "content_policy_violation", True, False),
    ("The content violates our policy", "content_policy_violation", True, False),
    ("Image pixel is invalid", "image_dimension_mismatch", True, False),
    ("Failed to download the reference image", "media_unreachable", True, True),
    ("No face detected in the reference image", "face_not_found", True, False),
    ("The reference video format is not supported", "video_probe_failed", True, False),
    ("picture is broken", "image_processing_error", True, False),
    ("invalid parameter", "invalid_parameters", True, False),
    ("element has been deleted", "resource_not_found", True, False),
    ("Task timed out", "generation_timeout", False, True),
    ("system overload", "resource_exhausted", False, True),
    ("empty result", "generation_failed_no_content", False, True),
    ("Service internal error", "service_error", False, True),
    ("something nobody has seen before", "service_error", False, True),
    ("", "service_error", False, True),
]


@pytest.mark.parametrize(("text", "code", "by_input", "retryable"), TERMINAL)
def test_each_failure_text_has_its_verdict(text: str, code: str, by_input: bool, retryable: bool) -> None:
    verdict = verdicts.failure(text)

    assert (verdict.code, verdict.by_input, verdict.retryable) == (code, by_input, retryable)
    assert verdict.upstream_message == text
    assert verdict.message.endswith(".")
    assert "kling" not in verdict.message.lower()


def test_every_cause_is_reached_by_some_text() -> None:
    reached = {code for _, code, _, _ in TERMINAL}

    assert {cause.code for _, cause in causes.TEXTS} <= reached


@pytest.mark.parametrize("negative", ["", "rain"])
def test_a_failed_task_costs_nothing_and_says_why(simulator: RunningSimulator, negative: str) -> None:
    (standing,) = finished(simulator, video(prompt="x [sim:fail content]", negative_prompt=negative))

    assert standing.state == "failed"
    assert standing.verdict is not None
    assert standing.verdict.code == "content_policy_violation"
    assert simulator.see("ledger") == {"charges": [], "milliunits": 0}
