"""Key budgets: in total and per UTC day, shared by rolled keys, remembered by the reservation."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.errors import QuotaExceeded
from accounts.models import ApiKey, Organization
from billing import ledger
from billing.models import BudgetWindow
from tests.billing.books import findings, give, key_of, reserve, totals

Clock = time_machine.Traveller


def windows(key: ApiKey) -> dict[str, tuple[Decimal, Decimal]]:
    rows = BudgetWindow.objects.filter(budget=key.budget)
    return {str(row.day or "total"): (row.reserved, row.captured) for row in rows}


def test_the_total_limit_counts_what_is_reserved_and_what_was_captured(acme: Organization) -> None:
    give(acme, 1000)
    key = key_of(acme, total=50)
    ledger.capture(reserve(acme, 27, api_key=key).id)
    held = reserve(acme, 20, api_key=key)

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 4, api_key=key)

    assert refused.value.code == "key_quota_exhausted"
    figures = ("estimated_credits", "account_balance_credits", "remaining_credits", "reset_at")
    assert [refused.value.details[name] for name in figures] == [4, 953, 3, None]
    assert totals(acme) == (953, 20)
    ledger.release(held.id)
    assert reserve(acme, 23, api_key=key).amount == 23
    assert findings() == []


def test_the_daily_limit_says_when_it_ends_and_ends_then(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    key = key_of(acme, daily=30)
    reserve(acme, 27, api_key=key)

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 4, api_key=key)

    assert refused.value.code == "key_daily_quota_exhausted"
    assert refused.value.details["reset_at"] == int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
    assert refused.value.details["remaining_credits"] == 3
    clock.shift(timedelta(hours=12))
    assert reserve(acme, 30, api_key=key).budget_day == date(2026, 11, 24)
    assert findings() == []


def test_a_reservation_counts_in_the_day_it_was_made(acme: Organization, clock: Clock) -> None:
    give(acme, 1000)
    key = key_of(acme)
    held, other = reserve(acme, 27, api_key=key), reserve(acme, 10, api_key=key)
    clock.shift(timedelta(days=1))

    ledger.capture(held.id, Decimal(20))
    ledger.release(other.id)
    ledger.refund(held.id, Decimal(5), reference="sorry")
    reserve(acme, 1, api_key=key)

    assert windows(key) == {"total": (1, 15), "2026-11-23": (0, 15), "2026-11-24": (1, 0)}
    assert findings() == []


def test_a_rolled_key_shares_the_budget(acme: Organization) -> None:
    give(acme, 1000)
    key = key_of(acme, total=30)
    rolled = key_of(acme)
    rolled.budget = key.budget
    rolled.save(update_fields=["budget"])
    reserve(acme, 20, api_key=key)

    with pytest.raises(QuotaExceeded):
        reserve(acme, 11, api_key=rolled)

    reserve(acme, 10, api_key=rolled)
    assert windows(key)["total"] == (30, 0)
    assert findings() == []


def test_a_limit_that_is_set_later_counts_what_was_spent_before(acme: Organization) -> None:
    give(acme, 1000)
    key = key_of(acme)
    ledger.capture(reserve(acme, 27, api_key=key).id)
    key.budget.total_limit = Decimal(20)
    key.budget.save(update_fields=["total_limit"])

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 1, api_key=key)

    assert refused.value.details["remaining_credits"] == 0
    assert findings() == []


def test_a_refused_reservation_leaves_the_windows_alone(acme: Organization) -> None:
    give(acme, 10)
    key = key_of(acme, total=100)

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 11, api_key=key)

    assert refused.value.code == "account_balance_insufficient"
    assert windows(key) == {}
