"""Disputes and money refunds: what is available is taken, the rest is debt, and debt freezes the wallet."""

from decimal import Decimal

import pytest

from accounts.errors import Forbidden
from accounts.models import Organization
from billing import ledger
from billing.errors import LedgerConflict
from billing.models import Transfer
from tests.billing.books import findings, give, lot_amounts, reserve, totals, wallet_of


def adjust(organization: Organization, amount: object, reference: str) -> tuple[Decimal, Decimal]:
    """What moved, and how the debt changed."""
    done = ledger.adjust(organization, Decimal(str(amount)), reference=reference, reason="test")
    return done.moved, done.debt_change


def test_a_take_back_takes_paid_credits_before_promo(acme: Organization) -> None:
    promo, paid = give(acme, 10), give(acme, 10, "paid")

    assert adjust(acme, -12, "d") == (-12, 0)

    assert (lot_amounts(promo)[0], lot_amounts(paid)[0]) == (8, 0)
    assert (promo.adjusted, paid.adjusted) == (-2, -10)
    assert not wallet_of(acme).is_frozen
    assert findings() == []


def test_what_is_missing_becomes_debt_and_freezes_the_wallet(acme: Organization) -> None:
    give(acme, 30)
    held, other = reserve(acme, 10), reserve(acme, 5)

    assert adjust(acme, -40, "d") == (-15, 25)

    wallet = wallet_of(acme)
    assert (wallet.debt, wallet.available, wallet.reserved) == (25, 0, 15)
    with pytest.raises(Forbidden) as refused:
        reserve(acme, 0)
    assert refused.value.code == "wallet_frozen"
    ledger.capture(held.id)
    ledger.release(other.id)
    assert totals(acme) == (5, 0)
    assert findings() == []


def test_paying_the_debt_thaws_the_wallet_and_the_rest_is_credits(acme: Organization) -> None:
    adjust(acme, -25, "d")
    assert adjust(acme, 20, "p1") == (0, -20)
    assert wallet_of(acme).is_frozen

    assert adjust(acme, 15, "p2") == (10, -5)

    assert (wallet_of(acme).debt, wallet_of(acme).is_frozen) == (0, False)
    assert totals(acme) == (10, 0)
    assert reserve(acme, 10).amount == 10
    assert findings() == []


@pytest.mark.parametrize("debt_first", [False, True])
@pytest.mark.parametrize("reason", ["The auditor found a fault.", "debt"])
def test_an_operators_freeze_outlasts_the_debt(acme: Organization, reason: str, debt_first: bool) -> None:
    if debt_first:
        adjust(acme, -25, "d")
    ledger.freeze(acme, reason=reason)
    if not debt_first:
        adjust(acme, -25, "d")
    with pytest.raises(LedgerConflict):
        ledger.unfreeze(acme, reason="looked at")

    adjust(acme, 25, "p")

    assert wallet_of(acme).frozen_reason == reason
    with pytest.raises(Forbidden):
        reserve(acme, 0)
    ledger.unfreeze(acme, reason="looked at")
    assert reserve(acme, 0).amount == 0


def test_an_adjustment_of_0_is_refused(acme: Organization) -> None:
    with pytest.raises(ValueError, match="changes nothing"):
        adjust(acme, 0, "d")

    assert not Transfer.objects.exists()
