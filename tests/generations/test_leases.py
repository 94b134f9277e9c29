"""Claims: one worker at a time, none that was thought dead, and nothing that is lost with its worker."""

import os
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ

from generations import dispatch, doorbell, jobs, leases, lifecycle, routing
from generations.failures import SERVICE_ERROR
from generations.models import Attempt, LoopLease, Task, WorkerPulse
from generations.providers.base import Plan
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, money
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db


def claim(task: Task) -> Task | None:
    return leases.claim(Task.objects.filter(pk=task.pk), seconds=60)


def test_a_row_is_claimed_by_one_worker(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    ours = claim(task)
    assert ours is not None
    assert (ours.lease_token, ours.claims, ours.leased_by) == (1, 1, f"process-{os.getpid()}")
    assert ours.due_at == ours.leased_until
    assert claim(task) is None


def test_what_is_not_due_is_not_claimed(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    Task.objects.update(due_at=timezone.now() + timedelta(seconds=60))
    assert claim(task) is None
    Task.objects.update(due_at=None)
    assert claim(task) is None


def test_a_lease_that_ran_out_is_claimed_again_with_a_greater_token(alice: Person, gateway: Steps) -> None:
    first = claim(ask(alice))
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.update(leased_until=past, due_at=past)
    assert first is not None
    second = claim(first)
    assert second is not None
    assert (first.lease_token, second.lease_token, second.claims) == (1, 2, 2)
    assert leases.let_go(first, due_at=None) is False
    assert leases.held(first).update(progress=99) == 0
    assert leases.let_go(second, due_at=timezone.now()) is True
    assert Task.objects.get().claims == 0


def test_a_worker_that_was_thought_dead_can_neither_send_nor_fail(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    dead = claim(ask(alice))
    assert leases.release_leases(leases.worker_name()) == 1
    alive = claim(dead)
    account = routing.choose(alive).account
    intent = {"plan": Plan(route="/x"), "choice": [], "cost_estimate": 0}
    assert lifecycle.begin_attempt(dead, account, **intent) is None
    assert lifecycle.fail(dead, SERVICE_ERROR) is False
    assert Task.objects.get().status == "pending"
    assert lifecycle.begin_attempt(alive, account, **intent) is not None
    assert money(alice.organization) == (1000, 27)


def test_a_dead_workers_rows_are_free_at_once_and_others_are_not(alice: Person, gateway: Steps) -> None:
    ours, theirs = ask(alice), ask(alice)
    claim(ours)
    claim(theirs)
    Task.objects.filter(pk=theirs.pk).update(leased_by="another-host")
    LoopLease.objects.create(shard=0, leased_by=leases.worker_name(), leased_until=timezone.now())
    assert WorkerPulse.objects.filter(worker=leases.worker_name()).count() <= 1

    assert jobs.release_leases(leases.worker_name()) == 1

    assert Task.objects.filter(leased_until=None, due_at__lte=timezone.now()).get() == ours
    assert LoopLease.objects.get().leased_until is None
    assert not WorkerPulse.objects.filter(worker=leases.worker_name()).exists()
    assert claim(ours) is not None
    assert claim(theirs) is None


def test_rows_that_died_together_before_are_due_apart_and_soon(alice: Person, gateway: Steps) -> None:
    for _ in range(8):
        claim(ask(alice))
    Task.objects.update(claims=settings.MAX_CLAIMS - 1)
    before = timezone.now()
    assert leases.release_leases(leases.worker_name()) == 8
    pauses = [(due_at - before).total_seconds() for due_at in Task.objects.values_list("due_at", flat=True)]
    assert len(set(pauses)) == 8
    assert min(pauses) >= 0
    assert max(pauses) <= leases.LONGEST_PAUSE_SECONDS + 1


def test_a_ring_that_died_with_its_worker_is_rung_again_at_once(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert jobs.sweep() == 0
    jobs.release_leases("the worker that had taken it from the queue")
    assert jobs.sweep() == 1
    task.refresh_from_db()
    assert task.rung_until is not None


def test_the_worker_has_the_name_its_supervisor_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLINK_WORKER_ID", "host-1-group-7")
    assert leases.worker_name() == "host-1-group-7"


def test_the_sweep_rings_for_what_the_queue_has_lost(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    OrmQ.objects.all().delete()
    assert jobs.sweep() == 0
    Task.objects.update(rung_until=timezone.now())
    assert jobs.sweep() == 1
    (job,) = [row.task for row in OrmQ.objects.all()]
    assert (job["func"], job["args"]) == ("generations.jobs.submit", (str(task.pk),))
    assert jobs.sweep() == 0


def test_nothing_is_rung_while_the_queue_is_long(alice: Person, gateway: Steps) -> None:
    ask(alice)
    Task.objects.update(rung_until=timezone.now())
    OrmQ.objects.bulk_create(
        [
            OrmQ(key=queued.key, payload=queued.payload, lock=timezone.now())
            for queued in [OrmQ.objects.get()] * doorbell.CROWD
        ]
    )
    assert jobs.sweep() == 0
    OrmQ.objects.filter(pk__in=OrmQ.objects.values("pk")[:10]).delete()
    assert jobs.sweep() == 1


def test_rung_twice_is_sent_once(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    task = ask(alice)
    dispatch.submit(str(task.pk))
    dispatch.submit(str(task.pk))
    assert len(simulator.see("requests")["requests"]) == 1
    assert task.attempts.count() == 1


def test_progress_counts_what_could_be_claimed_now(alice: Person, gateway: Steps) -> None:
    waiting, leased, later = ask(alice), ask(alice), ask(alice)
    claim(leased)
    Task.objects.filter(pk=later.pk).update(due_at=timezone.now() + timedelta(seconds=60))
    assert jobs.progress()[0] == 1
    lifecycle.cancel(waiting)
    assert jobs.progress()[0] == 0


def test_an_attempt_whose_poll_may_still_hang_could_not_be_claimed(alice: Person, gateway: Steps) -> None:
    """A query may take 20 seconds, and its answers need a moment to be written."""
    attempt = gateway.sent(ask(alice))
    for seconds, claimable in ((0, 0), (29, 0), (31, 1)):
        Attempt.objects.filter(pk=attempt.pk).update(due_at=timezone.now() - timedelta(seconds=seconds))
        assert jobs.progress()[0] == claimable


def test_a_job_that_fails_lets_go_of_its_row(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    Task.objects.update(price={})
    with pytest.raises(KeyError):
        jobs.submit(str(task.pk))
    task.refresh_from_db()
    assert (task.leased_until, task.leased_by, task.claims) == (None, "", 1)
    assert timedelta(seconds=3) < task.due_at - timezone.now() <= timedelta(seconds=5)


def test_an_error_after_the_work_has_freed_the_row_changes_nothing(alice: Person, gateway: Steps) -> None:
    task = claim(ask(alice))
    assert task is not None
    with pytest.raises(ValueError, match="too late"), leases.work_on(task):
        lifecycle.fail(task, SERVICE_ERROR)
        raise ValueError("too late")
    ended = Task.objects.get()
    assert (ended.status, ended.due_at) == ("failed", None)


def test_an_ended_task_is_never_due(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    lifecycle.cancel(task)
    ended = Task.objects.get()
    assert (ended.due_at, ended.leased_until, ended.rung_until) == (None, None, None)
    dispatch.submit(str(task.pk))
    assert (Attempt.objects.count(), alerts()) == (0, set())
