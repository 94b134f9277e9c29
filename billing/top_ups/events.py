"""Stripe's webhooks: what each event means, and that it counts once.

The row with the event's id is written in the transaction of its effect; a second one finds it and does nothing, and
when the effect fails neither is kept, so that Stripe sends the event again. Events that are not about a top-up of ours
leave no row: other products may share the Stripe account. Order does not matter (`settling`, `money_back`).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import ids
from billing.models import StripeEvent, TopUp
from billing.top_ups import money_back, settling, wire

Object = dict[str, Any]
Effect = Callable[[TopUp, Object, str], str]


def take(event: Object) -> str:
    """Do what a verified event says, once, and say what that was."""
    effect, about = EFFECTS.get(event["type"]), event["data"]["object"]
    if effect is None:
        return "an event of no interest"
    if bool(event.get("livemode")) != wire.is_live():
        return "an event of another mode"
    top_up = _find(about)
    if top_up is None:
        return "no top-up of ours"
    with transaction.atomic():
        first = {"type": event["type"], "top_up": top_up, "created_at": datetime.fromtimestamp(event["created"], UTC)}
        row, is_new = StripeEvent.objects.get_or_create(pk=event["id"], defaults=first)  # waits for an equal one
        if not is_new:
            return "known already"
        row.outcome = effect(top_up, about, event["type"])[:200]
        row.save(update_fields=["outcome"])
    return row.outcome


def _find(about: Object) -> TopUp | None:
    """By our id, which sessions and payments carry; refunds, disputes and charges name the payment."""
    named = _id_in(about)
    if named is not None:
        return TopUp.objects.filter(pk=named).first()
    intent = about["id"] if about["object"] == "payment_intent" else about.get("payment_intent")
    return TopUp.objects.filter(payment_intent_id=intent).first() if isinstance(intent, str) and intent else None


def _id_in(about: Object) -> UUID | None:
    text = (about.get("metadata") or {}).get("top_up")
    return ids.decode(TopUp.PREFIX, text) if isinstance(text, str) else None


def _session(top_up: TopUp, session: Object, event_type: str) -> str:
    return settling.settle(top_up.pk, wire.of_session(session))


def _session_failed(top_up: TopUp, session: Object, event_type: str) -> str:
    failed = replace(wire.of_session(session), state=wire.State.FAILED)
    return settling.settle(top_up.pk, failed)


def _payment(top_up: TopUp, intent: Object, event_type: str) -> str:
    """A payment that succeeded, whoever began it, and the failure of one that no customer can mend on a page."""
    payment = wire.of_intent(intent)
    if payment.state != wire.State.PAID and top_up.origin == TopUp.Origin.CHECKOUT:
        return "the customer may try again"
    outcome = settling.settle(top_up.pk, payment)
    if payment.state == wire.State.PAID:
        settling.learn_payment_method(top_up.pk, payment)
    return outcome


def _charge_refunded(top_up: TopUp, charge: Object, event_type: str) -> str:
    """The charge knows only a sum; the refunds themselves are asked for."""
    settling.look_soon(top_up)
    return "its refunds are looked at soon"


def _refund(top_up: TopUp, refund: Object, event_type: str) -> str:
    return money_back.note(top_up.pk, money_back.of_refund(refund))


def _dispute(top_up: TopUp, dispute: Object, event_type: str) -> str:
    return money_back.note(top_up.pk, money_back.of_dispute(dispute, event_type))


EFFECTS: dict[str, Effect] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session,
    "payment_intent.succeeded": _payment,
    "payment_intent.payment_failed": _payment,
    "charge.refunded": _charge_refunded,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "charge.dispute.closed": _dispute,
}
TYPES = tuple(EFFECTS)
"""What the webhook must be subscribed to. Stripe lists events of up to 20 types at a time."""
