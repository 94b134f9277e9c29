"""Which credits burn first, what expires, and what comes back into a lot that has expired meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.errors import QuotaExceeded
from accounts.models import Organization
from billing import ledger
from tests.billing.books import findings, give, lot_amounts, movements, reserve, totals
from tests.billing.conftest import NOW

Clock = time_machine.Traveller


def test_promo_burns_before_goodwill_and_goodwill_before_paid(acme: Organization) -> None:
    paid, goodwill, promo = give(acme, 10, "paid"), give(acme, 10, "goodwill"), give(acme, 10, "promo")

    reserve(acme, 25)

    assert [lot_amounts(lot)[1] for lot in (promo, goodwill, paid)] == [10, 10, 5]
    assert findings() == []


def test_within_a_priority_the_soonest_expiry_burns_first_then_the_oldest(acme: Organization, clock: Clock) -> None:
    old = give(acme, 10)
    clock.shift(1)
    young = give(acme, 10)
    late = give(acme, 10, expires_at=NOW + timedelta(days=9))
    soon = give(acme, 10, expires_at=NOW + timedelta(days=3))

    reserve(acme, 35)

    assert [lot_amounts(lot)[1] for lot in (soon, late, old, young)] == [10, 10, 10, 5]
    assert findings() == []


def test_an_explicit_priority_wins_over_the_kind(acme: Organization) -> None:
    promo, urgent = give(acme, 10), give(acme, 10, "paid", priority=1)

    reserve(acme, 10)

    assert (lot_amounts(promo)[1], lot_amounts(urgent)[1]) == (0, 10)


def test_what_is_captured_burns_in_order_and_a_refund_goes_back_in_reverse(acme: Organization) -> None:
    promo, paid = give(acme, 10), give(acme, 10, "paid")
    held = reserve(acme, 18)

    ledger.capture(held.id, Decimal(14))
    assert [lot_amounts(lot) for lot in (promo, paid)] == [(0, 0, 10), (6, 0, 4)]

    ledger.refund(held.id, Decimal(5), reference="sorry")
    assert [lot_amounts(lot) for lot in (promo, paid)] == [(1, 0, 9), (10, 0, 0)]
    assert findings() == []


def test_an_expired_lot_gives_nothing_and_is_swept_by_the_next_reserve(acme: Organization, clock: Clock) -> None:
    lot = give(acme, 30, expires_at=NOW + timedelta(days=1))
    give(acme, 5, "paid")
    clock.shift(timedelta(days=1))

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 6)
    assert refused.value.details["remaining_credits"] == 5
    assert totals(acme) == (35, 0)  # what refuses writes nothing

    reserve(acme, 5)

    assert totals(acme) == (0, 5)
    lot.refresh_from_db()
    assert (lot.expired, lot.remaining, lot.sweep_at) == (30, 0, None)
    assert movements(acme)[2:] == [("expire", 30), ("reserve", 5)]
    assert findings() == []


def test_the_sweep_expires_due_lots_of_every_wallet_once(
    acme: Organization, zenith: Organization, clock: Clock
) -> None:
    for organization in (acme, zenith):
        give(organization, 30, expires_at=NOW + timedelta(days=1))
        give(organization, 7)
    assert ledger.expire_due() == 0

    clock.shift(timedelta(days=2))

    assert (ledger.expire_due(), ledger.expire_due()) == (2, 0)
    assert (totals(acme), totals(zenith)) == ((7, 0), (7, 0))
    assert findings() == []


def test_expire_says_how_much_it_took(acme: Organization, clock: Clock) -> None:
    give(acme, 30, expires_at=NOW + timedelta(days=1))
    clock.shift(timedelta(days=2))

    assert (ledger.expire(acme), ledger.expire(acme)) == (30, 0)


def test_reserved_credits_are_honoured_past_the_expiry(acme: Organization, clock: Clock) -> None:
    lot = give(acme, 30, expires_at=NOW + timedelta(days=1))
    held = reserve(acme, 27)
    clock.shift(timedelta(days=2))
    ledger.expire_due()
    assert lot_amounts(lot) == (0, 27, 0)

    ledger.capture(held.id)

    assert lot_amounts(lot) == (0, 0, 27)
    assert lot.expires_at == NOW + timedelta(days=1)
    assert findings() == []


@pytest.mark.parametrize("swept", [True, False])
def test_what_returns_to_an_expired_lot_lives_7_days_more(acme: Organization, clock: Clock, swept: bool) -> None:
    lot = give(acme, 30, expires_at=NOW + timedelta(days=1))
    held = reserve(acme, 27)
    clock.shift(timedelta(days=2))
    if swept:
        ledger.expire_due()

    ledger.release(held.id)

    assert lot_amounts(lot) == (27, 0, 0)  # the 3 that nobody had reserved are gone
    assert lot.expires_at == NOW + timedelta(days=9)
    assert lot.transfers.get(kind="release").lot_expires_at == lot.expires_at
    assert totals(acme) == (27, 0)
    clock.shift(timedelta(days=7))
    assert ledger.expire_due() == 1
    assert totals(acme) == (0, 0)
    assert findings() == []


def test_a_refund_into_an_expired_lot_lives_7_days_more(acme: Organization, clock: Clock) -> None:
    lot = give(acme, 30, expires_at=NOW + timedelta(days=1))
    held = ledger.capture(reserve(acme, 30).id)
    clock.shift(timedelta(days=2))

    ledger.refund(held.id, Decimal(10), reference="sorry")

    assert lot_amounts(lot) == (10, 0, 20)
    assert lot.expires_at == datetime(2026, 12, 2, 12, tzinfo=UTC)
    assert findings() == []
