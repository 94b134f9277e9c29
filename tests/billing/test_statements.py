"""GET /v1/statements/{month}: opening balance + lines = closing balance, to the last digit, month after month."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts import ids, organizations, spreadsheets
from billing import ledger, rollups, statement_csv, statements
from billing.models import Transfer
from tests.billing.books import give, reserve, wallet_of
from tests.cast import Person, organization_of, owner_of, person

START = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def year() -> Person:
    """Alice's organization, with every kind of movement in each month of a year, some at the edges of months."""
    with time_machine.travel(START, tick=False) as clock:
        alice = person(owner_of(organization_of("星河影像科技（北京）有限公司", "alice@acme.example")))
        acme = alice.organization
        for number in range(24):
            give(acme, 30, expires_at=datetime.now(UTC) + timedelta(days=9))
            ledger.top_up(acme, Decimal("40.0001"), reference=f"payment {number}")
            charged = ledger.reserve(acme, ids.new(), Decimal("12.3456"), api_key=alice.key, model="kling-v3")
            ledger.capture(charged.id, Decimal("12.0001"))
            ledger.release(reserve(acme, 7).id)
            ledger.refund(charged.id, Decimal("0.5"), reference=f"sorry {number}")
            clock.shift(timedelta(days=15, minutes=7))
            ledger.adjust(acme, Decimal("-1.5") if number % 2 else Decimal(2), reference=f"case {number}", reason="x")
            ledger.expire(acme)
            if number % 5 == 0:
                rollups.roll(acme.pk)
    return alice


@pytest.fixture
def month(alice: Person) -> Person:
    """Alice in a running month with a few lines."""
    give(alice.organization, 100, reference="=cmd|' /C calc'!A0")
    held = ledger.reserve(alice.organization, ids.new(), Decimal("35.991"), api_key=alice.key, model="kling-v3")
    ledger.capture(held.id, Decimal(30))
    return alice


def statement(who: Person, month: str, query: str = "") -> dict[str, Any]:
    answer = who.client.get(f"/v1/statements/{month}{query}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def all_lines(who: Person, month: str, size: int = 100) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while cursor is not None:
        page = statement(who, month, f"?page_size={size}{cursor and f'&cursor={cursor}'}")
        found += page["data"]
        cursor = page["next_cursor"]
    return found


def exact(number: float) -> Decimal:
    return Decimal(str(number))


def months_since_the_start(now: datetime) -> list[str]:
    first = START.year * 12 + START.month - 1
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(first, now.year * 12 + now.month)]


def this_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def test_a_year_of_months_chains_and_adds_up_to_the_balance(year: Person) -> None:
    last = wallet_of(year.organization).moved_at
    with time_machine.travel(last + timedelta(days=1)):
        months = months_since_the_start(last)
        assert len(months) == 13
        balance = Decimal(0)
        for month in months:
            found = statement(year, month)
            assert exact(found["opening_balance"]) == balance
            for line in all_lines(year, month, size=7):
                balance += exact(line["credits"])
                assert exact(line["balance"]) == balance, line
            assert exact(found["closing_balance"]) == balance
            assert balance - exact(found["opening_balance"]) == sum(map(exact, found["totals"].values()))
        assert balance == wallet_of(year.organization).balance


def test_the_lines_of_all_months_are_all_that_changed_the_balance(year: Person) -> None:
    last = wallet_of(year.organization).moved_at
    with time_machine.travel(last + timedelta(days=1)):
        told = [line["seq"] for month in months_since_the_start(last) for line in all_lines(year, month)]

    rows = Transfer.objects.exclude(kind__in=["reserve", "release"]).order_by("seq")
    assert told == list(rows.values_list("seq", flat=True))
    assert set(rows.values_list("kind", flat=True)) == set(statements.LABELS)


def test_a_statement_shows_what_a_finance_person_asks_for(month: Person) -> None:
    found = statement(month, this_month())
    start = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    charge = found["data"][1]
    task = Transfer.objects.get(seq=3).reservation

    assert {name: found[name] for name in found if name not in ("data", "to")} == {
        "object": "statement",
        "month": this_month(),
        "organization": {"id": month.organization.public_id, "name": "Acme"},
        "time_zone": "UTC",
        "provisional": True,
        "opening_balance": 0,
        "closing_balance": 70,
        "totals": {"top_up": 0, "grant": 100, "capture": -30, "refund": 0, "expire": 0, "adjust": 0},
        "next_cursor": None,
        "from": int(start.timestamp()),
    }
    assert datetime.fromtimestamp(found["to"], UTC) == (start + timedelta(days=31)).replace(day=1)
    assert [line["kind"] for line in found["data"]] == ["grant", "capture"]
    assert charge | {"created": 0} == {
        "seq": 3,
        "created": 0,
        "kind": "capture",
        "credits": -30,
        "lot": "promo",
        "task_id": task.task_id,
        "model": "kling-v3",
        "key_id": month.key.public_id,
        "reference": f"capture:{task.task_id}",
        "balance": 70,
    }


def test_a_month_ends_at_midnight_utc() -> None:
    with time_machine.travel(datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), tick=False) as clock:
        alice = person(owner_of(organization_of("Acme", "alice@acme.example")))
        give(alice.organization, 1)
        clock.shift(timedelta(microseconds=1))
        give(alice.organization, 2)
        february, march = statement(alice, "2026-02"), statement(alice, "2026-03")

    assert [line["credits"] for line in february["data"]] == [1]
    assert [line["credits"] for line in march["data"]] == [2]
    assert (february["closing_balance"], march["opening_balance"], march["closing_balance"]) == (1, 1, 3)


