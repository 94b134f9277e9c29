"""What attempts cost us: one row for each that a provider charged, in the transaction that ends it."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import ids
from billing import provider_costs
from billing.models import ProviderCost, Wallet
from generations import costs, lifecycle, lookups, orphans
from generations.models import Attempt, OrphanSpend, ProviderAccount, Task
from generations.providers.base import Accepted, Cost, Plan, Progress, Verdict
from tests.cast import Person
from tests.generations.films import PHOTOS
from tests.generations.gateway import Steps, ask, ask_element, at_once, everything_costs, findings, upload
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)
THREE_UNITS = Cost(amount=Decimal(3), unit="unit", currency="")


def live() -> ProviderAccount:
    return ProviderAccount.objects.get(name="simulator-live")


def row() -> ProviderCost:
    return ProviderCost.objects.get()


def running(task: Task, *, estimate: str = "0.42") -> Attempt:
    """An attempt that the provider has accepted, without the work behind it."""
    attempt = lifecycle.begin_attempt(
        task, live(), plan=Plan(route="/x"), choice=[], cost_estimate=Decimal(estimate), attempt_id=ids.new()
    )
    assert attempt is not None
    lifecycle.accepted(attempt, Accepted(upstream_id=f"u{attempt.pk}", route="/x", state_word="submitted"))
    return Attempt.objects.get(pk=attempt.pk)


def said(state: Any, cost: Cost | None = None, **verdict: Any) -> Progress:
    """A provider's word about work that ended."""
    why = {"code": "service_error", "message": "It broke.", "by_input": False, "retryable": True}
    given = Verdict(**why | verdict, upstream_message="broke") if state == "failed" else None
    return Progress(upstream_id="u", state=state, state_word=state, known_word=True, verdict=given, cost=cost)


