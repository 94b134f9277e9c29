"""The one place that speaks to Stripe, through its official library: what we ask, and what its answers mean.

    WireError
    ├── Unknown    no answer, a 5xx, "slow down": it may have happened; ask again with the same idempotency key
    ├── Refused    certain that nothing happened: our key, our account or our request is wrong
    └── Declined   the bank or Stripe refused the payment, in plain words

Nothing here reads or writes a row. The idempotency key of a call is the public id of its top-up, and every parameter
of it comes from the row and the settings, so that a call sent again is the same call.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

import stripe
from django.conf import settings

from billing.amounts import number
from billing.models import TopUp

TIMEOUT_SECONDS = 10
TOLERANCE_SECONDS = 300
CLOCKS_DIFFER = timedelta(minutes=5)
OUTCOME_UNKNOWN = (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError, stripe.IdempotencyError)


class WireError(Exception):
    """Stripe gave no good answer."""


class Unknown(WireError):
    """Whether it happened is not known."""


class Refused(WireError):
    """Nothing happened, and asking again would not help."""


class Declined(WireError):
    """The payment was refused; `payment` is what is known of it."""

    def __init__(self, payment: "Payment") -> None:
        super().__init__(payment.problem)
        self.payment = payment


class State(Enum):
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Payment:
    """How a checkout session or a payment stands. Ids are empty where the answer does not tell them."""

    state: State
    cents: int
    currency: str
    session_id: str = ""
    payment_intent_id: str = ""
    customer_id: str = ""
    payment_method_id: str = ""
    url: str = ""
    problem: str = ""


def is_available() -> bool:
    return bool(settings.STRIPE_API_KEY)


def is_live() -> bool:
    """Whether the key moves real money."""
    return "_test_" not in settings.STRIPE_API_KEY


def create_checkout(top_up: TopUp) -> Payment:
    """Stripe's page where the top-up can be paid."""
    name = {"metadata": {"top_up": top_up.public_id}}
    intent: dict[str, Any] = name | {"description": f"{_amount(top_up)} ({top_up.public_id})"}
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": top_up.public_id,
        "line_items": [{"quantity": 1, "price_data": _price(top_up)}],
        "adaptive_pricing": {"enabled": False},  # or Stripe might name an amount that we never recorded
        "success_url": settings.TOP_UP_RETURN_URL,
        "cancel_url": settings.TOP_UP_RETURN_URL,
        "expires_at": int(top_up.expires_at.timestamp()) if top_up.expires_at else None,
        **name,
    }
    if top_up.saves_payment_method:
        intent["setup_future_usage"] = "off_session"
        params["customer_creation"] = "always"
    params["payment_intent_data"] = intent
    return of_session(_ask("checkout.sessions.create", params=params, options=_once(top_up)))


def read_checkout(top_up: TopUp) -> Payment:
    session = top_up.session_id
    return of_session(_ask("checkout.sessions.retrieve", session, params={"expand": ["payment_intent"]}))


def charge(top_up: TopUp) -> Payment:
    """Charge the saved payment method, without the customer. Raises Declined."""
    params = {
        "amount": top_up.amount_cents,
        "currency": top_up.currency,
        "customer": top_up.customer_id,
        "payment_method": top_up.payment_method_id,
        "confirm": True,
        "off_session": True,
        "description": f"{_amount(top_up)} ({top_up.public_id})",
        "metadata": {"top_up": top_up.public_id},
    }
    return of_intent(_ask("payment_intents.create", params=params, options=_once(top_up)))


def read_payment(payment_intent_id: str) -> Payment:
    return of_intent(_ask("payment_intents.retrieve", payment_intent_id))


def find_charge(top_up: TopUp) -> Payment | None:
    """The payment that `charge` made, looked up among the customer's: for an answer that got lost long ago."""
    since = int((top_up.created_at - CLOCKS_DIFFER).timestamp())
    found = _every("payment_intents.list", {"customer": top_up.customer_id, "created": {"gte": since}})
    ours = (one for one in found if (one.get("metadata") or {}).get("top_up") == top_up.public_id)
    return next((of_intent(one) for one in ours), None)


def refunds_of(payment_intent_id: str) -> list[dict[str, Any]]:
    return list(_every("refunds.list", {"payment_intent": payment_intent_id}))


def disputes_of(payment_intent_id: str) -> list[dict[str, Any]]:
    return list(_every("disputes.list", {"payment_intent": payment_intent_id}))


def undelivered(types: tuple[str, ...], since: datetime) -> Iterator[dict[str, Any]]:
    """The events that no webhook of ours has answered with 200, newest first. Stripe keeps them for 30 days."""
    params = {"types": list(types), "delivery_success": False, "created": {"gte": int(since.timestamp())}}
    yield from _every("events.list", params)


