"""What operators give and take: small amounts at once, large ones after another operator has confirmed them."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, Organization, User
from billing import grants, ledger
from billing.errors import GrantRefused, LedgerConflict
from billing.models import CreditLot, GrantRequest
from tests.billing.books import findings, movements, totals
from tests.billing.operators import operator
from tests.billing.racing import at_once

State = GrantRequest.State


@pytest.fixture(autouse=True)
def five_thousand(settings: Settings) -> None:
    settings.GRANT_CONFIRMATION_CREDITS = Decimal(5000)


@pytest.fixture
def olga(db: None) -> User:
    return operator()


@pytest.fixture
def otto(db: None) -> User:
    return operator("otto")


def give(organization: Organization, amount: object, reference: str, by: User, **more: object) -> GrantRequest:
    facts = {"kind": "goodwill", "reason": "Ticket"} | more
    return grants.grant(organization, Decimal(str(amount)), reference=reference, by=by, **facts)


def take(organization: Organization, amount: object, reference: str, by: User) -> GrantRequest:
    return grants.adjust(organization, Decimal(str(amount)), reference=reference, reason="Dispute", by=by)


def told() -> list[tuple[str, str]]:
    found = AuditEntry.objects.filter(action__startswith="grant.").order_by("pk")
    return [(entry.action, entry.reason) for entry in found]


def test_a_small_grant_is_done_at_once(acme: Organization, olga: User) -> None:
    expires_at = timezone.now() + timedelta(days=30)

    done = give(acme, 5000, "T-1", olga, expires_at=expires_at)

    lot = CreditLot.objects.get()
    assert (done.state, done.needs_confirmation, done.asked_by) == ("done", False, olga)
    assert (lot.reference, lot.granted, lot.kind, lot.expires_at) == ("operator:T-1", 5000, "goodwill", expires_at)
    assert told() == [("grant.done", "Ticket")]
    assert findings() == []


def test_a_large_grant_waits_for_another_operator(acme: Organization, olga: User, otto: User) -> None:
    asked = give(acme, "5000.0001", "T-1", olga)
    assert (asked.state, totals(acme)) == ("pending", (0, 0))

    done = grants.confirm(asked, by=otto, reason="Agreed")

    assert (done.state, done.decided_by, done.decided_reason) == ("done", otto, "Agreed")
    assert totals(acme) == (Decimal("5000.0001"), 0)
    assert told() == [("grant.asked", "Ticket"), ("grant.confirmed", "Agreed")]
    assert (
        ledger.grant(acme, Decimal("5000.0001"), kind="goodwill", reference="operator:T-1", reason="Ticket")
        == CreditLot.objects.get()
    )


def test_large_adjustments_of_both_signs_wait_as_well(acme: Organization, olga: User, otto: User) -> None:
    ledger.top_up(acme, Decimal(9000), reference="payment")
    back, more = take(acme, -6000, "D-1", olga), take(acme, 6000, "D-2", olga)
    assert (back.state, more.state, totals(acme)) == ("pending", "pending", (9000, 0))

    grants.confirm(back, by=otto, reason="Agreed")
    assert totals(acme) == (3000, 0)
    grants.confirm(more, by=otto, reason="Agreed")
    assert totals(acme) == (9000, 0)
    assert findings() == []


def test_a_small_adjustment_is_done_at_once(acme: Organization, olga: User) -> None:
    ledger.top_up(acme, Decimal(100), reference="payment")
    assert (take(acme, -30, "D-1", olga).state, totals(acme)) == ("done", (70, 0))


def test_whoever_asked_can_neither_confirm_nor_decline(acme: Organization, olga: User) -> None:
    asked = give(acme, 6000, "T-1", olga)
    for decide in (grants.confirm, grants.decline):
        with pytest.raises(GrantRefused, match="another operator must"):
            decide(asked, by=olga, reason="Mine")
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, totals(acme)) == ("pending", None, (0, 0))
    assert told() == [("grant.asked", "Ticket")]


@pytest.mark.parametrize(
    "change",
    [
        "decided_by_id = asked_by_id, state = 'done'",
        "decided_by_id = asked_by_id, state = 'declined'",
        "state = 'done'",
        "state = 'declined'",
        "needs_confirmation = false",
        "amount = 0",
        "amount = -1",
        "kind = ''",
        "state = 'whatever'",
    ],
)
def test_the_database_refuses_it_too(acme: Organization, olga: User, change: str) -> None:
    asked = give(acme, 6000, "T-1", olga)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE billing_grantrequest SET {change}")
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == ("pending", None)


def test_what_was_declined_never_happens(acme: Organization, olga: User, otto: User) -> None:
    asked = give(acme, 6000, "T-1", olga)
    grants.decline(asked, by=otto, reason="Too much")
    with pytest.raises(GrantRefused, match="declined already"):
        grants.confirm(asked, by=otto, reason="After all")
    assert give(acme, 6000, "T-1", olga).state == "declined"
    assert totals(acme) == (0, 0)
    assert told()[1:] == [("grant.declined", "Too much")]


def test_small_grants_of_one_operator_add_up_for_a_day(
    acme: Organization, zenith: Organization, olga: User, otto: User, clock: time_machine.Traveller
) -> None:
    assert give(acme, 3000, "T-1", olga).state == "done"
    assert take(acme, -1000, "D-1", olga).state == "done"
    assert give(acme, 1000, "T-2", olga).state == "done"
    assert give(acme, "0.0001", "T-3", olga).state == "pending"
    assert take(acme, "-0.0001", "D-2", olga).state == "pending"
    assert give(acme, 5000, "T-4", otto).state == "done"
    assert give(zenith, 5000, "T-1", olga).state == "done"
    assert totals(acme) == (8000, 0)
    clock.shift(timedelta(hours=24))
    assert give(acme, 5000, "T-5", olga).state == "done"


def test_what_two_operators_agreed_on_does_not_count_for_the_next(acme: Organization, olga: User, otto: User) -> None:
    grants.confirm(give(acme, 9000, "T-1", olga), by=otto, reason="Agreed")
    give(acme, 8000, "T-2", olga)
    assert give(acme, 5000, "T-3", olga).state == "done"


def test_the_same_reference_is_the_same_request(acme: Organization, olga: User, otto: User) -> None:
    small, large = give(acme, 10, "T-1", olga), give(acme, 6000, "T-2", olga)
    assert (give(acme, 10, "T-1", olga), give(acme, 6000, "T-2", olga)) == (small, large)
    for other in ({"amount": 11}, {"kind": "promo"}, {"reason": "Another"}):
        facts = {"amount": 10} | other
        with pytest.raises(LedgerConflict, match="other arguments"):
            give(acme, facts.pop("amount"), "T-1", olga, **facts)
    with pytest.raises(LedgerConflict):
        take(acme, 10, "T-1", olga)
    grants.confirm(large, by=otto, reason="Agreed")
    assert give(acme, 6000, "T-2", olga).state == "done"
    assert (GrantRequest.objects.count(), totals(acme)) == (2, (6010, 0))


def test_a_reference_that_the_ledger_knows_otherwise_leaves_nothing(acme: Organization, olga: User) -> None:
    ledger.grant(acme, Decimal(7), kind="promo", reference="operator:T-1", reason="Long ago")
    with pytest.raises(LedgerConflict):
        give(acme, 10, "T-1", olga)
    assert not GrantRequest.objects.exists() and told() == []


def test_a_request_lapses_after_seven_days(
    acme: Organization, olga: User, otto: User, clock: time_machine.Traveller
) -> None:
    asked = give(acme, 6000, "T-1", olga)
    clock.shift(timedelta(days=7) - timedelta(seconds=1))
    assert grants.lapse_due() == 0
    clock.shift(1)
    with pytest.raises(GrantRefused, match="not decided in time"):
        grants.confirm(asked, by=otto, reason="Late")
    assert (grants.lapse_due(), grants.lapse_due()) == (1, 0)
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, totals(acme)) == ("lapsed", None, (0, 0))
    assert told()[1:] == [("grant.lapsed", "")]


def test_credits_that_would_have_expired_are_not_granted_any_more(
    acme: Organization, olga: User, otto: User, clock: time_machine.Traveller
) -> None:
    asked = give(acme, 6000, "T-1", olga, expires_at=timezone.now() + timedelta(hours=1))
    clock.shift(3600)
    with pytest.raises(GrantRefused, match="would have expired"):
        grants.confirm(asked, by=otto, reason="Late")
    asked.refresh_from_db()
    assert (asked.state, totals(acme)) == ("pending", (0, 0))


@pytest.mark.parametrize("amount", [0, -1])
def test_a_grant_is_positive(acme: Organization, olga: User, amount: int) -> None:
    with pytest.raises(ValueError, match="not a positive amount"):
        give(acme, amount, "T-1", olga)
    assert not GrantRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_confirming_at_once_moves_the_credits_once(acme: Organization, olga: User, otto: User) -> None:
    asked, ida = give(acme, 6000, "T-1", olga), operator("ida")

    outcomes = at_once(
        [lambda by=by: grants.confirm(asked, by=by, reason="Agreed").state for by in [otto, ida] * 6]
        + [lambda: grants.decline(asked, by=ida, reason="No").state] * 4
    )

    assert Counter(outcomes)[GrantRefused] == 15
    asked.refresh_from_db()
    assert movements(acme) == ([("grant", Decimal(6000))] if asked.state == "done" else [])


@pytest.mark.django_db(transaction=True)
def test_small_grants_at_once_do_not_slip_through_together(acme: Organization, olga: User) -> None:
    outcomes = at_once([lambda n=n: give(acme, 1000, f"T-{n}", olga).state for n in range(16)])
    assert Counter(outcomes) == {"done": 5, "pending": 11}
    assert totals(acme) == (5000, 0)


@pytest.mark.django_db(transaction=True)
def test_equal_requests_at_once_are_one(acme: Organization, olga: User) -> None:
    outcomes = at_once([lambda: give(acme, 100, "T-1", olga).pk] * 12)
    assert len(set(outcomes)) == 1
    assert (GrantRequest.objects.count(), totals(acme)) == (1, (100, 0))
