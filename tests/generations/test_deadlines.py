"""Deadlines: what nobody accepted ends after 30 minutes, what was accepted 60 minutes later, refunded in full."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import ids
from generations import jobs, lifecycle
from generations.models import Attempt, OrphanSpend, Task
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, findings, money, seen
from tests.generations.simulator import RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def passes(task: Task) -> None:
    """The deadline of the task passes, and the sweep comes by."""
    Task.objects.filter(pk=task.pk).update(deadline_at=timezone.now())
    jobs.sweep()
    task.refresh_from_db()


def test_the_deadline_counts_from_the_request_and_then_from_the_acceptance(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert task.deadline_at - task.created_at == timedelta(minutes=30)
    gateway.sent(task)
    task.refresh_from_db()
    assert task.deadline_at - task.accepted_at == timedelta(minutes=60)


def test_a_task_that_nobody_took_is_refunded_without_orphan_spend(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    passes(task)
    assert (task.status, task.error_code, task.error_retryable) == ("failed", "generation_timeout", True)
    assert money(alice.organization) == (1000, 0)
    assert not OrphanSpend.objects.exists()
    assert findings() == []


def test_a_running_task_is_refunded_and_its_attempt_kept_as_possible_orphan_spend(
    alice: Person, gateway: Steps
) -> None:
    task = ask(alice, prompt="[sim:slow 600]")
    attempt = gateway.sent(task)
    passes(task)
    attempt.refresh_from_db()
    assert (task.status, attempt.state) == ("failed", Attempt.State.LOST)
    assert OrphanSpend.objects.get().attempt == attempt
    assert alerts() == {"orphan-spend"}
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_an_unknown_outcome_is_held_until_the_deadline(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-after-body")
    simulator.script("poll-5xx", times=1000)
    task = ask(alice)
    for _ in range(5):
        gateway.due()
    assert money(alice.organization) == (1000, 27)
    passes(task)
    assert task.status == "failed"
    assert task.attempts.get().state == Attempt.State.LOST
    assert len(simulator.see("requests")["requests"]) == 1
    assert money(alice.organization) == (1000, 0)


def test_an_acceptance_after_the_deadline_is_remembered_and_not_charged(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice)
    attempt = gateway.sent(task)
    Attempt.objects.update(state=Attempt.State.SUBMITTING, upstream_id="", accepted_at=None)
    submitting = Attempt.objects.get()
    lifecycle.give_up(task)
    answer = lifecycle.Accepted(upstream_id=attempt.upstream_id, route=attempt.route, state_word="submitted")
    assert lifecycle.accepted(submitting, answer) is False
    late = Attempt.objects.get()
    assert (late.state, late.upstream_id) == ("lost", attempt.upstream_id)
    assert "late-acceptance" in alerts()
    assert seen(alice, task)["status"] == "failed"
    assert money(alice.organization) == (1000, 0)


def test_a_failed_second_sending_keeps_the_first_deadline(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    simulator.script("fail internal", "slow 600")
    task = ask(alice)
    gateway.sent(task)
    task.refresh_from_db()
    before = task.deadline_at
    while task.attempts.count() == 1:
        gateway.work()
    task.refresh_from_db()
    assert task.deadline_at == before


def test_one_task_that_cannot_be_ended_stops_no_other(alice: Person, gateway: Steps) -> None:
    """Nothing was ever reserved for it, so the books refuse its release; a sweep that ends one finds the other too."""
    healthy = ask(alice)
    broken = Task.objects.get(pk=healthy.pk)
    broken.pk = ids.new()
    broken.save(force_insert=True)
    for task in (broken, healthy):
        Task.objects.filter(pk=task.pk).update(deadline_at=timezone.now())
    wait_for(lambda: jobs.sweep(limit=1) and Task.objects.get(pk=healthy.pk).status == "failed")
    assert dict(Task.objects.values_list("pk", "status")) == {healthy.pk: "failed", broken.pk: "pending"}
    assert money(alice.organization) == (1000, 0)