def test_a_completed_task_has_one_cost_in_the_providers_words_and_in_dollars(alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    attempt, cost = task.attempts.get(), row()
    assert (cost.wallet_id, cost.seq, cost.kind) == (alice.organization.pk, 1, "attempt")
    assert (cost.task_id, cost.attempt_id, cost.reference) == (task.pk, attempt.pk, f"attempt:{attempt.pk}")
    assert (cost.provider, cost.account_id, cost.account_name) == ("kling", live().pk, "simulator-live")
    assert (cost.model, cost.user_group) == ("kling-v3-text-to-video", "default")
    assert (cost.told_amount, cost.told_unit) == (3, "unit")
    assert (cost.amount, cost.is_estimate) == (Decimal("0.378"), False)  # 3 units of 0.126 dollars
    captured = Wallet.objects.get(pk=alice.organization.pk).transfers.get(kind="capture")
    assert cost.at == captured.created_at
    assert findings() == []


def test_an_element_that_costs_nothing_has_a_cost_of_nothing(alice: Person, gateway: Steps) -> None:
    face = upload(alice.organization, PHOTOS / "astronaut.png")
    gateway.until(ask_element(alice, frontal=face), Task.Status.COMPLETED)
    assert (row().amount, row().is_estimate, row().told_amount) == (0, False, 0)
    assert findings() == []


def test_without_a_word_that_we_can_price_the_cost_is_the_estimate(alice: Person, gateway: Steps) -> None:
    ProviderAccount.objects.filter(pk=live().pk).update(rates={}, costs=everything_costs("0.08"))
    gateway.until(ask(alice), Task.Status.COMPLETED)
    assert (row().amount, row().is_estimate) == (Decimal("0.4"), True)  # 5 seconds
    assert (row().told_amount, row().told_unit) == (3, "unit")


@pytest.mark.parametrize(
    ("unit", "rates", "dollars"),
    [
        ("USD", {}, Decimal("1.5")),
        ("USD", {"USD": "9"}, Decimal("1.5")),
        ("unit", {"unit": "0.14"}, Decimal("0.21")),
        ("unit", {"unit": 0}, Decimal(0)),
        ("CNY", {"CNY": "0.1388888"}, Decimal("0.208333")),
        ("CNY", {"unit": "0.14"}, None),
        ("", {"unit": "0.14"}, None),
    ],
)
def test_dollars_are_taken_as_told_and_all_else_by_the_accounts_rates(
    unit: str, rates: dict[str, Any], dollars: Decimal | None
) -> None:
    assert costs.in_dollars(ProviderAccount(rates=rates), Decimal("1.5"), unit) == dollars


def test_work_that_failed_costs_only_what_the_provider_says(alice: Person, gateway: Steps) -> None:
    for told in (None, Cost(amount=Decimal(0), unit="unit", currency="")):
        lifecycle.attempt_failed(running(ask(alice)), said("failed", told, by_input=True))
    assert not ProviderCost.objects.exists()

    lifecycle.attempt_failed(running(ask(alice)), said("failed", THREE_UNITS, by_input=True))
    assert (row().kind, row().amount, row().seq) == ("attempt", Decimal("0.378"), 1)
    assert findings() == []


def test_a_failure_that_is_told_twice_costs_once(alice: Person, gateway: Steps) -> None:
    attempt = running(ask(alice))

    def fail() -> None:
        lifecycle.attempt_failed(attempt, said("failed", THREE_UNITS, by_input=True))

    at_once([fail] * 4)
    assert row().seq == 1
    assert findings() == []


def test_a_task_that_is_sent_again_has_the_cost_of_each_sending(
    alice: Person, gateway: Steps, second_account: str
) -> None:
    task = ask(alice)
    lifecycle.attempt_failed(running(task), said("failed", THREE_UNITS))
    task.refresh_from_db()
    assert task.status == "processing"

    gateway.until(task, Task.Status.COMPLETED)

    kept = ProviderCost.objects.order_by("seq").values_list("seq", "account_name", "kind", "task_id")
    assert list(kept) == [(1, "simulator-live", "attempt", task.pk), (2, second_account, "attempt", task.pk)]
    assert findings() == []


def test_work_that_was_given_up_costs_once_it_proves_to_be_made(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice, prompt="[sim:late-success]")
    attempt = gateway.sent(task)
    lifecycle.give_up(task)
    assert not ProviderCost.objects.exists()

    simulator.advance(2 * 86400)
    for _ in range(2):
        OrphanSpend.objects.update(due_at=timezone.now())
        assert lookups.look_at_orphans() == 1

    assert (row().kind, row().reference) == ("orphan", costs.reference(attempt.pk))
    assert (row().amount, row().told_amount) == (Decimal("0.378"), 3)
    assert findings() == []


def test_a_success_that_crosses_the_deadline_costs_at_once(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice)
    attempt = gateway.sent(task)
    simulator.advance(10)
    answer = lookups.ask(attempt)
    assert answer is not None
    lifecycle.give_up(task)
    for _ in range(2):
        lifecycle.result_ready(attempt, answer)
    assert (row().kind, row().amount) == ("orphan", Decimal("0.378"))
    assert findings() == []


@pytest.mark.parametrize(
    ("state", "told", "amounts"),
    [
        ("running", None, []),
        ("running", THREE_UNITS, []),
        ("failed", None, []),
        ("failed", THREE_UNITS, [Decimal("0.378")]),
        ("succeeded", None, [Decimal("0.42")]),
    ],
)
def test_what_a_look_at_an_orphan_costs(
    alice: Person, gateway: Steps, state: str, told: Cost | None, amounts: list[Decimal]
) -> None:
    attempt = running(ask(alice))
    lifecycle.give_up(attempt.task)

    orphans.look_at(OrphanSpend.objects.get(), said(state, told))

    assert list(ProviderCost.objects.values_list("amount", flat=True)) == amounts
    assert findings() == []


def test_nothing_is_recorded_of_work_that_never_was(alice: Person, gateway: Steps) -> None:
    lifecycle.cancel(ask(alice))
    attempt = running(ask(alice))
    lifecycle.withdrawn(attempt)
    assert not ProviderCost.objects.exists()
    assert Wallet.objects.get(pk=alice.organization.pk).cost_seq == 0


def test_costs_from_before_they_were_recorded_are_made_up_for(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    attempt = running(task)
    Attempt.objects.filter(pk=attempt.pk).update(state="succeeded", cost_amount=3, cost_unit="unit")
    Task.objects.filter(pk=task.pk).update(status="processing")
    lifecycle._end(Task.objects.get(pk=task.pk), Task.Status.COMPLETED)
    assert {finding.invariant for finding in findings()} == {"I23"}

    for _ in range(2):
        call_command("record_costs", verbosity=0)

    assert (row().amount, row().kind) == (Decimal("0.378"), "attempt")
    assert findings() == []
    assert provider_costs.roll(alice.organization.pk) == 1
