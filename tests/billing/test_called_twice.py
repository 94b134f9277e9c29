"""Called twice with the same reference = done once and the same result; with other arguments = an error, no write."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts import ids
from accounts.models import Organization
from billing import ledger
from billing.errors import LedgerConflict
from billing.models import Transfer
from tests.billing.books import findings, give, key_of, reserve, totals

EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)


def grant(organization: Organization, amount: object = 5, **changed: object) -> object:
    facts = {"kind": "promo", "reference": "welcome", "reason": "hello", "expires_at": EXPIRY} | changed
    return ledger.grant(organization, Decimal(str(amount)), **facts)


def assert_conflicts(*calls: Callable[[], object]) -> None:
    before = Transfer.objects.count()
    for call in calls:
        with pytest.raises(LedgerConflict):
            call()
    assert Transfer.objects.count() == before
    assert findings() == []


def test_grant(acme: Organization) -> None:
    assert grant(acme) == grant(acme)

    assert totals(acme) == (5, 0)
    assert_conflicts(
        lambda: grant(acme, 6),
        lambda: grant(acme, kind="goodwill"),
        lambda: grant(acme, priority=1),
        lambda: grant(acme, reason="other"),
        lambda: grant(acme, expires_at=None),
        lambda: ledger.top_up(acme, Decimal(5), reference="welcome"),
        lambda: ledger.adjust(acme, Decimal(5), reference="welcome", reason="hello"),
    )


def test_top_up(acme: Organization) -> None:
    assert ledger.top_up(acme, Decimal(5), reference="p") == ledger.top_up(acme, Decimal(5), reference="p")

    assert totals(acme) == (5, 0)
    assert_conflicts(lambda: ledger.top_up(acme, Decimal(6), reference="p"), lambda: grant(acme, reference="p"))


def test_reserve(acme: Organization, zenith: Organization) -> None:
    give(acme, 100)
    give(zenith, 100)
    task, key = ids.new(), key_of(acme)
    first = ledger.reserve(acme, task, Decimal(5), api_key=key)

    assert ledger.reserve(acme, task, Decimal(5), api_key=key) == first
    assert totals(acme) == (95, 5)
    assert_conflicts(
        lambda: ledger.reserve(acme, task, Decimal(6), api_key=key),
        lambda: ledger.reserve(acme, task, Decimal(5)),
        lambda: ledger.reserve(acme, task, Decimal(5), api_key=key_of(acme)),
        lambda: ledger.reserve(zenith, task, Decimal(5)),
    )


def test_reserve_for_another_model(acme: Organization) -> None:
    give(acme, 100)
    task = ids.new()
    first = ledger.reserve(acme, task, Decimal(5), model="one")

    assert ledger.reserve(acme, task, Decimal(5), model="one") == first
    assert_conflicts(
        lambda: ledger.reserve(acme, task, Decimal(5), model="two"), lambda: ledger.reserve(acme, task, Decimal(5))
    )


def test_reserve_again_after_it_was_captured_and_everything_is_spent(acme: Organization) -> None:
    give(acme, 5)
    held = ledger.capture(reserve(acme, 5).id)

    again = ledger.reserve(acme, held.id, Decimal(5))

    assert (again.state, totals(acme)) == ("captured", (0, 0))


def test_capture(acme: Organization) -> None:
    give(acme, 100)
    held = reserve(acme, 10)
    ledger.capture(held.id, Decimal(4))

    assert ledger.capture(held.id, Decimal(4)).captured == 4
    assert totals(acme) == (96, 0)
    assert_conflicts(
        lambda: ledger.capture(held.id),
        lambda: ledger.capture(held.id, Decimal(5)),
        lambda: ledger.release(held.id),
    )


def test_release(acme: Organization) -> None:
    give(acme, 100)
    held = reserve(acme, 10)
    ledger.release(held.id)

    assert ledger.release(held.id).state == "released"
    assert totals(acme) == (100, 0)
    assert_conflicts(
        lambda: ledger.capture(held.id),
        lambda: ledger.capture(held.id, Decimal(0)),
        lambda: ledger.refund(held.id, Decimal(1), reference="r"),
    )


def test_refund(acme: Organization) -> None:
    give(acme, 100)
    held, other = ledger.capture(reserve(acme, 10).id), ledger.capture(reserve(acme, 10).id)
    ledger.refund(held.id, Decimal(3), reference="r")

    assert ledger.refund(held.id, Decimal(3), reference="r").refunded == 3
    assert totals(acme) == (83, 0)
    assert_conflicts(
        lambda: ledger.refund(held.id, Decimal(4), reference="r"),
        lambda: ledger.refund(other.id, Decimal(3), reference="r"),
        lambda: ledger.top_up(acme, Decimal(3), reference="r"),
    )


def test_adjust_even_when_all_of_it_is_debt(acme: Organization) -> None:
    def dispute(amount: int = -10, reason: str = "disputed") -> object:
        return ledger.adjust(acme, Decimal(amount), reference="d", reason=reason)

    assert dispute() == dispute()

    assert ledger.open_wallet(acme).debt == 10
    assert_conflicts(
        lambda: dispute(-9),
        lambda: dispute(reason="other"),
        lambda: ledger.top_up(acme, Decimal(10), reference="d"),
    )
