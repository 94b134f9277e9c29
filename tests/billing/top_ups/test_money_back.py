"""Refunds and disputes: the credits go where the money goes, and what is reserved stays."""

from decimal import Decimal
from typing import Any

import pytest

from billing import audit, ledger
from billing.models import AutoRecharge, MoneyBack, TopUp
from billing.top_ups import looks, recharge
from generations.models import Alert
from tests.billing.books import reserve, totals, wallet_of
from tests.billing.top_ups.conftest import Buy, due, fresh
from tests.stripe_peer.server import Peer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid(buy: Buy, told: Peer) -> TopUp:
    top_up = buy(pack="10")
    told.account.pay(top_up.session_id)
    told.deliver()
    return fresh(top_up)


def intent(top_up: TopUp) -> str:
    assert top_up.payment_intent_id
    return top_up.payment_intent_id


def test_refunds_take_credits_back_in_proportion_and_no_more_than_there_were(paid: TopUp, told: Peer) -> None:
    told.account.refund(intent(paid), 333)
    told.deliver()
    assert totals(paid.organization)[0] == Decimal("480.24")
    told.account.refund(intent(paid), 667)
    told.deliver()
    assert totals(paid.organization) == (0, 0)
    assert (fresh(paid).back_cents, fresh(paid).back_credits) == (1000, 720)
    assert audit.audit_all().findings == []


def test_the_same_refund_told_again_changes_nothing(paid: TopUp, told: Peer) -> None:
    told.account.refund(intent(paid), 500)
    event = told.last("refund.created")
    for _ in range(3):
        assert told.send(event | {"id": f"evt_again_{_}"}) == 200
    due(paid)
    looks.run(seconds=10)
    assert totals(paid.organization) == (360, 0)
    assert MoneyBack.objects.count() == 1


def test_a_refund_that_fails_gives_the_credits_back(paid: TopUp, told: Peer) -> None:
    refund = told.account.refund(intent(paid), 500, status="pending")
    told.deliver()
    assert totals(paid.organization) == (360, 0)
    told.account.refund_fails(refund["id"])
    told.deliver()
    assert totals(paid.organization) == (720, 0)


def test_a_lost_dispute_with_reserved_credits_is_a_debt_and_freezes(paid: TopUp, told: Peer) -> None:
    held = reserve(paid.organization, 300)
    told.account.dispute(intent(paid))
    told.deliver()
    wallet = wallet_of(paid.organization)
    assert (wallet.balance, wallet.reserved, wallet.debt) == (300, 300, 300)
    assert wallet.is_frozen
    ledger.capture(held.id)
    [dispute] = told.account.all_of("dispute")
    told.account.close_dispute(dispute["id"], "lost")
    told.deliver()
    wallet = wallet_of(paid.organization)
    assert (wallet.balance, wallet.reserved, wallet.debt) == (0, 0, 300)
    assert Alert.objects.filter(kind="top-up-disputed").exists()
    assert audit.audit_all().findings == []


def test_a_dispute_that_is_won_pays_the_debt_and_ends_the_freeze(paid: TopUp, told: Peer) -> None:
    held = reserve(paid.organization, 300)
    dispute = told.account.dispute(intent(paid))
    told.deliver()
    told.account.close_dispute(dispute["id"], "won")
    told.deliver()
    wallet = wallet_of(paid.organization)
    assert (wallet.balance, wallet.debt, wallet.is_frozen) == (720, 0, False)
    ledger.release(held.id)
    assert totals(paid.organization) == (720, 0)
    assert audit.audit_all().findings == []


def test_an_inquiry_takes_nothing(paid: TopUp, told: Peer) -> None:
    told.account.dispute(intent(paid), status="warning_needs_response")
    told.deliver()
    assert totals(paid.organization) == (720, 0)


def test_a_late_message_about_an_earlier_state_changes_nothing(paid: TopUp, told: Peer) -> None:
    dispute = told.account.dispute(intent(paid))
    opened: dict[str, Any] = told.last("charge.dispute.created")
    told.deliver()
    told.account.close_dispute(dispute["id"], "won")
    told.deliver()
    assert told.send(opened | {"id": "evt_late"}) == 200
    assert totals(paid.organization) == (720, 0)


def test_a_refund_and_a_dispute_of_the_same_money_take_it_once(paid: TopUp, told: Peer) -> None:
    told.account.refund(intent(paid), 600)
    told.account.dispute(intent(paid))
    told.deliver()
    assert (fresh(paid).back_cents, totals(paid.organization)) == (1000, (0, 0))
    assert wallet_of(paid.organization).debt == 0


def test_a_refund_pauses_auto_recharge_which_would_charge_it_again(paid: TopUp, told: Peer) -> None:
    AutoRecharge.objects.create(
        organization=paid.organization,
        enabled=True,
        threshold_credits=Decimal(700),
        amount_cents=1000,
        monthly_maximum_cents=5000,
        customer_id="cus_1",
        payment_method_id="pm_1",
    )
    told.account.refund(intent(paid), 1000)
    told.deliver()
    assert recharge.run(seconds=10) == 0
    assert AutoRecharge.objects.get().paused_reason == "A payment was refunded or disputed."
