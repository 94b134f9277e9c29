"""Reconciliation with a provider's own ledger: what differs becomes an item, once, until somebody resolves it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from billing import provider_costs
from billing.models import ProviderCost
from generations import jobs, reconciliation
from generations.models import Alert, Attempt, ProviderAccount, Reconciliation, ReconciliationItem, Task, UpstreamCharge
from generations.reconciliation import NotBookable
from tests.cast import Person
from tests.generations.gateway import Steps, ask, findings
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)
A_UNIT = Decimal("0.126")


@contextmanager
def days_later(days: int = 2) -> Iterator[None]:
    """When today is closed for certain."""
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=True):
        yield


def reconcile(days: int = 2) -> None:
    with days_later(days):
        reconciliation.run(seconds=60)
        assert not Reconciliation.objects.filter(finished_at=None).exists()


@pytest.fixture
def made(alice: Person, gateway: Steps) -> list[Attempt]:
    """Two films that are made and paid for, 3 units each."""
    tasks = [gateway.until(ask(alice, prompt=f"A lighthouse {n}"), Task.Status.COMPLETED) for n in range(2)]
    return [task.attempts.get() for task in tasks]


def item() -> ReconciliationItem:
    return ReconciliationItem.objects.get()


def totals() -> tuple[Decimal, Decimal]:
    sums = Reconciliation.objects.aggregate(theirs=Sum("theirs"), ours=Sum("ours"))
    return sums["theirs"], sums["ours"]


def test_books_that_agree_have_totals_and_no_items(made: list[Attempt]) -> None:
    reconcile()
    assert totals() == (6 * A_UNIT, 6 * A_UNIT)
    assert not ReconciliationItem.objects.exists()
    assert not UpstreamCharge.objects.exists()
    assert {row.account.name for row in Reconciliation.objects.all()} == {"simulator-live"}
    assert not Alert.objects.filter(kind="reconciliation").exists()


def test_a_day_is_compared_when_it_is_closed_and_only_once(made: list[Attempt]) -> None:
    assert reconciliation.plan() == 0
    reconcile()
    days = Reconciliation.objects.count()
    with days_later():
        assert (reconciliation.plan(), reconciliation.run(seconds=60)) == (0, 0)
    assert Reconciliation.objects.count() == days


def test_another_amount_is_an_item_that_can_be_booked(made: list[Attempt], simulator: RunningSimulator) -> None:
    simulator.do("misbook", external_id=made[0].reference, units=4.5)
    reconcile()
    found = item()
    assert (found.kind, found.attempt, found.told_amount, found.told_unit) == (
        "amount",
        made[0],
        Decimal("4.5"),
        "unit",
    )
    assert (found.theirs, found.ours, found.difference) == (
        Decimal("4.5") * A_UNIT,
        3 * A_UNIT,
        Decimal("1.5") * A_UNIT,
    )
    assert "1 items do not agree" in Alert.objects.get(kind="reconciliation").message

    assert reconciliation.book(found, note="They are right") is True
    assert reconciliation.book(found, note="Again") is False
    correction = ProviderCost.objects.get(kind="correction")
    assert (correction.amount, correction.attempt_id) == (Decimal("1.5") * A_UNIT, made[0].pk)
    assert item().note == "They are right"
    assert findings() == []

    with days_later():
        reconciliation.run_again(found.reconciliation)
    reconcile()
    assert (item().resolution, ReconciliationItem.objects.count()) == ("booked", 1)
    assert totals() == (Decimal("7.5") * A_UNIT, Decimal("7.5") * A_UNIT)


def test_work_that_nobody_ordered_is_an_item_and_cannot_be_booked(
    made: list[Attempt], simulator: RunningSimulator
) -> None:
    (unknown,) = simulator.do("misbook", unknown=True, units=2, api_key=simulator.account.credentials["api_key"])[
        "misbooked"
    ]
    reconcile()
    found = item()
    assert (found.kind, found.upstream_id, found.attempt, found.theirs) == ("unknown", unknown, None, 2 * A_UNIT)
    with pytest.raises(NotBookable, match="No work of ours"):
        reconciliation.book(found, note="?")
    assert reconciliation.resolve(found, note="Their test; they pay it back") is True
    assert (item().resolution, item().note) == ("noted", "Their test; they pay it back")


def test_a_cost_of_ours_that_they_do_not_show_is_an_item(made: list[Attempt], simulator: RunningSimulator) -> None:
    simulator.do("misbook", external_id=made[1].reference, units=None)
    reconcile()
    found = item()
    assert (found.kind, found.attempt, found.theirs, found.ours) == ("missing", made[1], 0, 3 * A_UNIT)
    reconciliation.book(found, note="They never charged it")
    assert provider_costs.sums((), **_all_time())[0]["amount"] == 3 * A_UNIT


def test_spend_of_an_attempt_that_was_given_up_is_an_orphan(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice, prompt="[sim:slow 600]")
    attempt = gateway.sent(task)
    Task.objects.filter(pk=task.pk).update(deadline_at=timezone.now())
    jobs.sweep()
    simulator.do("finish", external_id=attempt.reference)
    reconcile()
    found = item()
    assert (found.kind, found.attempt, found.ours) == ("orphan", attempt, 0)
    assert reconciliation.book(found, note="Lost, and ours to pay") is True
    assert ProviderCost.objects.get(kind="orphan").amount == found.theirs > 0


def test_what_a_later_run_does_not_find_any_more_is_gone(made: list[Attempt], simulator: RunningSimulator) -> None:
    simulator.do("misbook", external_id=made[0].reference, units=4)
    reconcile()
    simulator.do("misbook", external_id=made[0].reference, units=3)
    with days_later():
        reconciliation.run_again(item().reconciliation)
    reconcile()
    assert item().resolution == "gone"


def test_without_a_rate_nothing_can_be_compared_and_nothing_is_accused(made: list[Attempt]) -> None:
    ProviderAccount.objects.filter(name="simulator-live").update(rates={})
    reconcile()
    assert not ReconciliationItem.objects.exists()


def test_a_ledger_that_does_not_answer_is_read_later(made: list[Attempt], simulator: RunningSimulator) -> None:
    simulator.kill()
    with days_later():
        reconciliation.run(seconds=60)
        waiting = Reconciliation.objects.filter(finished_at=None)
        assert waiting.exists() and all(row.problem and row.due_at > timezone.now() for row in waiting)
    simulator.start()
    reconcile(days=3)
    assert totals() == (6 * A_UNIT, 6 * A_UNIT)


def test_a_ledger_that_does_not_answer_five_times_is_set_aside_until_an_operator_asks(
    made: list[Attempt], simulator: RunningSimulator
) -> None:
    simulator.kill()
    with days_later():
        reconciliation.plan()
        day = Reconciliation.objects.order_by("pk")[0]
        for _ in range(reconciliation.TRIES):
            Reconciliation.objects.filter(pk=day.pk).update(due_at=timezone.now())
            reconciliation.reconcile(day.pk)
            assert not Alert.objects.exists()
        Reconciliation.objects.filter(pk=day.pk).update(due_at=timezone.now())
        reconciliation.reconcile(day.pk)
        day.refresh_from_db()
        assert (day.due_at, day.finished_at, day.claims) == (None, None, reconciliation.TRIES + 1)
        assert Alert.objects.get().kind == "reconciliation-stuck"
        simulator.start()
        reconciliation.run_again(day)
        reconciliation.reconcile(day.pk)
        day.refresh_from_db()
        assert day.finished_at is not None


def test_many_at_once_compare_a_day_once(made: list[Attempt], simulator: RunningSimulator) -> None:
    simulator.do("misbook", external_id=made[0].reference, units=4)

    def work(_: int) -> None:
        try:
            reconciliation.run(seconds=60)
        finally:
            connection.close()

    with days_later(), ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    reconcile()
    assert ReconciliationItem.objects.count() == 1
    assert totals() == (7 * A_UNIT, 6 * A_UNIT)


def _all_time() -> dict[str, object]:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return {"since": today - timedelta(days=2), "until": today + timedelta(days=4)}


def test_a_cost_that_came_in_since_is_not_booked_a_second_time(
    made: list[Attempt], simulator: RunningSimulator
) -> None:
    simulator.do("misbook", external_id=made[0].reference, units=4)
    reconcile()
    ReconciliationItem.objects.update(ours=0)  # as it was before our cost was written down
    with pytest.raises(NotBookable, match="changed since"):
        reconciliation.book(item(), note="?")
    assert not ProviderCost.objects.filter(kind="correction").exists()
    assert item().resolved_at is None