def verified(payload: bytes, header: str) -> dict[str, Any] | None:
    """The event in a webhook's body, or None unless one of our secrets signed these very bytes, and lately."""
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(payload, header, secret, TOLERANCE_SECONDS)
            event = json.loads(payload)
        except (stripe.SignatureVerificationError, ValueError):
            continue
        return event if isinstance(event, dict) else None
    return None


def of_session(session: dict[str, Any]) -> Payment:
    """A Checkout session. Its payment is told apart further where `payment_intent` was expanded."""
    intent = session.get("payment_intent")
    inner = of_intent(intent) if isinstance(intent, dict) else None
    return Payment(
        state=_state_of_session(session, inner),
        cents=session.get("amount_total") or 0,
        currency=session.get("currency") or "",
        session_id=session["id"],
        payment_intent_id=inner.payment_intent_id if inner else intent or "",
        customer_id=session.get("customer") or "",
        payment_method_id=inner.payment_method_id if inner else "",
        url=session.get("url") or "",
        problem=inner.problem if inner else "",
    )


def of_intent(intent: dict[str, Any]) -> Payment:
    """A PaymentIntent that is confirmed without the customer: one that waits for them has failed."""
    states = {"succeeded": State.PAID, "processing": State.PROCESSING}
    state = states.get(intent["status"], State.FAILED)
    error = intent.get("last_payment_error") or {}
    words = "" if state in states.values() else error.get("message") or f"Stripe says {intent['status']}."
    return Payment(
        state=state,
        cents=(intent.get("amount_received") if state == State.PAID else intent.get("amount")) or 0,
        currency=intent.get("currency") or "",
        payment_intent_id=intent["id"],
        customer_id=intent.get("customer") or "",
        payment_method_id=intent.get("payment_method") or "",
        problem=words,
    )


def _state_of_session(session: dict[str, Any], inner: Payment | None) -> State:
    if session["payment_status"] != "unpaid":
        return State.PAID
    if session["status"] == "expired":
        return State.EXPIRED
    if session["status"] == "open":
        return State.OPEN
    return State.FAILED if inner and inner.state == State.FAILED else State.PROCESSING


def _price(top_up: TopUp) -> dict[str, Any]:
    product = {"name": _amount(top_up)}
    return {"currency": top_up.currency, "unit_amount": top_up.amount_cents, "product_data": product}


def _amount(top_up: TopUp) -> str:
    return f"{number(top_up.credits):,} credits"


def _once(top_up: TopUp) -> dict[str, Any]:
    return {"idempotency_key": top_up.public_id}


@cache
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        base_addresses={"api": base},
        max_network_retries=0,  # rows remember what is to be asked again
    )


def _ask(call: str, *arguments: Any, **options: Any) -> dict[str, Any]:
    """One call of the library, named by its path (`refunds.list`), with the answer as plain data."""
    return _call(call, *arguments, **options).to_dict()


def _every(call: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All rows of a list, page by page."""
    page = _call(call, params=params | {"limit": 100})
    while True:
        yield from (row.to_dict() for row in page.data)
        if not page.has_more:
            return
        page = _call(call, params=params | {"limit": 100, "starting_after": page.data[-1].id})


def _call(call: str, *arguments: Any, **options: Any) -> Any:
    if not is_available():
        raise Refused("STRIPE_API_KEY is not set.")
    service: Any = _client(settings.STRIPE_API_KEY, settings.STRIPE_API_BASE).v1
    for step in call.split("."):
        service = getattr(service, step)
    try:
        return service(*arguments, **options)
    except stripe.CardError as error:
        raise Declined(_declined(error)) from error
    except OUTCOME_UNKNOWN as error:
        raise Unknown(_words(error)) from error
    except stripe.StripeError as error:
        raise Refused(_words(error)) from error


def _declined(error: stripe.CardError) -> Payment:
    """A declined charge; Stripe sends the payment along with the reason."""
    body: Any = error.json_body if isinstance(error.json_body, dict) else {}
    intent = (body.get("error") or {}).get("payment_intent")
    words = error.user_message or "The payment was declined."
    known = of_intent(intent) if intent else None
    return Payment(
        state=State.FAILED,
        cents=known.cents if known else 0,
        currency=known.currency if known else "",
        payment_intent_id=known.payment_intent_id if known else "",
        problem=words,
    )


def _words(error: stripe.StripeError) -> str:
    """Stripe's sentence without line breaks; it never quotes a whole key."""
    return " ".join(str(error.user_message or error).split())[:300]
