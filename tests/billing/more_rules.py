"""What else happens to the books in a program: purchases and what becomes of them, vouchers, and changed prices.

Each class brings rules to a program (`test_any_program.Programs`), which has the organizations, the clock and the
references. A rule promises what it changes; the auditor looks at the rest after every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accounts import ids
from accounts.errors import Conflict, Forbidden, QuotaExceeded
from accounts.models import Organization, UserGroup
from billing import ledger, overrides, pricing, vouchers
from billing.models import Reservation, TopUp
from billing.top_ups import events, settling, wire
from tests.billing.books import wallet_of
from tests.billing.conftest import TICK
from tests.billing.operators import batch, operator

MODEL, CELL = "kling-v3-text-to-video", "720p_off"
RATES = st.one_of(st.none(), st.decimals("0.5", "9", places=1))
DISPUTES = ("warning_needs_response", "needs_response", "under_review", "lost", "won")
REFUNDS = ("pending", "succeeded", "failed")


@dataclass
class Asked:
    """A task with its price as it was frozen, and what it must cost for ever."""

    held: Reservation
    inputs: dict[str, Any]
    credits: Decimal


class Rules:
    """What the rules below need of a program."""

    acme: Organization
    clock: time_machine.Traveller
    reservations: list[Reservation]
    reference: Callable[[], str]
    run: Callable[[Callable[[], Any]], Any]


class Purchases(Rules):
    """Top-ups through Stripe's own messages, which come again and in any order."""

    bought: list[TopUp]
    told: list[tuple[str, dict[str, Any]]]

    @rule(cents=st.integers(100, 4000))
    def buy(self, cents: int) -> None:
        top_up = settling.begin(self.acme, TopUp.Origin.CHECKOUT, cents)
        before, debt = wallet_of(self.acme).available, wallet_of(self.acme).debt

        said = self.hear("checkout.session.completed", session_of(top_up))

        self.bought.append(TopUp.objects.get(pk=top_up.pk))
        assert self.bought[-1].status == TopUp.Status.PAID, said
        assert (wallet_of(self.acme).available, wallet_of(self.acme).debt) == (before + top_up.credits, debt)

    @rule(cents=st.integers(100, 4000))
    def give_up_buying(self, cents: int) -> None:
        top_up = settling.begin(self.acme, TopUp.Origin.CHECKOUT, cents)
        head = wallet_of(self.acme).head

        self.hear("checkout.session.expired", session_of(top_up) | {"status": "expired", "payment_status": "unpaid"})

        assert TopUp.objects.get(pk=top_up.pk).status == TopUp.Status.EXPIRED
        assert wallet_of(self.acme).head == head

    @precondition(lambda self: self.bought)
    @rule(data=st.data(), percent=st.integers(1, 100), number=st.integers(1, 2), status=st.sampled_from(REFUNDS))
    def refund_the_purchase(self, data: st.DataObject, percent: int, number: int, status: str) -> None:
        top_up = data.draw(st.sampled_from(self.bought))
        refund = money_back(top_up, "refund", number, status, max(1, top_up.amount_cents * percent // 100))
        self.takes_back(top_up, lambda: self.hear("refund.updated", refund))

    @precondition(lambda self: self.bought)
    @rule(data=st.data(), number=st.integers(1, 2), status=st.sampled_from(DISPUTES))
    def dispute_the_purchase(self, data: st.DataObject, number: int, status: str) -> None:
        top_up = data.draw(st.sampled_from(self.bought))
        dispute = money_back(top_up, "dispute", number, status, top_up.amount_cents)
        self.takes_back(top_up, lambda: self.hear("charge.dispute.updated", dispute))

    @precondition(lambda self: self.told)
    @rule()
    def hear_the_last_again(self) -> None:
        """The same words under another id: Stripe tells them in several events."""
        kind, about = self.told[-1]
        head = wallet_of(self.acme).head

        self.hear(kind, about)

        assert wallet_of(self.acme).head == head

    def takes_back(self, top_up: TopUp, hear: Callable[[], str]) -> None:
        """Whatever it said, the wallet has moved by just what the top-up's row has; what is missing is debt."""
        ledger.expire_due()
        before, known = wallet_of(self.acme), TopUp.objects.get(pk=top_up.pk)

        hear()

        after, row = wallet_of(self.acme), TopUp.objects.get(pk=top_up.pk)
        worth = (after.available - after.debt) - (before.available - before.debt)
        assert worth == known.back_credits - row.back_credits
        assert 0 <= row.back_credits <= row.credits
        assert (after.debt > 0) == after.is_frozen
        assert after.debt <= before.debt or after.available == 0

    def hear(self, kind: str, about: dict[str, Any]) -> str:
        self.told.append((kind, about))
        event = {
            "id": self.reference(),
            "type": kind,
            "livemode": wire.is_live(),
            "created": 1,
            "data": {"object": about},
        }
        return str(self.run(lambda: events.take(event)))


class Vouchers(Rules):
    @rule(credits=st.decimals("0.0001", "60", places=4), days=st.one_of(st.none(), st.integers(1, 5)))
    def redeem_a_voucher(self, credits: Decimal, days: int | None) -> None:
        made, [code] = batch(self.reference(), credits=credits, credits_expire_days=days)
        if not made.is_confirmed:
            vouchers.confirm(made, by=operator("ida"), reason="test")
        before = wallet_of(self.acme)
        known = list(before.lots.values_list("pk", flat=True))

        vouchers.redeem(self.acme, code)

        after = wallet_of(self.acme)
        assert after.available == before.available + credits
        [lot] = after.lots.exclude(pk__in=known)
        assert (lot.kind, lot.granted, lot.remaining) == ("promo", credits, credits)
        assert lot.expires_at == (None if days is None else timezone.now() + timedelta(days=days))
        self.is_refused(code)

    def is_refused(self, code: str) -> None:
        head = wallet_of(self.acme).head
        try:
            vouchers.redeem(self.acme, code)
        except Conflict as refused:
            assert refused.code == "voucher_already_redeemed"
        else:
            raise AssertionError("It was redeemed twice.")
        assert wallet_of(self.acme).head == head


class Prices(Rules):
    """Requests priced by the book, while what the organization pays changes between them."""

    asked: list[Asked]
    groups: list[UserGroup]

    @rule(seconds=st.integers(3, 8))
    def ask(self, seconds: int) -> None:
        price = pricing.quote(MODEL, CELL, seconds, self.acme)
        before = wallet_of(self.acme)
        try:
            held = self.run_once(price)
        except (Forbidden, QuotaExceeded):
            assert wallet_of(self.acme).head == before.head
            return
        self.reservations.append(held)
        self.asked.append(Asked(held, price.inputs, price.credits))

    def run_once(self, price: pricing.Price) -> Reservation:
        task = ids.new()
        return self.run(lambda: ledger.reserve(self.acme, task, price.credits, model=MODEL))

    @rule(number=st.integers(0, 1))
    def move_to_another_group(self, number: int) -> None:
        self.acme.user_group = self.groups[number]
        self.acme.save(update_fields=["user_group"])
        self.every_task_keeps_its_price()

    @rule(of_group=st.booleans(), exact=st.booleans(), value=RATES)
    def override_the_price(self, of_group: bool, exact: bool, value: Decimal | None) -> None:
        self.clock.shift(TICK)  # one payer has one price a moment
        payer = self.acme.user_group if of_group else self.acme
        if exact:
            overrides.set_rate(payer, MODEL, value, reason="test")
        else:
            overrides.set_multiplier(payer, value, reason="test")
        self.every_task_keeps_its_price()

    def every_task_keeps_its_price(self) -> None:
        for one in self.asked:
            kept = Reservation.objects.get(pk=one.held.pk)
            assert pricing.price(one.inputs) == one.credits == kept.amount


def session_of(top_up: TopUp) -> dict[str, Any]:
    """A paid Checkout session, as Stripe tells of it."""
    return {
        "id": f"cs_{top_up.pk.hex}",
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": top_up.amount_cents,
        "currency": "usd",
        "payment_intent": f"pi_{top_up.pk.hex}",
        "metadata": {"top_up": top_up.public_id},
    }


def money_back(top_up: TopUp, kind: str, number: int, status: str, cents: int) -> dict[str, Any]:
    return {
        "id": f"{kind}_{number}_{top_up.pk.hex}",
        "object": kind,
        "status": status,
        "amount": cents,
        "currency": "usd",
        "payment_intent": f"pi_{top_up.pk.hex}",
    }
