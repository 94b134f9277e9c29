"""Roll-ups: never skipped, never counted twice, and exact with their tail (I16)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import ids
from accounts.models import Organization
from billing import ledger, rollups
from billing.models import RollUp, RollUpCursor
from tests.billing.books import findings, give, key_of, reserve, summed_up, wallet_of
from tests.generations.gateway import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = {"since": DAY, "until": DAY + timedelta(days=7)}
EVERYTHING = tuple(rollups.COLUMNS)


def kept() -> list[tuple[object, ...]]:
    return list(
        RollUp.objects.order_by("pk").values_list("span", "starts_at", "kind", "lot_kind", "amount", "postings")
    )


def cursor_of(organization: Organization) -> int:
    return RollUpCursor.objects.get(pk=organization.pk).seq


def test_a_roll_up_is_a_sum_an_hour_and_a_day(acme: Organization, clock: time_machine.Traveller) -> None:
    give(acme, 100, "paid")
    for _ in range(2):
        reserve(acme, 27)
    clock.shift(timedelta(hours=13))
    reserve(acme, 4)

    assert rollups.roll(acme.pk) == 4

    noon, late, tomorrow = DAY.replace(hour=12), DAY + timedelta(days=1, hours=1), DAY + timedelta(days=1)
    assert sorted(kept()) == [
        ("day", DAY, "grant", "paid", 100, 1),
        ("day", DAY, "reserve", "paid", 54, 2),
        ("day", tomorrow, "reserve", "paid", 4, 1),
        ("hour", noon, "grant", "paid", 100, 1),
        ("hour", noon, "reserve", "paid", 54, 2),
        ("hour", late, "reserve", "paid", 4, 1),
    ]


def test_rolling_up_twice_changes_nothing(acme: Organization) -> None:
    give(acme, 100)
    rollups.roll(acme.pk)
    before = kept()

    assert rollups.roll(acme.pk) == 0
    assert rollups.roll_all() == 0
    assert (kept(), cursor_of(acme)) == (before, 1)


def test_what_came_since_is_added_to_the_same_rows(acme: Organization, clock: time_machine.Traveller) -> None:
    give(acme, 100)
    rollups.roll(acme.pk)
    give(acme, 20)
    rollups.roll(acme.pk)

    assert sorted(kept()) == [
        ("day", DAY, "grant", "promo", 120, 2),
        ("hour", DAY.replace(hour=12), "grant", "promo", 120, 2),
    ]


def test_a_task_that_burns_two_lots_counts_once(acme: Organization, clock: time_machine.Traveller) -> None:
    give(acme, 10)
    give(acme, 10, "paid")
    ledger.capture(reserve(acme, 15).id, Decimal(12))
    rollups.roll(acme.pk)

    assert rollups.sums(["kind", "lot_kind"], **WEEK) == [
        {"kind": "capture", "lot_kind": "paid", "amount": 2, "postings": 0},
        {"kind": "capture", "lot_kind": "promo", "amount": 10, "postings": 1},
        {"kind": "grant", "lot_kind": "paid", "amount": 10, "postings": 1},
        {"kind": "grant", "lot_kind": "promo", "amount": 10, "postings": 1},
        {"kind": "release", "lot_kind": "paid", "amount": 3, "postings": 0},
        {"kind": "reserve", "lot_kind": "paid", "amount": 5, "postings": 0},
        {"kind": "reserve", "lot_kind": "promo", "amount": 10, "postings": 1},
    ]


def test_a_figure_is_exact_however_much_is_rolled_up(acme: Organization, clock: time_machine.Traveller) -> None:
    key = key_of(acme)
    give(acme, 100)
    for model in ("one", "two"):
        ledger.capture(ledger.reserve(acme, ids.new(), Decimal("9.5"), api_key=key, model=model).id)
        clock.shift(timedelta(hours=20))
        rollups.roll(acme.pk)
        ledger.release(ledger.reserve(acme, ids.new(), Decimal(7), model=model).id)
    expected = summed_up(EVERYTHING, WEEK["since"], WEEK["until"], span="day")

    with_a_tail = rollups.sums(EVERYTHING, **WEEK)
    rollups.roll(acme.pk)
    without = rollups.sums(EVERYTHING, **WEEK)
    rollups.start_over(acme.pk)
    nothing_but_tail = rollups.sums(EVERYTHING, **WEEK)

    assert with_a_tail == without == nothing_but_tail == expected
    assert len(expected) == 9


def test_the_sums_of_nothing_are_no_rows(acme: Organization, zenith: Organization) -> None:
    give(zenith, 1)

    assert rollups.sums([], **WEEK, wallet_id=acme.pk) == []
    assert rollups.sums(["model"], since=DAY - timedelta(days=9), until=DAY - timedelta(days=8)) == []


def test_a_range_of_hours_is_read_from_hours_and_no_other_range_is_taken(
    acme: Organization, clock: time_machine.Traveller
) -> None:
    give(acme, 1)
    rollups.roll(acme.pk)
    clock.shift(timedelta(hours=1))
    give(acme, 2)

    noon = DAY.replace(hour=12)
    assert rollups.sums(["time"], since=noon, until=noon + timedelta(hours=2)) == [
        {"time": noon, "amount": 1, "postings": 1},
        {"time": noon + timedelta(hours=1), "amount": 2, "postings": 1},
    ]
    with pytest.raises(ValueError, match="not a range of whole hours"):
        rollups.sums([], since=noon, until=noon + timedelta(minutes=30))
    with pytest.raises(ValueError, match="not a range of whole days"):
        rollups.sums([], since=noon, until=noon + timedelta(hours=2), span=RollUp.Span.DAY)


def test_a_long_tail_is_rolled_up_in_parts(acme: Organization) -> None:
    for _ in range(8):
        give(acme, 1)

    assert rollups.roll(acme.pk, chunk=3) == 8
    assert findings() == []


def test_many_roll_up_at_once_while_the_wallet_is_in_use(acme: Organization, zenith: Organization) -> None:
    give(acme, 10_000)
    give(zenith, 10_000)

    def use(organization: Organization) -> Callable[[], object]:
        return lambda: [ledger.capture(reserve(organization, 3).id) for _ in range(5)]

    def roll() -> object:
        return [rollups.roll_all() for _ in range(5)]

    at_once([use(acme), roll, use(zenith), roll, use(acme), roll, use(acme), roll])
    rollups.roll_all()

    assert (cursor_of(acme), cursor_of(zenith)) == (wallet_of(acme).seq, wallet_of(zenith).seq) == (31, 11)
    assert findings() == []


def test_a_reservation_that_waits_for_its_commit_is_not_skipped(acme: Organization) -> None:
    give(acme, 100)
    rollups.roll(acme.pk)

    reserved, looked = Event(), Event()

    def wait_with_the_commit() -> None:
        with transaction.atomic():
            reserve(acme, 5)
            reserved.set()
            assert looked.wait(30)

    def roll_meanwhile() -> int:
        assert reserved.wait(30)
        rolled = rollups.roll(acme.pk)
        looked.set()
        return rolled

    assert at_once([wait_with_the_commit, roll_meanwhile]) == [None, 0]
    assert rollups.roll(acme.pk) == 1
    assert cursor_of(acme) == 2
    assert findings() == []


def test_rolling_up_takes_no_lock_that_a_reservation_waits_for(acme: Organization) -> None:
    give(acme, 100)
    with CaptureQueriesContext(connection) as captured:
        rollups.roll(acme.pk)

    locking = [query["sql"] for query in captured if "FOR " in query["sql"] and "UPDATE" in query["sql"]]
    assert locking
    assert not [sql for sql in locking if "billing_wallet" in sql]


WRONG = [
    "UPDATE billing_rollup SET amount = amount + 1 WHERE span = 'hour' AND kind = 'grant'",
    "UPDATE billing_rollup SET postings = 0 WHERE span = 'day'",
    "UPDATE billing_rollup SET model = 'another' WHERE kind = 'reserve'",
    "DELETE FROM billing_rollup WHERE kind = 'reserve'",
    "UPDATE billing_rollupcursor SET seq = seq - 1",
    "UPDATE billing_rollupcursor SET seq = seq + 1",
    "UPDATE billing_reservation SET model = 'another'",
]


@pytest.mark.parametrize("statement", WRONG)
def test_the_auditor_finds_a_wrong_roll_up(acme: Organization, statement: str) -> None:
    give(acme, 100)
    reserve(acme, 9)
    rollups.roll(acme.pk)
    assert findings() == []

    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert {finding.invariant for finding in findings()} == {"I16"}
    call_command("roll_up", again=acme.public_id, verbosity=0)
    assert findings() == []
