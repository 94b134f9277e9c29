"""Voices and deletion at Kling: against the simulator, and at the wire for what it never answers."""

import json
from collections.abc import Callable

import httpx
import pytest

from generations.providers.base import Account, DeletesElements, OfferedVoice, OffersVoices, OutcomeUnknown
from generations.providers.kling import Kling
from generations.providers.kling.adapter import DELETE_PATHS, VOICES_PER_PAGE
from generations.sandbox.kling.elements import VOICES
from tests.generations.simulator import RunningSimulator

ACCOUNT = Account(base_url="https://kling.example", credentials={"api_key": "key"})
GOOD = {"code": 0, "message": "SUCCEED", "data": {"task_id": "1", "task_status": "succeed"}}
Answer = Callable[[httpx.Request], httpx.Response]


def kling(answer: Answer) -> Kling:
    return Kling(httpx.MockTransport(answer))


def page(*voices: dict[str, object]) -> httpx.Response:
    rows = [{"task_id": "0", "task_status": "succeed", "task_result": {"voices": [voice]}} for voice in voices]
    return httpx.Response(200, json={"code": 0, "data": rows})


def test_kling_offers_both_calls() -> None:
    assert isinstance(Kling(), OffersVoices) and isinstance(Kling(), DeletesElements)


def test_the_preset_voices_are_told(simulator: RunningSimulator) -> None:
    assert Kling().voices(simulator.account) == tuple(
        OfferedVoice(voice_id=voice_id, name=name) for voice_id, name in VOICES.items()
    )


def test_voices_are_asked_for_page_by_page() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        number = VOICES_PER_PAGE if len(asked) == 1 else 1
        return page(*({"voice_id": f"{len(asked)}-{one}", "voice_name": "A"} for one in range(number)))

    assert len(kling(answer).voices(ACCOUNT)) == VOICES_PER_PAGE + 1
    assert asked == [f"pageNum={number}&pageSize={VOICES_PER_PAGE}" for number in (1, 2)]


def test_pages_without_end_are_no_answer() -> None:
    full = page(*({"voice_id": str(one), "voice_name": "A"} for one in range(VOICES_PER_PAGE)))
    with pytest.raises(OutcomeUnknown):
        kling(lambda _: httpx.Response(200, content=full.content)).voices(ACCOUNT)


def test_half_a_voice_and_a_deleted_one_are_none() -> None:
    told = page({"voice_id": 7, "voice_name": "A"}, {"voice_id": "8"}, {"voice_name": "B"})
    assert kling(lambda _: told).voices(ACCOUNT) == (OfferedVoice(voice_id="7", name="A"),)
    deleted = page({"voice_id": "9", "voice_name": "C", "status": "deleted"})
    assert kling(lambda _: deleted).voices(ACCOUNT) == ()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"code": 1002, "message": "no"}),
        httpx.Response(503, html="<html>"),
        httpx.Response(200, json={"code": 0, "data": "x"}),
        httpx.Response(200, content=b"{"),
    ],
)
def test_what_is_no_list_of_voices_is_no_answer(answer: httpx.Response) -> None:
    with pytest.raises(OutcomeUnknown):
        kling(lambda _: answer).voices(ACCOUNT)


def deletions(*answers: httpx.Response) -> tuple[Kling, list[httpx.Request]]:
    """An adapter whose calls are answered in this order, and its calls."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answers[len(sent) - 1]

    return kling(answer), sent


def test_a_deletion_names_the_element_by_its_number() -> None:
    adapter, sent = deletions(httpx.Response(200, json=GOOD))
    adapter.delete_element(ACCOUNT, "860123456789012345")
    assert [(one.method, one.url.path) for one in sent] == [("POST", DELETE_PATHS[0])]
    assert json.loads(sent[0].content) == {"element_id": 860123456789012345}


@pytest.mark.parametrize(
    "unknown",
    [
        httpx.Response(404, html="<html>Not Found"),
        httpx.Response(404, json={"code": 1202, "message": "Requested method is invalid"}),
        httpx.Response(400, json={"code": 1202, "message": "Requested method is invalid"}),
    ],
)
def test_the_other_path_is_asked_where_the_first_is_unknown(unknown: httpx.Response) -> None:
    adapter, sent = deletions(unknown, httpx.Response(200, json=GOOD))
    adapter.delete_element(ACCOUNT, "7")
    assert [one.url.path for one in sent] == list(DELETE_PATHS)


def test_where_both_are_unknown_nobody_believes_that_it_is_gone() -> None:
    adapter, _ = deletions(httpx.Response(404, html="x"), httpx.Response(404, html="x"))
    with pytest.raises(OutcomeUnknown):
        adapter.delete_element(ACCOUNT, "7")


@pytest.mark.parametrize("first", [[], [httpx.Response(404, html="x")]])
def test_an_element_that_is_gone_already_is_gone(first: list[httpx.Response]) -> None:
    gone = httpx.Response(404, json={"code": 1203, "message": "element_id not found"})
    adapter, sent = deletions(*first, gone)
    adapter.delete_element(ACCOUNT, "7")
    assert len(sent) == len(first) + 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"code": 5000, "message": "oops"}),
        httpx.Response(429, json={"code": 1302, "message": "slow down"}),
        httpx.Response(401, json={"code": 1002, "message": "no"}),
        httpx.Response(200, json={"code": 0, "data": {"task_id": "1", "task_status": "failed"}}),
        httpx.Response(200, content=b""),
    ],
)
def test_any_other_answer_is_asked_again_later_and_not_elsewhere(answer: httpx.Response) -> None:
    adapter, sent = deletions(answer)
    with pytest.raises(OutcomeUnknown):
        adapter.delete_element(ACCOUNT, "7")
    assert len(sent) == 1


def test_without_a_connection_nothing_is_known() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    for call in (lambda: kling(refuse).delete_element(ACCOUNT, "7"), lambda: kling(refuse).voices(ACCOUNT)):
        with pytest.raises(OutcomeUnknown):
            call()