def test_a_month_is_provisional_until_nothing_can_be_added(month: Person) -> None:
    first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (first + timedelta(days=31)).replace(day=1)
    for minutes, provisional in ((-1, True), (9, True), (10, False)):
        with time_machine.travel(after + timedelta(minutes=minutes), tick=False):
            assert statement(month, f"{first:%Y-%m}")["provisional"] is provisional


def test_a_transfer_of_a_slow_clock_stays_in_the_month_of_the_one_before() -> None:
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as clock:
        alice = person(owner_of(organization_of("Acme", "alice@acme.example")))
        give(alice.organization, 1)
        clock.shift(timedelta(seconds=-1))
        give(alice.organization, 2)
        clock.shift(timedelta(days=31))
        found = statement(alice, "2026-03")

    assert [line["credits"] for line in found["data"]] == [1, 2]
    assert set(Transfer.objects.values_list("created_at", flat=True)) == {datetime(2026, 3, 1, tzinfo=UTC)}


@pytest.mark.parametrize("ending", ["", ".csv", ".pdf"])
@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-00", "0000-01", "26-01", "2026-1", "２０２６-01", "x"])
def test_a_month_that_is_none_is_refused(alice: Person, month: str, ending: str) -> None:
    answer = alice.client.get(f"/v1/statements/{month}{ending}")
    found = answer.json()["error"]
    assert (answer.status_code, found["code"], found["param"]) == (400, "invalid_parameter", "month")


@pytest.mark.parametrize("ending", ["", ".csv", ".pdf"])
def test_a_month_without_a_statement_says_why(alice: Person, ending: str) -> None:
    for month, why in (("9999-12", "has not begun"), ("2001-01", f"opened on {datetime.now(UTC):%Y-%m-%d}")):
        answer = alice.client.get(f"/v1/statements/{month}{ending}")
        found = answer.json()["error"]
        assert (answer.status_code, found["code"], found["param"]) == (404, "statement_not_found", "month")
        assert why in found["message"]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=-1", "page_size=0", "page_size=1001"])
def test_a_wrong_page_is_refused(alice: Person, query: str) -> None:
    answer = alice.client.get(f"/v1/statements/{this_month()}?{query}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, query.partition("=")[0])


def test_a_stranger_reads_his_own_books_alone(month: Person, charlie: Person) -> None:
    found = statement(charlie, this_month())
    assert (found["organization"]["name"], found["data"], found["closing_balance"]) == ("Zenith", [], 0)


def test_an_organization_without_a_wallet_has_an_empty_statement(charlie: Person) -> None:
    made = organizations.create("New", "dora@new.example")
    found = statement(person(owner_of(made)), this_month())
    assert (found["opening_balance"], found["data"], found["closing_balance"]) == (0, [], 0)


def rows_of(who: Person, month: str) -> list[dict[str, str]]:
    answer = who.client.get(f"/v1/statements/{month}.csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def test_the_csv_adds_up_in_a_spreadsheet(year: Person) -> None:
    rows = rows_of(year, "2026-07")
    first, *lines, last = rows
    change = sum(Decimal(line["credits_in"] or 0) - Decimal(line["credits_out"] or 0) for line in lines)

    assert (first["type"], first["time_utc"]) == ("opening_balance", "2026-07-01 00:00:00")
    assert (last["type"], last["time_utc"]) == ("closing_balance", "2026-08-01 00:00:00")
    assert Decimal(first["balance"]) + change == Decimal(last["balance"])
    assert [line["seq"] for line in lines] == [str(line["seq"]) for line in all_lines(year, "2026-07")]
    assert list(first) == list(statement_csv.HEAD)


def test_the_csv_of_a_running_month_says_so(month: Person) -> None:
    answer = month.client.get(f"/v1/statements/{this_month()}.csv")
    name = f'attachment; filename="statement-{this_month()}-provisional.csv"'
    assert answer["Content-Disposition"] == name
    assert rows_of(month, this_month())[-1]["type"] == "balance_so_far"


def test_no_cell_of_the_csv_is_a_formula(month: Person) -> None:
    rows = rows_of(month, this_month())
    assert rows[1]["reference"] == "'=cmd|' /C calc'!A0"
    cells = [cell for row in rows for cell in row.values() if cell]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_text_that_begins_like_a_formula_is_made_harmless(begin: str) -> None:
    assert spreadsheets.harmless(f"{begin}1") == f"'{begin}1"
    assert spreadsheets.harmless(f"1{begin}") == f"1{begin}"


def test_the_csv_is_sent_in_parts(month: Person) -> None:
    for _ in range(statement_csv.ROWS_AT_A_TIME):
        give(month.organization, 1)
    answer = month.client.get(f"/v1/statements/{this_month()}.csv")
    assert answer.streaming
    parts = list(answer.streaming_content)
    assert len(parts) == 3
    assert len(b"".join(parts).splitlines()) == statement_csv.ROWS_AT_A_TIME + 5


def test_a_cursor_of_another_month_shows_only_this_ones_lines(year: Person) -> None:
    assert [line["seq"] for line in statement(year, "2026-07", "?cursor=0")["data"]] == [
        line["seq"] for line in all_lines(year, "2026-07")
    ]
    assert statement(year, "2026-07", "?cursor=99999")["data"] == []
