"""Ask Stripe how a top-up stands, so that a lost webhook, a lost answer or a dead process loses nothing.

`run` is the sweep: it claims each due row for one look. What a look finds goes through the same functions as what a
webhook tells. `catch_up` takes the events that no webhook of ours has answered, refunds and disputes above all.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing import alerts
from billing.models import TopUp
from billing.top_ups import events, money_back, settling, wire

logger = logging.getLogger(__name__)
LIMIT = 200
SEND_AGAIN_FOR = timedelta(hours=1)
"""Stripe remembers an idempotency key for 24 hours. After this a call is not sent again but looked up."""
CATCH_UP_DAYS = 30
CATCH_UP_SECONDS = 40
NEVER_ARRIVED = "The payment never reached Stripe."


def run(*, seconds: float) -> int:
    """Look at every due top-up for at most so long, and say at how many."""
    until, looked = time.monotonic() + seconds, 0
    if not wire.is_available():
        return looked
    for top_up in TopUp.objects.filter(due_at__lte=timezone.now()).order_by("due_at")[:LIMIT]:
        if time.monotonic() >= until:
            break
        if settling.claim(top_up):
            look(top_up)
            looked += 1
    return looked


def look(top_up: TopUp) -> None:
    """Do the next step of a claimed top-up. When Stripe gives no good answer it is due again after a pause."""
    try:
        _step(top_up)
    except wire.Unknown as error:
        logger.warning("%s: Stripe gave no answer: %s", top_up, error)
    except wire.WireError as error:
        alerts.tell("stripe-refused", top_up.public_id, str(error))
    except Exception:
        logger.exception("%s: the look at it failed; the next sweep tries again", top_up)


def send(top_up: TopUp) -> None:
    """Make the call that the row promises. Raises WireError where it leaves the row as it is."""
    if top_up.origin == TopUp.Origin.CHECKOUT:
        settling.settle(top_up.pk, wire.create_checkout(top_up))
        return
    try:
        payment = wire.charge(top_up)
    except wire.Declined as declined:
        payment = declined.payment
    settling.settle(top_up.pk, payment)


def catch_up() -> None:
    """Take every event of the last 30 days whose delivery to us has not succeeded.

    What is known already costs one look-up, so a call that runs out of time comes further the next time.
    """
    until = time.monotonic() + CATCH_UP_SECONDS
    if not wire.is_available():
        return
    try:
        for event in wire.undelivered(events.TYPES, timezone.now() - timedelta(days=CATCH_UP_DAYS)):
            _take(event)
            if time.monotonic() >= until:
                logger.warning("There are more undelivered events at Stripe than could be taken at once.")
                return
    except wire.Unknown as error:
        logger.warning("Stripe's undelivered events cannot be read now: %s", error)
    except wire.WireError as error:
        alerts.tell("stripe-refused", "undelivered events", str(error))


def _take(event: dict[str, Any]) -> None:
    """One event that cannot be taken stops no other."""
    try:
        events.take(event)
    except Exception:
        logger.exception("Stripe's event %s failed; the next catching up tries again", event.get("id"))


def _step(top_up: TopUp) -> None:
    match top_up.status:
        case TopUp.Status.OPENING if timezone.now() > top_up.created_at + SEND_AGAIN_FOR:
            _look_up(top_up)
        case TopUp.Status.OPENING:
            send(top_up)
        case TopUp.Status.OPEN | TopUp.Status.PROCESSING:
            payment = wire.read_checkout(top_up) if top_up.session_id else wire.read_payment(top_up.payment_intent_id)
            settling.settle(top_up.pk, payment)
        case _:
            _look_back(top_up)


def _look_up(top_up: TopUp) -> None:
    """After so long nothing is sent again. A charge is looked for; a checkout whose address nobody got is given up."""
    charged = wire.find_charge(top_up) if top_up.origin == TopUp.Origin.AUTO_RECHARGE else None
    if charged is None:
        settling.give_up(top_up.pk, NEVER_ARRIVED)
    else:
        settling.settle(top_up.pk, charged)


def _look_back(top_up: TopUp) -> None:
    """Refunds and disputes that were told before we knew the payment, or not at all; and what it was paid with."""
    intent = top_up.payment_intent_id
    if intent:
        for refund in wire.refunds_of(intent):
            money_back.note(top_up.pk, money_back.of_refund(refund))
        for dispute in wire.disputes_of(intent):
            money_back.note(top_up.pk, money_back.of_dispute(dispute))
        if top_up.saves_payment_method and not top_up.payment_method_id:
            settling.learn_payment_method(top_up.pk, wire.read_payment(intent))
    settling.looked_through(top_up)
