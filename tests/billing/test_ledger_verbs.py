"""What each verb of the ledger does to the wallet, the lots and the chain of transfers."""

from decimal import Decimal

import pytest
from django.conf import settings

from accounts import ids
from accounts.errors import QuotaExceeded
from accounts.models import Organization
from billing import ledger
from billing.errors import LedgerConflict
from billing.models import Reservation, Transfer
from tests.billing.books import findings, give, key_of, lot_amounts, movements, reserve, totals, wallet_of
from tests.statements import statements


def test_a_new_wallet_is_empty_and_opens_once(acme: Organization) -> None:
    assert ledger.open_wallet(acme) == ledger.open_wallet(acme)
    assert totals(acme) == (0, 0)


def test_a_grant_and_a_top_up_are_lots_of_their_own(acme: Organization) -> None:
    promo, paid = give(acme, 30), ledger.top_up(acme, Decimal(720), reference="payment 1")

    assert totals(acme) == (750, 0)
    assert (promo.kind, promo.priority, paid.kind, paid.priority) == ("promo", 10, "paid", 30)
    accounts = list(wallet_of(acme).transfers.order_by("seq").values_list("seq", "kind", "debit", "credit", "amount"))
    assert accounts == [
        (1, "grant", "issued_promo", "available", Decimal(30)),
        (2, "top_up", "issued_paid", "available", Decimal(720)),
    ]


def test_a_capture_takes_the_price_and_releases_the_rest(acme: Organization) -> None:
    lot = give(acme, 100)
    held = reserve(acme, "35.991")
    assert totals(acme) == (Decimal("64.009"), Decimal("35.991"))

    done = ledger.capture(held.id, Decimal(30))

    assert (done.state, done.captured) == ("captured", 30)
    assert totals(acme) == (70, 0)
    assert lot_amounts(lot) == (70, 0, 30)
    assert movements(acme) == [
        ("grant", Decimal(100)),
        ("reserve", Decimal("35.991")),
        ("capture", Decimal(30)),
        ("release", Decimal("5.991")),
    ]
    assert findings() == []


def test_a_release_gives_everything_back(acme: Organization) -> None:
    lot = give(acme, 27)
    held = reserve(acme, 27)

    assert ledger.release(held.id).state == "released"

    assert totals(acme) == (27, 0)
    assert lot_amounts(lot) == (27, 0, 0)
    assert findings() == []


def test_a_refund_returns_captured_credits_in_parts(acme: Organization) -> None:
    lot = give(acme, 27)
    held = ledger.capture(reserve(acme, 27).id)

    ledger.refund(held.id, Decimal(7), reference="sorry 1")
    refunded = ledger.refund(held.id, Decimal(20), reference="sorry 2")

    assert (refunded.state, refunded.captured, refunded.refunded) == ("captured", 27, 27)
    assert lot_amounts(lot) == (27, 0, 0)
    with pytest.raises(LedgerConflict):
        ledger.refund(held.id, Decimal("0.0001"), reference="sorry 3")
    assert findings() == []


def test_a_price_of_0_is_a_reservation_without_transfers(acme: Organization) -> None:
    held = reserve(acme, 0, api_key=key_of(acme, total=0))

    done = ledger.capture(held.id)

    assert (done.amount, done.captured, done.state) == (0, 0, "captured")
    assert movements(acme) == []
    assert findings() == []


def test_too_little_is_refused_with_the_figures_and_nothing_is_written(acme: Organization) -> None:
    give(acme, 20)

    with pytest.raises(QuotaExceeded) as refused:
        reserve(acme, 27)

    figures = refused.value.body()["error"]
    assert figures == {
        "code": "account_balance_insufficient",
        "type": "insufficient_quota_error",
        "message": "There are not enough credits for this request.",
        "estimated_credits": 27,
        "account_balance_credits": 20,
        "remaining_credits": 20,
        "reset_at": None,
        "action_url": f"{settings.PUBLIC_URL}/console/billing",
    }
    assert totals(acme) == (20, 0)
    assert not Reservation.objects.exists()
    assert reserve(acme, 20).amount == 20


@pytest.mark.parametrize("amount", [Decimal("0.00001"), Decimal(-1), 1.5, "3"])
def test_amounts_that_are_no_exact_credits_are_refused(acme: Organization, amount: object) -> None:
    give(acme, 20)

    for call in (
        lambda: ledger.reserve(acme, ids.new(), amount),
        lambda: ledger.top_up(acme, amount, reference="x"),
        lambda: ledger.grant(acme, amount, kind="promo", reference="x", reason="test"),
    ):
        with pytest.raises(ValueError, match=r".+"):
            call()

    assert movements(acme) == [("grant", 20)]


def test_more_than_reserved_cannot_be_captured(acme: Organization) -> None:
    give(acme, 20)
    held = reserve(acme, 10)

    with pytest.raises(LedgerConflict):
        ledger.capture(held.id, Decimal("10.0001"))

    assert totals(acme) == (10, 10)


def test_an_unknown_reservation_is_an_error(acme: Organization) -> None:
    for verb in (ledger.capture, ledger.release):
        with pytest.raises(Reservation.DoesNotExist):
            verb(ids.new())


def test_transfers_name_the_task_and_the_key(acme: Organization) -> None:
    give(acme, 20)
    key = key_of(acme)
    held = ledger.capture(reserve(acme, 5, api_key=key).id)

    rows = Transfer.objects.filter(reservation=held).order_by("seq")

    assert {row.api_key_id for row in rows} == {key.pk}
    assert [row.reference for row in rows] == [f"reserve:{held.task_id}", f"capture:{held.task_id}"]
    assert held.task_id.startswith("task-video-")


def test_a_key_cannot_spend_another_organizations_credits(acme: Organization, zenith: Organization) -> None:
    give(acme, 20)

    with pytest.raises(ValueError, match="belongs to its organization"):
        reserve(acme, 5, api_key=key_of(zenith))

    assert totals(acme) == (20, 0)


def test_reserving_costs_5_statements_and_resolving_costs_5(acme: Organization) -> None:
    give(acme, 20)
    give(acme, 20, "paid")
    key = key_of(acme, total=100, daily=100)
    key.budget.total_limit  # noqa: B018 — the caller's authentication fetched it

    with statements(5):
        held = reserve(acme, 30, api_key=key)
    with statements(5):
        ledger.capture(held.id)
