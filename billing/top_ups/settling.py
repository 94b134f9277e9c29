"""The only writer of top-ups: each call locks the row first and goes by what it says.

A message may come twice, late or in any order, so nothing here depends on which one it is: money that came is credits,
once; after that, no word about the payment changes anything but what was given back (`money_back`). The credits'
reference is the top-up's public id, and the ledger knows each reference once.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import ApiKey, Organization
from billing import alerts, ledger
from billing.models import AutoRecharge, TopUp
from billing.top_ups import packs
from billing.top_ups.wire import Payment, State

Status = TopUp.Status
CHECKOUT_LIVES = timedelta(hours=6)
"""Stripe takes 30 minutes to 24 hours, counted from its own answer."""
CALL_SECONDS = 60
"""A claim lasts longer than the calls of one look; then another worker may ask."""


def begin(
    organization: Organization,
    origin: TopUp.Origin,
    cents: int,
    *,
    api_key: ApiKey | None = None,
    saves_payment_method: bool = False,
    customer_id: str = "",
    payment_method_id: str = "",
) -> TopUp:
    """Write down what we are going to ask Stripe for. If nobody does, the sweep will."""
    now = timezone.now()
    return TopUp.objects.create(
        organization=organization,
        api_key=api_key,
        origin=origin,
        amount_cents=cents,
        credits=packs.credits_for(cents),
        saves_payment_method=saves_payment_method,
        customer_id=customer_id,
        payment_method_id=payment_method_id,
        created_at=now,
        expires_at=now + CHECKOUT_LIVES if origin == TopUp.Origin.CHECKOUT else None,
        due_at=now + timedelta(seconds=CALL_SECONDS),
    )


def lock(top_up_id: UUID) -> TopUp:
    rows = TopUp.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    return rows.get(pk=top_up_id)


def claim(top_up: TopUp) -> bool:
    """Take a due row for one look: its next one is after a pause that grows. False where another was first."""
    pauses = settings.TOP_UP_LOOK_SECONDS
    pause = max(CALL_SECONDS, pauses[min(top_up.looks, len(pauses) - 1)])
    now = timezone.now()
    rows = TopUp.objects.filter(pk=top_up.pk, due_at__lte=now)
    return bool(rows.update(due_at=now + timedelta(seconds=pause), looks=F("looks") + 1))


def look_soon(top_up: TopUp) -> None:
    """Let the next sweep ask Stripe about it."""
    TopUp.objects.filter(pk=top_up.pk).update(due_at=timezone.now(), looks=0)


def looked_through(top_up: TopUp) -> None:
    """Stripe was asked about all there is of a finished top-up; whatever rang for it since is still due."""
    TopUp.objects.filter(pk=top_up.pk, due_at__gt=timezone.now()).update(due_at=None, looks=0)


@transaction.atomic
def settle(top_up_id: UUID, payment: Payment) -> str:
    """Let the top-up be what Stripe says of its payment, and say in a few words what that changed."""
    top_up = lock(top_up_id)
    if top_up.status == Status.PAID:
        return _paid_already(top_up, payment)
    if payment.state == State.PAID:
        return _paid(top_up, payment)
    if top_up.status not in TopUp.UNFINISHED:
        return f"{top_up.status} already"
    match payment.state:
        case State.OPEN if top_up.status == Status.OPENING:
            return _opened(top_up, payment)
        case State.PROCESSING if top_up.status != Status.PROCESSING:
            return _move(top_up, Status.PROCESSING, payment, after=settings.TOP_UP_LOOK_SECONDS[0])
        case State.FAILED:
            return _failed(top_up, payment)
        case State.EXPIRED:
            return _move(top_up, Status.EXPIRED, payment)
    return f"still {top_up.status}"


@transaction.atomic
def give_up(top_up_id: UUID, problem: str) -> str:
    """Stripe certainly has no such payment, and is not asked for it any more."""
    top_up = lock(top_up_id)
    if top_up.status != Status.OPENING:
        return f"{top_up.status} already"
    return _failed(top_up, Payment(state=State.FAILED, cents=0, currency="", problem=problem))


@transaction.atomic
def learn_payment_method(top_up_id: UUID, payment: Payment) -> None:
    """Remember what a paid top-up was paid with, where its customer asked for that."""
    top_up = lock(top_up_id)
    if top_up.saves_payment_method and top_up.status == Status.PAID and not top_up.payment_method_id:
        _remember(top_up, payment)


def _paid(top_up: TopUp, payment: Payment) -> str:
    if disagreement := _disagreement(top_up, payment):
        alerts.tell("top-up-mismatch", top_up.public_id, disagreement)
        return _move(top_up, Status.REVIEW, payment, problem=disagreement)
    top_up.paid_at = timezone.now()
    told = _move(top_up, Status.PAID, payment, after=settings.TOP_UP_LOOK_SECONDS[0])
    if top_up.saves_payment_method:
        _remember(top_up, payment)
    ledger.top_up(top_up.organization, top_up.credits, reference=top_up.public_id)
    return told


def _paid_already(top_up: TopUp, payment: Payment) -> str:
    """Nothing more to bring. What was paid by other names or amounts than these is money that we have not booked."""
    if payment.state == State.PAID:
        if disagreement := _disagreement(top_up, payment):
            alerts.tell("top-up-mismatch", top_up.public_id, f"Paid again? {disagreement}")
        else:
            top_up.save(update_fields=_fill_in(top_up, payment))
    return "paid already"


def _disagreement(top_up: TopUp, payment: Payment) -> str:
    """Where Stripe's words and our row differ; empty when they agree."""
    theirs, ours = (payment.cents, payment.currency), (top_up.amount_cents, top_up.currency)
    if theirs != ours:
        return f"Paid: {theirs[0]} {theirs[1]} (smallest units). Recorded: {ours[0]} {ours[1]}."
    for name in ("session_id", "payment_intent_id"):
        told, known = getattr(payment, name), getattr(top_up, name)
        if told and known and told != known:
            return f"Paid as {told}, recorded as {known}."
    return ""


