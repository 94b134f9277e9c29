"""Monthly limits of a key and the monthly cap of an organization: exact, by calendar month of UTC, whatever races."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.errors import QuotaExceeded
from accounts.models import Organization
from billing import caps, ledger, standing
from billing.models import Wallet
from tests.billing.books import findings, give, key_of, reserve, totals, wallet_of
from tests.billing.racing import at_once

Clock = time_machine.Traveller
DECEMBER = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())


def test_the_monthly_limit_counts_all_days_of_the_month_and_says_when_it_ends(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    key = key_of(acme, monthly=50)
    ledger.capture(reserve(acme, 20, api_key=key).id)
    clock.shift(timedelta(days=2))
    held = reserve(acme, 27, api_key=key)

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 4, api_key=key)

    assert refused.value.code == "key_monthly_quota_exhausted"
    figures = ("estimated_credits", "account_balance_credits", "remaining_credits", "reset_at")
    assert [refused.value.details[name] for name in figures] == [4, 953, 3, DECEMBER]
    ledger.release(held.id)
    assert reserve(acme, 30, api_key=key).amount == 30
    assert findings() == []


def test_a_new_month_begins_at_midnight_utc(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    key = key_of(acme, monthly=50)
    reserve(acme, 50, api_key=key)
    clock.move_to(datetime(2026, 11, 30, 23, 59, 59, 999999, tzinfo=UTC))
    with pytest.raises(QuotaExceeded):
        reserve(acme, 1, api_key=key)
    clock.move_to(datetime(2026, 12, 1, tzinfo=UTC))
    assert reserve(acme, 50, api_key=key).budget_day == date(2026, 12, 1)
    assert findings() == []


def test_a_limit_that_is_set_in_mid_month_counts_what_was_spent_since_it_began(
    acme: Organization, clock: Clock
) -> None:
    give(acme, 1000)
    key = key_of(acme)
    reserve(acme, 40, api_key=key)
    key.budget.monthly_limit = Decimal(50)
    key.budget.save(update_fields=["monthly_limit"])
    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 11, api_key=key)
    assert refused.value.details["remaining_credits"] == 10


def test_what_a_key_may_still_spend_is_the_least_of_all_limits(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    key = key_of(acme, total=500, daily=100, monthly=60)
    reserve(acme, 20, api_key=key)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert standing.of_key(key, standing.of_organization(acme, now), now).remaining == 40
    caps.set_cap(acme, Decimal(25))
    assert standing.of_key(key, standing.of_organization(acme, now), now).remaining == 5


def test_the_cap_holds_for_all_keys_together_and_without_a_key(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    reserve(acme, 20, api_key=key_of(acme))
    caps.set_cap(acme, Decimal(50))
    ledger.capture(reserve(acme, 20).id)

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 11, api_key=key_of(acme))

    assert refused.value.code == "organization_monthly_cap_reached"
    figures = ("estimated_credits", "account_balance_credits", "remaining_credits", "reset_at")
    assert [refused.value.details[name] for name in figures] == [11, 960, 10, DECEMBER]
    assert totals(acme) == (960, 20)
    assert reserve(acme, 10).amount == 10
    assert findings() == []


def test_releases_and_refunds_make_room_under_the_cap_again(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    caps.set_cap(acme, Decimal(100))
    first, second = reserve(acme, 60), reserve(acme, 40)
    ledger.release(first.id)
    ledger.capture(second.id, Decimal(30))
    ledger.refund(second.id, Decimal(10), reference="sorry")
    wallet = wallet_of(acme)
    assert (wallet.month_reserved, wallet.month_captured) == (0, 20)
    assert reserve(acme, 80).amount == 80
    assert findings() == []


def test_a_reservation_of_last_month_gives_no_room_in_this_one(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    caps.set_cap(acme, Decimal(100))
    old = reserve(acme, 100)
    clock.move_to(datetime(2026, 12, 1, tzinfo=UTC))
    new = reserve(acme, 100)
    ledger.release(old.id)
    with pytest.raises(QuotaExceeded):
        reserve(acme, 1)
    ledger.release(new.id)
    assert reserve(acme, 100).amount == 100
    assert findings() == []


def test_without_a_cap_there_is_none_and_zero_lets_nothing_through(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    caps.set_cap(acme, Decimal(0))
    with pytest.raises(QuotaExceeded):
        reserve(acme, 1)
    assert reserve(acme, 0).amount == 0
    caps.set_cap(acme, None)
    assert reserve(acme, 1000).amount == 1000
    with pytest.raises(ValueError, match="not negative"):
        caps.set_cap(acme, Decimal(-1))


def test_a_posting_that_knows_nothing_of_the_cap_is_caught_up_with(acme: Organization, clock: Clock) -> None:
    """As a host that still runs the version before: it moves `seq` and leaves the window alone."""
    give(acme, 1000)
    caps.set_cap(acme, Decimal(100))
    reserve(acme, 30)
    kept = Wallet.objects.filter(pk=acme.pk).values("month", "month_reserved", "month_captured", "month_seq").get()
    reserve(acme, 50)
    Wallet.objects.filter(pk=acme.pk).update(**kept)
    assert caps.left(acme, datetime(2026, 11, 23, 12, tzinfo=UTC)) == 20
    with pytest.raises(QuotaExceeded):
        reserve(acme, 21)
    assert reserve(acme, 20).amount == 20
    assert wallet_of(acme).month_reserved == 100
    assert findings() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["limit", "cap"])
def test_sixty_four_at_once_never_pass_it(acme: Organization, kind: str) -> None:
    give(acme, 10_000)
    key = key_of(acme, monthly=100 if kind == "limit" else None)
    if kind == "cap":
        caps.set_cap(acme, Decimal(100))

    outcomes = at_once([lambda: reserve(acme, 10, api_key=key).amount] * 64)

    assert [outcomes.count(one) for one in (Decimal(10), QuotaExceeded)] == [10, 54]
    assert totals(acme) == (9_900, 100)
    assert findings() == []


def test_the_auditor_finds_a_window_that_is_not_the_sum_of_its_reservations(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    caps.set_cap(acme, Decimal(100))
    reserve(acme, 30)
    Wallet.objects.filter(pk=acme.pk).update(month_reserved=29)
    assert [(one.invariant, one.subject) for one in findings()] == [("I11", "wallet")]
