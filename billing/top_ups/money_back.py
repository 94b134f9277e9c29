"""Refunds and disputes: what the money went back for, the credits are taken back for.

Each refund or dispute is a row by its Stripe id. The top-up's cents that are not ours any more are the sum of the rows
that take, at most its amount; the credits that belong to them are in proportion, rounded half up to 4 places. What is
booked is the difference to what was booked before, so partial refunds, repeats and late messages all end in the same
sum, and a dispute that is won gives back by the same rule. `ledger.adjust` never takes what is reserved: what it cannot
find is debt, and the wallet is frozen.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from billing import alerts, ledger
from billing.models import MoneyBack, TopUp
from billing.top_ups import packs, settling

REFUND_RANKS = {"pending": 0, "requires_action": 0, "succeeded": 1, "failed": 2, "canceled": 2}
"""A refund that succeeded may still fail, when the bank sends it back; nothing follows a failure."""
INQUIRY = ("warning_needs_response", "warning_under_review")
DISPUTE_RANKS = {
    **dict.fromkeys(INQUIRY, 0),
    "needs_response": 1,
    "under_review": 1,
    "lost": 2,
    "appeal_needs_response": 3,
    "appeal_under_review": 3,
    "won": 4,
    "prevented": 4,
    "warning_closed": 4,
}
REINSTATED = "charge.dispute.funds_reinstated"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A refund or dispute as a message tells it."""

    stripe_id: str
    kind: MoneyBack.Kind
    cents: int
    currency: str
    status: str
    rank: int
    takes: bool


def of_refund(refund: dict[str, Any]) -> Told:
    """One that failed or was cancelled takes nothing; any other does, from the moment it was asked for."""
    status = refund.get("status") or "succeeded"
    rank = REFUND_RANKS.get(status, 0)
    return _told(MoneyBack.Kind.REFUND, refund, status, rank, takes=rank < REFUND_RANKS["failed"])


def of_dispute(dispute: dict[str, Any], event_type: str = "") -> Told:
    """An inquiry takes nothing; an open or lost dispute does; one that is won, or paid back, gives it back.

    A status that we do not know counts as an open dispute.
    """
    status = "won" if event_type == REINSTATED else dispute["status"]
    rank = DISPUTE_RANKS.get(status, 1)
    return _told(MoneyBack.Kind.DISPUTE, dispute, status, rank, takes=0 < rank < DISPUTE_RANKS["won"])


@transaction.atomic
def note(top_up_id: UUID, told: Told) -> str:
    """Keep what is told, unless something later is known, and book the difference. Says what that changed."""
    top_up = settling.lock(top_up_id)
    known = MoneyBack.objects.filter(pk=told.stripe_id, top_up=top_up).first()
    if known is None or told.rank >= known.rank:
        _keep(top_up, told)
        if told.kind == MoneyBack.Kind.DISPUTE and (known is None or known.takes != told.takes):
            words = f"{told.stripe_id} over {told.cents / 100:.2f} {told.currency} is {told.status}."
            alerts.tell("top-up-disputed", top_up.public_id, words)
    return f"{told.status}: {_book(top_up, told)}"


def _keep(top_up: TopUp, told: Told) -> None:
    """In another currency than the top-up's its amount says nothing: then all of it is meant."""
    cents = told.cents if told.currency == top_up.currency else top_up.amount_cents
    fresh = {
        "cents": cents,
        "stripe_status": told.status,
        "rank": told.rank,
        "takes": told.takes,
        "changed_at": timezone.now(),
    }
    first = {"top_up": top_up, "kind": told.kind}
    MoneyBack.objects.update_or_create(pk=told.stripe_id, defaults=fresh, create_defaults=fresh | first)


def _book(top_up: TopUp, told: Told) -> str:
    """Book what the rows of a locked top-up say against what was booked before. An unpaid one has nothing to take."""
    if top_up.status != TopUp.Status.PAID:
        return "not paid, nothing to take back"
    taking = MoneyBack.objects.filter(top_up=top_up, takes=True).aggregate(cents=Sum("cents"))["cents"] or 0
    top_up.back_cents = min(taking, top_up.amount_cents)
    target = packs.share(top_up.credits, top_up.back_cents, top_up.amount_cents)
    change = top_up.back_credits - target
    top_up.back_credits = target
    top_up.back_bookings += bool(change)
    top_up.save(update_fields=["back_cents", "back_credits", "back_bookings"])
    if change == 0:
        return "no credits to move"
    if change < 0:  # what goes back must not be charged again by itself
        settling.pause(top_up.organization, "A payment was refunded or disputed.")
    reference = f"{top_up.public_id}:{top_up.back_bookings}"
    reason = f"{told.kind.label} {told.stripe_id} ({told.status}) of {top_up.public_id}"
    ledger.adjust(top_up.organization, change, reference=reference, reason=reason[:300])
    return f"{change:+} credits"


def _told(kind: MoneyBack.Kind, row: dict[str, Any], status: str, rank: int, *, takes: bool) -> Told:
    return Told(
        stripe_id=row["id"],
        kind=kind,
        cents=row["amount"],
        currency=row["currency"],
        status=status,
        rank=rank,
        takes=takes,
    )