def _opened(top_up: TopUp, payment: Payment) -> str:
    top_up.checkout_url = payment.url
    return _move(top_up, Status.OPEN, payment, after=settings.TOP_UP_LOOK_SECONDS[0])


def _failed(top_up: TopUp, payment: Payment) -> str:
    return _move(top_up, Status.FAILED, payment, problem=payment.problem or "The payment failed.")


def _move(
    top_up: TopUp, status: TopUp.Status, payment: Payment, *, after: float | None = None, problem: str = ""
) -> str:
    """Write the new status with what the payment tells besides; `after` so many seconds Stripe is asked again.

    A recharge that came to nothing pauses those after it, in the same transaction.
    """
    top_up.status, top_up.looks, top_up.problem = status, 0, problem[:300]
    top_up.due_at = None if after is None else timezone.now() + timedelta(seconds=after)
    names = _fill_in(top_up, payment)
    top_up.save(update_fields=["status", "looks", "problem", "due_at", "paid_at", "checkout_url", *names])
    if top_up.origin == TopUp.Origin.AUTO_RECHARGE and status in (Status.FAILED, Status.REVIEW):
        pause(top_up.organization, top_up.problem)
    return status


def _fill_in(top_up: TopUp, payment: Payment) -> tuple[str, ...]:
    """The names at Stripe that we do not know yet. Returns the columns."""
    names = ("session_id", "payment_intent_id", "customer_id")
    for name in names:
        setattr(top_up, name, getattr(top_up, name) or getattr(payment, name))
    return names


def _remember(top_up: TopUp, payment: Payment) -> None:
    """What this customer let us save is what recharges charge; the newest replaces an older one."""
    customer, method = payment.customer_id or top_up.customer_id, payment.payment_method_id
    if customer and method:
        top_up.customer_id, top_up.payment_method_id = customer, method
        top_up.save(update_fields=["customer_id", "payment_method_id"])
        saved = {"customer_id": customer, "payment_method_id": method}
        AutoRecharge.objects.update_or_create(organization=top_up.organization, defaults=saved)


def pause(organization: Organization, reason: str) -> bool:
    """Buy nothing more by itself, until `recharge.resume`. What paused it first stays its reason."""
    rows = AutoRecharge.objects.filter(organization=organization, paused_at=None, enabled=True)
    return bool(rows.update(paused_at=timezone.now(), paused_reason=reason[:300]))
