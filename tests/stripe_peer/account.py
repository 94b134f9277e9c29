"""The objects of one Stripe account in memory, with the fields and the steps that Stripe gives them.

Facts from https://docs.stripe.com/api: a session's payment exists only once somebody pays; a payment's metadata is
copied to its charge; each change is an event; amounts are in the smallest unit.
"""

import itertools
import time
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

API_VERSION = "2026-10-28.endive"
Object = dict[str, Any]
DECLINED = {
    "declined": ("card_declined", "generic_decline", "Your card was declined."),
    "authentication_required": (
        "authentication_required",
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


class Problem(Exception):
    """An error answer: status and the `error` object."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.error = status, {"type": kind, "message": message, **more}


@dataclass
class Account:
    """`cards` says what the bank does with a payment method: ok (the default), declined, authentication_required,
    or processing."""

    objects: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    undelivered: set[str] = field(default_factory=set)
    cards: dict[str, str] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def create(self, kind: str, prefix: str, **fields: Any) -> Object:
        made = {"id": f"{prefix}_{next(self.numbers):012d}", "object": kind, "created": int(time.time())}
        made |= {"livemode": False, **fields}
        self.objects[made["id"]] = made
        return made

    def get(self, identifier: str, kind: str) -> Object:
        found = self.objects.get(identifier)
        if found is None or found["object"] != kind:
            words = f"No such {kind}: '{identifier}'"
            raise Problem(404, "invalid_request_error", words, code="resource_missing", param="id")
        return found

    def all_of(self, kind: str, **facts: str) -> list[Object]:
        """Newest first, as Stripe lists."""
        rows = [row for row in self.objects.values() if row["object"] == kind]
        return [row for row in reversed(rows) if all(row.get(name) == value for name, value in facts.items())]

    def tell(self, event_type: str, about: Object) -> Object:
        event = {
            "id": f"evt_{next(self.numbers):012d}",
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "type": event_type,
            "livemode": False,
            "data": {"object": shallow(about)},
        }
        self.events.append(event)
        self.undelivered.add(event["id"])
        return event

    # What the API does.

    def create_session(self, form: Object) -> Object:
        price = form["line_items"]["0"]["price_data"]
        if int(price["unit_amount"]) < 50:
            raise Problem(400, "invalid_request_error", "Amount must be at least $0.50 usd", code="amount_too_small")
        if not 1800 <= int(form["expires_at"]) - time.time() <= 24 * 3600:
            words = "The `expires_at` timestamp must be less than 24 hours and more than 30 minutes from now."
            raise Problem(400, "invalid_request_error", words, param="expires_at")
        return self.create(
            "checkout.session",
            "cs_test",
            amount_total=int(price["unit_amount"]),
            currency=price["currency"],
            client_reference_id=form.get("client_reference_id"),
            customer=None,
            expires_at=int(form["expires_at"]),
            metadata=form.get("metadata", {}),
            mode=form["mode"],
            payment_intent=None,
            payment_status="unpaid",
            status="open",
            success_url=form["success_url"],
            asked=form,
        )

    def create_payment(self, form: Object) -> Object:
        """One that is confirmed at once, without the customer (`off_session`)."""
        method = form["payment_method"]
        outcome = self.cards.get(method, "ok")
        intent = self._intent(
            form["amount"],
            form["currency"],
            form.get("metadata", {}),
            form["customer"],
            method,
            "requires_confirmation",
        )
        if outcome in DECLINED:
            code, decline_code, message = DECLINED[outcome]
            error = {"code": code, "decline_code": decline_code, "message": message, "type": "card_error"}
            intent |= {"status": "requires_payment_method", "last_payment_error": error, "payment_method": None}
            self.tell("payment_intent.payment_failed", intent)
            raise Problem(402, "card_error", message, code=code, decline_code=decline_code, payment_intent=intent)
        if outcome == "processing":
            intent["status"] = "processing"
        else:
            self.succeed(intent)
        return intent

    # What people and banks do.

    def pay(self, session_id: str, *, outcome: str = "ok") -> Object:
        """The customer pays on the page: `ok`, or `processing` for a method whose bank answers later."""
        session = self.get(session_id, "checkout.session")
        if session["status"] != "open":
            raise Problem(400, "invalid_request_error", "This session is not open any more.")
        asked = session["asked"]
        inner = asked.get("payment_intent_data", {})
        saves = inner.get("setup_future_usage")
        customer = self.create("customer", "cus")["id"] if asked.get("customer_creation") == "always" else None
        method = self.create("payment_method", "pm")["id"]
        intent = self._intent(
            session["amount_total"], session["currency"], inner.get("metadata", {}), customer, method, "processing"
        )
        intent["setup_future_usage"] = saves
        session |= {"payment_intent": intent["id"], "customer": customer, "status": "complete"}
        if outcome == "ok":
            self.succeed(intent)
            session["payment_status"] = "paid"
        self.tell("checkout.session.completed", session)
        return session

    def bank_answers(self, session_id: str, *, paid: bool) -> Object:
        """The end of a payment that was processing."""
        session = self.get(session_id, "checkout.session")
        intent = self.get(session["payment_intent"], "payment_intent")
        if paid:
            self.succeed(intent)
            session["payment_status"] = "paid"
            return self.tell("checkout.session.async_payment_succeeded", session)
        intent |= {"status": "requires_payment_method", "last_payment_error": {"message": "The bank refused it."}}
        self.tell("payment_intent.payment_failed", intent)
        return self.tell("checkout.session.async_payment_failed", session)

    def expire(self, session_id: str) -> Object:
        session = self.get(session_id, "checkout.session")
        session |= {"status": "expired"}
        return self.tell("checkout.session.expired", session)

    def succeed(self, intent: Object) -> None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        copied = {name: intent[name] for name in ("amount", "currency", "metadata")}
        charge = self.create("charge", "ch", payment_intent=intent["id"], amount_refunded=0, **copied)
        intent["latest_charge"] = charge["id"]
        self.tell("payment_intent.succeeded", intent)

    def refund(self, payment_intent: str, cents: int, *, status: str = "succeeded") -> Object:
        charge = self._charge_of(payment_intent)
        charge["amount_refunded"] += cents
        about = {"amount": cents, "charge": charge["id"], "payment_intent": payment_intent, "status": status}
        refund = self.create("refund", "re", currency=charge["currency"], metadata={}, **about)
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        return refund

    def refund_fails(self, refund_id: str) -> Object:
        """The bank sends it back, perhaps after it had succeeded."""
        refund = self.get(refund_id, "refund")
        refund["status"] = "failed"
        self._charge_of(refund["payment_intent"])["amount_refunded"] -= refund["amount"]
        return self.tell("refund.failed", refund)

    def dispute(self, payment_intent: str, cents: int | None = None, *, status: str = "needs_response") -> Object:
        charge = self._charge_of(payment_intent)
        amount = charge["amount"] if cents is None else cents
        about = {"amount": amount, "charge": charge["id"], "payment_intent": payment_intent, "status": status}
        dispute = self.create("dispute", "dp", currency=charge["currency"], metadata={}, reason="fraudulent", **about)
        self.tell("charge.dispute.created", dispute)
        if not status.startswith("warning"):
            self.tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, status: str) -> Object:
        dispute = self.get(dispute_id, "dispute")
        dispute["status"] = status
        if status == "won":
            self.tell("charge.dispute.funds_reinstated", dispute)
        return self.tell("charge.dispute.closed", dispute)

    def _charge_of(self, payment_intent: str) -> Object:
        intent = self.get(payment_intent, "payment_intent")
        return self.get(intent["latest_charge"], "charge")

    def _intent(
        self, amount: Any, currency: str, metadata: Object, customer: str | None, method: str, status: str
    ) -> Object:
        return self.create(
            "payment_intent",
            "pi",
            amount=int(amount),
            amount_received=0,
            currency=currency,
            customer=customer,
            metadata=metadata,
            payment_method=method,
            last_payment_error=None,
            status=status,
        )


def shallow(about: Object) -> Object:
    """As it is now, for an event; without what only this imitation knows."""
    return {name: value for name, value in about.items() if name != "asked"}
