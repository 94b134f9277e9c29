"""Many at once on one wallet. Sizes: LEDGER_THREADS."""

import os
from collections import Counter
from decimal import Decimal

import pytest
from django.db.transaction import TransactionManagementError

from accounts import ids
from accounts.errors import QuotaExceeded
from accounts.models import Organization
from billing import audit, ledger, locks
from billing.errors import LedgerConflict
from billing.models import Reservation
from tests.billing.books import findings, give, key_of, movements, reserve, totals, wallet_of
from tests.billing.racing import at_once
from tests.cast import Person

THREADS = int(os.environ.get("LEDGER_THREADS", "64"))
pytestmark = pytest.mark.django_db(transaction=True)


def test_money_for_exactly_10_tasks_reserves_exactly_10(acme: Organization) -> None:
    give(acme, "134.9999")
    give(acme, "135.0001", "paid")

    outcomes = at_once([lambda: reserve(acme, 27)] * THREADS)

    assert Counter(outcomes)[QuotaExceeded] == THREADS - 10
    assert (totals(acme), Reservation.objects.count()) == ((0, 270), 10)
    assert findings() == []


def test_reserves_that_find_no_wallet_yet_see_what_is_granted_meanwhile(charlie: Person) -> None:
    zenith = charlie.organization
    wallet_of(zenith).delete()

    outcomes = at_once([lambda: give(zenith, 54), *[lambda: reserve(zenith, 27)] * 15])

    reserved = Reservation.objects.count()
    assert Counter(outcomes)[QuotaExceeded] == 15 - reserved
    assert totals(zenith) == (54 - 27 * reserved, 27 * reserved)
    assert findings() == []


def test_a_budget_for_exactly_5_tasks_lets_exactly_5_pass(acme: Organization) -> None:
    give(acme, 10_000)
    key = key_of(acme, total=200, daily=139)

    outcomes = at_once([lambda: reserve(acme, 27, api_key=key)] * 32)

    assert Counter(outcomes)[QuotaExceeded] == 27
    assert totals(acme) == (9865, 135)
    assert findings() == []


def test_equal_calls_at_once_are_one_call(acme: Organization) -> None:
    give(acme, 1000)
    task, key = ids.new(), key_of(acme)

    held = at_once([lambda: ledger.reserve(acme, task, Decimal(27), api_key=key)] * 16)
    at_once([lambda: ledger.capture(task, Decimal(20))] * 16)
    at_once([lambda: ledger.refund(task, Decimal(5), reference="r")] * 16)
    at_once([lambda: ledger.top_up(acme, Decimal(7), reference="p")] * 16)
    at_once([lambda: ledger.adjust(acme, Decimal(-2), reference="d", reason="test")] * 16)

    assert {reservation.pk for reservation in held} == {task}
    assert [kind for kind, _ in movements(acme)] == [
        *("grant", "reserve", "capture", "release", "refund", "top_up", "adjust")
    ]
    assert totals(acme) == (990, 0)
    assert findings() == []


def test_different_calls_for_one_task_have_one_winner(acme: Organization) -> None:
    give(acme, 1000)
    task = ids.new()

    outcomes = at_once([lambda n=n: ledger.reserve(acme, task, Decimal(n)) for n in range(1, 17)])

    assert Counter(outcomes)[LedgerConflict] == 15
    assert Reservation.objects.get().amount == totals(acme)[1]
    assert findings() == []


def test_capture_against_release_has_one_winner_every_time(acme: Organization) -> None:
    give(acme, 100)
    tasks = [reserve(acme, 5).id for _ in range(12)]

    calls = [lambda t=t, verb=verb: verb(t) for t in tasks for verb in (ledger.capture, ledger.release)]
    outcomes = at_once(calls)

    assert Counter(outcomes)[LedgerConflict] == 12
    captured = Reservation.objects.filter(state="captured").count()
    assert totals(acme) == (100 - 5 * captured, 0)
    assert findings() == []


def test_the_first_grant_opens_the_wallet_however_many_come_at_once(acme: Organization) -> None:
    wallet_of(acme).delete()

    at_once([lambda n=n: give(acme, 1, reference=f"voucher {n}") for n in range(16)])

    assert (totals(acme), wallet_of(acme).seq) == ((16, 0), 16)
    assert findings() == []


def test_an_audit_during_the_rush_sees_no_fault(acme: Organization) -> None:
    give(acme, 1000)

    def work() -> None:
        for _ in range(5):
            ledger.capture(reserve(acme, 3).id, Decimal(2))

    outcomes = at_once([*[work] * 8, *[lambda: audit.audit_all().findings] * 4])

    assert outcomes[8:] == [[]] * 4
    assert totals(acme) == (920, 0)
    assert audit.audit_all().findings == []


def test_nothing_is_locked_without_a_transaction(acme: Organization) -> None:
    give(acme, 10)
    reservation = reserve(acme, 1)
    with pytest.raises(TransactionManagementError):
        locks.lock(acme)
    with pytest.raises(TransactionManagementError):
        locks.lock_reservation(reservation)
