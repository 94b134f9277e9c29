"""Any program of ledger calls, purchases, vouchers and new prices, any amounts, any waiting: after every step the
auditor finds nothing (I1-I12, I15, I16, I24, I26), and what the roll-ups and their tails say of any range is what its
transfers say. Further rules: `more_rules`.

Sizes: LEDGER_EXAMPLES programs of LEDGER_STEPS calls.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import ids
from accounts.errors import Forbidden, QuotaExceeded
from accounts.models import ApiKey, Organization, UserGroup
from billing import caps, ledger, price_book, report_checks, report_rollups, rollups
from billing.amounts import ZERO
from billing.errors import LedgerConflict
from billing.models import CreditLot, Reservation, RollUp
from billing.models.transfers import Kind
from billing.report_rollups import TRANSFERS
from tests.billing.books import findings, key_of, summed_up, wallet_of
from tests.billing.conftest import NOW
from tests.billing.more_rules import Prices, Purchases, Vouchers
from tests.billing.test_provider_costs import cost
from tests.cast import organization_of

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "25"))
STEPS = int(os.environ.get("LEDGER_STEPS", "20"))
AMOUNTS = st.decimals("0.0001", "60", places=4)
MIDNIGHT = NOW.replace(hour=0)
MOVED = {
    f"{kind}_credits": f"coalesce(sum(amount) FILTER (WHERE kind = '{kind}'), 0)"
    for kind in Kind.values
    if kind not in (Kind.RESERVE, Kind.RELEASE)
}
"""What the reports count, by kind of transfer."""
DAYS = st.one_of(st.none(), st.integers(1, 5))


class Programs(Purchases, Vouchers, Prices, RuleBasedStateMachine):
    """Two organizations; alice's has a key with limits. The model knows only what each call promises to change."""

    acme: Organization
    zenith: Organization
    key: ApiKey

    @initialize()
    def open_books(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.travel = time_machine.travel(NOW, tick=False)
        self.clock = self.travel.start()
        self.acme = organization_of("Acme", "alice@acme.example")
        self.zenith = organization_of("Zenith", "charlie@zenith.example")
        price_book.load(price_book.FILE.read_text())
        self.groups = [self.acme.user_group, UserGroup.objects.create(name="partner")]
        self.bought, self.told, self.asked = [], [], []
        self.key = key_of(self.acme, total=400, daily=60, monthly=150)
        self.reservations: list[Reservation] = []
        self.references = 0
        self.last: Callable[[], object] = lambda: None

    def teardown(self) -> None:
        try:
            report_rollups.roll_all()
            assert [*report_checks.of_all(), *findings()] == []
        finally:
            self.travel.stop()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def reference(self) -> str:
        self.references += 1
        return f"reference {self.references}"

    def run(self, call: Callable[[], Any]) -> Any:
        self.last = call
        return call()

    @rule(amount=AMOUNTS, kind=st.sampled_from(CreditLot.Kind.values), days=DAYS)
    def grant(self, amount: Decimal, kind: str, days: int | None) -> None:
        expires_at = self.now() + timedelta(days=days) if days else None
        facts = {"kind": kind, "reference": self.reference(), "reason": "test", "expires_at": expires_at}
        before = wallet_of(self.acme).available

        self.run(lambda: ledger.grant(self.acme, amount, **facts))

        assert wallet_of(self.acme).available == before + amount

    @rule(amount=AMOUNTS)
    def top_up_the_stranger(self, amount: Decimal) -> None:
        before, reference = wallet_of(self.acme), self.reference()

        self.run(lambda: ledger.top_up(self.zenith, amount, reference=reference))

        assert wallet_of(self.acme).head == before.head

    @rule(amount=st.one_of(AMOUNTS, st.just(ZERO)), with_key=st.booleans(), model=st.sampled_from(["", "one", "two"]))
    def reserve(self, amount: Decimal, with_key: bool, model: str) -> None:
        task, key = ids.new(), self.key if with_key else None
        before = wallet_of(self.acme)
        alive = [lot.remaining for lot in before.lots.all() if not lot.is_due(self.now())]
        try:
            held = self.run(lambda: ledger.reserve(self.acme, task, amount, api_key=key, model=model))
        except Forbidden:
            assert before.is_frozen
        except QuotaExceeded as refused:
            assert amount > refused.details["remaining_credits"]
        else:
            assert amount <= sum(alive)
            assert wallet_of(self.acme).available == sum(alive) - amount or amount == 0
            self.reservations.append(held)
            return
        assert wallet_of(self.acme).head == before.head

    @precondition(lambda self: self.reservations)
    @rule(data=st.data(), part=st.one_of(st.none(), st.integers(0, 4)), account=st.sampled_from(["", "one", "two"]))
    def capture(self, data: st.DataObject, part: int | None, account: str) -> None:
        held = data.draw(st.sampled_from(self.reservations))
        amount = None if part is None else (held.amount * part / 4).quantize(ZERO)
        group = self.acme.user_group_id
        spent = cost(task_id=held.id, account_name=account, user_group=group) if account else None
        self.resolve(held, lambda: ledger.capture(held.id, amount, cost=spent))

    @precondition(lambda self: self.reservations)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.reservations))
        self.resolve(held, lambda: ledger.release(held.id))

    def resolve(self, held: Reservation, call: Callable[[], object]) -> None:
        before = Reservation.objects.get(pk=held.pk)
        try:
            done = self.run(call)
        except LedgerConflict:
            assert before.state != "reserved"
            done = before
        if before.state != "reserved":
            assert (done.state, done.captured) == (before.state, before.captured)

    @precondition(lambda self: self.reservations)
    @rule(data=st.data(), amount=AMOUNTS)
    def refund(self, data: st.DataObject, amount: Decimal) -> None:
        held = Reservation.objects.get(pk=data.draw(st.sampled_from(self.reservations)).pk)
        reference, left = self.reference(), held.captured - held.refunded
        if amount <= left:
            self.run(lambda: ledger.refund(held.pk, amount, reference=reference))
        else:
            with pytest.raises(LedgerConflict):
                ledger.refund(held.pk, amount, reference=reference)

    @rule(amount=AMOUNTS, sign=st.sampled_from([-1, 1]))
    def adjust(self, amount: Decimal, sign: int) -> None:
        reference = self.reference()

        done = self.run(lambda: ledger.adjust(self.acme, sign * amount, reference=reference, reason="test"))

        wallet = wallet_of(self.acme)
        assert (wallet.debt > 0) == wallet.is_frozen
        assert done.debt_change <= 0 or wallet.available == 0
        assert done.moved - done.amount == done.debt_change

    @rule(cap=st.one_of(st.none(), st.integers(0, 300)))
    def set_cap(self, cap: int | None) -> None:
        self.run(lambda: caps.set_cap(self.acme, None if cap is None else Decimal(cap)))

    @rule(days=st.integers(20, 40))
    def wait_for_another_month(self, days: int) -> None:
        self.clock.shift(timedelta(days=days))

    @rule(minutes=st.integers(1, 72 * 60))
    def wait(self, minutes: int) -> None:
        self.clock.shift(timedelta(minutes=minutes))

    @rule()
    def roll_up(self) -> None:
        rollups.roll(self.acme.pk)
        assert rollups.roll(self.acme.pk) == 0

    @rule()
    def roll_up_reports(self) -> None:
        report_rollups.roll_all()
        assert report_rollups.roll_all() == 0
        assert report_checks.of_all() == []

    @rule()
    def roll_up_reports_anew(self) -> None:
        report_rollups.start_over()

    @rule(days=st.lists(st.integers(-3, 60), min_size=2, max_size=2, unique=True).map(sorted), alone=st.booleans())
    def look_at_a_report(self, days: list[int], alone: bool) -> None:
        since, until = (MIDNIGHT + timedelta(days=day) for day in days)
        wallet_id = self.acme.pk if alone else None

        [said] = report_rollups.sums({TRANSFERS: MOVED}, (), since=since, until=until, wallet_id=wallet_id) or [{}]

        rows = summed_up(["kind"], since, until, wallet_id)
        wanted = {f"{row['kind']}_credits": row["amount"] for row in rows}
        assert {name: amount for name, amount in said.items() if amount} == {
            name: amount for name, amount in wanted.items() if name in MOVED
        }

    @rule()
    def roll_up_anew(self) -> None:
        rollups.start_over(self.zenith.pk)
        rollups.roll_all()

    @rule(
        by=st.lists(st.sampled_from(sorted(rollups.COLUMNS)), unique=True),
        hours=st.lists(st.integers(-30, 24 * 21), min_size=2, max_size=2, unique=True).map(sorted),
        alone=st.booleans(),
    )
    def look_at_a_range(self, by: list[str], hours: list[int], alone: bool) -> None:
        since, until = (NOW + timedelta(hours=hour) for hour in hours)
        wallet_id = self.acme.pk if alone else None

        said = rollups.sums(by, since=since, until=until, wallet_id=wallet_id, span=RollUp.Span.HOUR)

        assert said == summed_up(by, since, until, wallet_id)

    @rule()
    def sweep(self) -> None:
        ledger.expire_due()

        assert not any(lot.is_due(self.now()) and lot.remaining for lot in wallet_of(self.acme).lots.all())

    @rule()
    def call_again(self) -> None:
        before = wallet_of(self.acme), wallet_of(self.zenith)
        with suppress(LedgerConflict, QuotaExceeded, Forbidden):
            self.last()
        assert [wallet_of(self.acme).head, wallet_of(self.zenith).head] == [wallet.head for wallet in before]

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "transaction"):
            assert findings() == []

    def now(self) -> datetime:
        return timezone.now()


@pytest.mark.usefixtures("db")
def test_any_program_of_calls_leaves_clean_books() -> None:
    run_state_machine_as_test(
        Programs,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
