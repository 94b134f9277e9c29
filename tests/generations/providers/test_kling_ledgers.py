"""Kling's ledgers at the wire: both are read to their end, and what cannot be read is never left out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from generations.providers.base import Account, Charge, ChargePage, Cost, OutcomeUnknown
from generations.providers.kling import Kling

ACCOUNT = Account(base_url="https://kling.example", credentials={"api_key": "key"})
DAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
LINE = {"task_id": "1", "model_name": "kling-3.0", "deduction_amount": "3"}
IN_UNITS = Charge(upstream_id="1", cost=Cost(amount=Decimal(3), unit="unit", currency=""), model="kling-3.0")
Answer = Callable[[httpx.Request], httpx.Response]


def ledger(*lines: Any, inside: dict[str, Any] | None = None, **beside: Any) -> httpx.Response:
    result = {"detail": list(lines)} | (inside or {})
    return httpx.Response(200, json={"code": 0, "message": "SUCCEED", "data": {"result": result} | beside})


def ask(answer: httpx.Response | Answer, cursor: str = "") -> ChargePage:
    def answered(request: httpx.Request) -> httpx.Response:
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return Kling(httpx.MockTransport(answered)).charges(ACCOUNT, *DAY, cursor)


def test_both_ledgers_are_asked_for_the_time_and_page_by_page() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []
    answers = [
        ledger(LINE, next_cursor="77", has_more=True),
        ledger(next_cursor="", has_more=False),
        ledger({**LINE, "currency": "USD"}, has_more=False),
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer key"
        asked.append((request.url.path, json.loads(request.content)))
        return answers[len(asked) - 1]

    first = ask(answer)
    second = ask(answer, first.next_cursor)
    third = ask(answer, second.next_cursor)

    time = {"start_time": "1795392000000", "end_time": "1795478399999", "limit": 500}
    assert asked == [
        ("/account/billing/package", time),
        ("/account/billing/package", time | {"cursor": "77"}),
        ("/account/billing/balance", time),
    ]
    in_cash = Charge(upstream_id="1", cost=Cost(amount=Decimal(3), unit="cash", currency="USD"), model="kling-3.0")
    assert [page.charges for page in (first, second, third)] == [(IN_UNITS,), (), (in_cash,)]
    assert (first.next_cursor, second.next_cursor, third.next_cursor) == ("package:77", "balance:", "")


@pytest.mark.parametrize(
    "told",
    [
        ledger({"task_id": 1, "model_name": "kling-3.0", "deduction_amount": 3}),
        ledger(LINE | {"extra": {}}, inside={"next_cursor": "", "has_more": False}),
        ledger(LINE, next_cursor="9", has_more=False),
    ],
    ids=["numbers", "more fields", "a cursor without more"],
)
def test_a_line_is_read_however_it_is_spelled(told: httpx.Response) -> None:
    assert ask(told) == ChargePage(charges=(IN_UNITS,), next_cursor="balance:")


def test_where_to_go_on_may_stand_inside_the_result() -> None:
    assert ask(ledger(LINE, inside={"next_cursor": 5, "has_more": True})).next_cursor == "package:5"


def test_what_is_given_back_is_negative() -> None:
    (charge,) = ask(ledger(LINE | {"deduction_amount": "-3"})).charges
    assert charge.cost.amount == -3


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(500, text="<html>"),
        httpx.Response(429, json={"code": 1302, "message": "Request too fast"}),
        httpx.Response(200, json={"code": 0, "data": []}),
        httpx.Response(200, json={"code": 0, "data": {"result": []}}),
        httpx.Response(200, json={"code": 0, "data": {"result": {"detail": None}}}),
        ledger("a line"),
        ledger(LINE | {"task_id": ""}),
        ledger(LINE, LINE | {"deduction_amount": "much"}),
        ledger(LINE, {"task_id": "2"}),
        ledger(LINE, has_more=True),
        ledger(LINE, has_more=True, next_cursor=""),
    ],
)
def test_what_cannot_be_read_is_never_left_out(broken: httpx.Response) -> None:
    with pytest.raises(OutcomeUnknown):
        ask(broken)


def test_a_page_that_leads_to_itself_is_no_answer() -> None:
    with pytest.raises(OutcomeUnknown, match="the same again"):
        ask(ledger(LINE, has_more=True, next_cursor="77"), "package:77")


def test_no_connection_is_no_answer() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with pytest.raises(OutcomeUnknown):
        ask(away)
