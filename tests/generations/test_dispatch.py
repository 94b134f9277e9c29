"""A task is sent once, whatever the wire does to the call and whenever the worker dies."""

import copy
import os
import signal
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.db import connections
from django.utils import timezone

from accounts import ids, organizations
from generations import dispatch, leases, lifecycle, requests, routing
from generations.models import Attempt, Breaker, ProviderAccount, Task
from generations.providers import adapter
from generations.providers.base import Plan
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, findings, money, seen
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)


def bought(simulator: RunningSimulator) -> int:
    """How many tasks exist upstream."""
    return len(simulator.see("tasks")["tasks"])


@pytest.mark.parametrize(
    "fault",
    [
        "reset-after-body",
        "close-after-body",
        "bad-gateway-created",
        "internal-created",
        "half-answer",
        "garbage",
        "no-id",
    ],
)
def test_work_whose_acceptance_got_lost_is_found_and_finished(
    alice: Person, gateway: Steps, simulator: RunningSimulator, fault: str
) -> None:
    simulator.script(fault)
    task = ask(alice)

    gateway.due()
    attempt = task.attempts.get()
    assert attempt.state == Attempt.State.SUBMITTING
    assert attempt.unknown_since is not None
    assert money(alice.organization) == (1000, 27)
    assert seen(alice, task)["task_info"]["can_cancel"] is False

    gateway.until(task, Task.Status.COMPLETED)
    assert bought(simulator) == 1
    assert len(simulator.see("requests")["requests"]) == 1
    assert task.attempts.get().state == Attempt.State.SUCCEEDED
    assert money(alice.organization) == (973, 0)
    assert findings() == []


@pytest.mark.parametrize("fault", ["reset-after-body", "reset-before-body"])
def test_the_older_endpoints_are_looked_up_as_well(
    alice: Person, gateway: Steps, simulator: RunningSimulator, fault: str
) -> None:
    simulator.script(fault)
    task = gateway.until(ask(alice, negative_prompt="Rain"), Task.Status.COMPLETED)
    assert set(task.attempts.values_list("route", flat=True)) == {"/v1/videos/text2video"}
    assert bought(simulator) == 1
    assert money(alice.organization) == (973, 0)


@pytest.mark.parametrize("fault", ["reset-before-body", "bad-gateway"])
def test_work_that_was_certainly_never_created_is_sent_again(
    alice: Person, gateway: Steps, simulator: RunningSimulator, fault: str
) -> None:
    simulator.script(fault)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    first, second = task.attempts.order_by("number")
    assert (first.state, first.outcome, first.absent_looks) == ("failed", "not_created", 3)
    assert second.state == "succeeded"
    assert first.reference != second.reference
    assert simulator.tasks_of(first.reference) == []
    assert bought(simulator) == 1
    assert money(alice.organization) == (973, 0)
    assert findings() == []


@pytest.mark.parametrize(
    ("fault", "code"), [("refuse 1301", "content_policy_violation"), ("refuse 1201", "invalid_parameters")]
)
def test_a_refused_input_fails_the_task_at_once(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str, fault: str, code: str
) -> None:
    simulator.script(fault)
    task = gateway.until(ask(alice), Task.Status.FAILED)
    assert (task.error_code, task.error_retryable) == (code, False)
    assert task.attempts.get().outcome == code
    assert len(simulator.see("requests")["requests"]) == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


@pytest.mark.parametrize("code", [1302, 1303])
def test_an_account_that_asks_to_slow_down_makes_the_task_wait(
    alice: Person, gateway: Steps, simulator: RunningSimulator, code: int
) -> None:
    simulator.script(f"refuse {code}")
    task = ask(alice)
    gateway.due()
    assert task.attempts.get().outcome == routing.SOFT_OUTCOME
    row = Breaker.objects.get(account__name="simulator-live", model=task.model)
    assert row.state == "closed" and row.rest_until > timezone.now()
    assert seen(alice, task)["status"] == "pending"
    gateway.due()
    assert task.attempts.count() == 1
    Breaker.objects.all().delete()
    Task.objects.update(due_at=timezone.now())
    gateway.until(task, Task.Status.COMPLETED)
    assert [attempt.state for attempt in task.attempts.order_by("number")] == ["failed", "succeeded"]
    assert bought(simulator) == 1
    assert alerts() == set()


def test_an_account_without_money_is_passed_over(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    simulator.script("refuse 1102", account="demo")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["simulator-live", second_account]
    assert alerts() == {"provider-refused", "breaker-tripped"}
    assert routing.candidates(routing.wish(task, requests.order(task)))[0].reason.startswith("tripped: ")
    assert money(alice.organization) == (973, 0)


def test_without_another_account_the_task_fails_and_is_refunded(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("refuse 1102")
    task = gateway.until(ask(alice), Task.Status.FAILED)
    assert (task.error_code, task.error_retryable) == ("service_unavailable", True)
    assert "balance" not in str(seen(alice, task)["error"])
    assert money(alice.organization) == (1000, 0)
    assert alice.client.post("/v1/videos/generations", {"model": task.model, "prompt": "x"}).status_code == 503


def test_an_open_breaker_makes_other_tasks_wait_and_refuses_new_ones(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    refused, waiting = ask(alice, prompt="Refused"), ask(alice, prompt="Waits")
    simulator.script("refuse 1102", text="Refused")
    gateway.until(refused, Task.Status.FAILED)
    assert refused.error_code == "service_unavailable"
    assert alice.client.post("/v1/videos/generations", {"model": waiting.model, "prompt": "x"}).status_code == 503
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts.count()) == ("pending", 0)
    assert waiting.due_at > timezone.now()
    Breaker.objects.all().delete()
    Task.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    gateway.until(waiting, Task.Status.COMPLETED)
    assert money(alice.organization) == (973, 0)


def test_the_more_tasks_wait_the_less_often_each_looks(alice: Person, gateway: Steps) -> None:
    alice.organization.running_limit = 0
    alice.organization.save(update_fields=["running_limit"])
    task = ask(alice)
    others, template = [], Task.objects.get()
    for _ in range(10 * dispatch.LOOKS_PER_SECOND - 1):
        template.pk = ids.new()
        others.append(copy.copy(template))
    Task.objects.bulk_create(others)
    dispatch.submit(str(task.pk))
    task.refresh_from_db()
    assert timedelta(seconds=9) < task.due_at - timezone.now() <= timedelta(seconds=10)


def test_credentials_that_cannot_be_read_leave_no_attempt(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    ProviderAccount.objects.update(encrypted_credentials=b"broken")
    with pytest.raises(InvalidToken):
        dispatch.submit(str(task.pk))
    assert task.attempts.count() == 0
    assert money(alice.organization) == (1000, 27)


def test_an_upstream_that_nobody_reaches_is_a_refusal(alice: Person, gateway: Steps) -> None:
    ProviderAccount.objects.update(base_url="http://127.0.0.1:9")
    task = gateway.until(ask(alice), Task.Status.FAILED)
    assert task.error_code == "service_unavailable"
    assert money(alice.organization) == (1000, 0)


def intent(task: Task) -> Attempt:
    """A worker has claimed the task and committed its intent to send it."""
    claimed = leases.claim(Task.objects.filter(pk=task.pk), seconds=60)
    assert claimed is not None
    choice = routing.choose(claimed)
    attempt = lifecycle.begin_attempt(
        claimed, choice.account, plan=Plan(route="/text-to-video/kling-3.0"), choice=[], cost_estimate=choice.cost
    )
    assert attempt is not None
    return attempt


def died(task: Task) -> None:
    """That worker's lease has run out."""
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.filter(pk=task.pk).update(leased_until=past, due_at=past)


def test_a_worker_that_died_before_the_call_leaves_work_that_is_looked_up_and_sent_anew(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice)
    attempt = intent(task)
    died(task)
    gateway.until(task, Task.Status.COMPLETED)
    assert simulator.tasks_of(attempt.reference) == []
    assert task.attempts.get(number=1).outcome == "not_created"
    assert bought(simulator) == 1
    assert findings() == []


def test_a_worker_that_died_after_the_call_leaves_work_that_is_adopted(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice)
    attempt = intent(task)
    request = requests.order(task).request(attempt.account, reference=attempt.reference)
    adapter("kling").submit(attempt.account.caller(), request)
    died(task)
    gateway.until(task, Task.Status.COMPLETED)
    assert task.attempts.get().pk == attempt.pk
    assert bought(simulator) == 1
    assert money(alice.organization) == (973, 0)


def test_a_worker_killed_in_the_call_costs_no_second_create(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    """A real process, killed by SIGKILL while the upstream has created the work and says nothing."""
    simulator.script("hang-after-accept")
    task = ask(alice)
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            dispatch.submit(str(task.pk))
        finally:
            os._exit(1)
    while not simulator.see("tasks")["tasks"]:
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    leased = Task.objects.get(pk=task.pk)
    assert leased.leased_by == f"process-{child}"
    assert leases.release_leases(leased.leased_by) == 1
    gateway.until(task, Task.Status.COMPLETED)
    assert len(simulator.see("requests")["requests"]) == 1
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_a_look_up_that_fails_decides_nothing(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    simulator.script("reset-after-body")
    simulator.script("poll-5xx", times=4)
    task = ask(alice)
    gateway.until(task, Task.Status.COMPLETED)
    attempt = task.attempts.get()
    assert (attempt.looks, attempt.absent_looks) == (4, 0)
    assert bought(simulator) == 1


def test_work_that_shows_up_late_is_adopted(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    simulator.script("reset-after-body")
    simulator.script("absent", times=2)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert task.attempts.get().looks == 2
    assert bought(simulator) == 1


def test_absent_looks_count_only_with_time_between_them(alice: Person, gateway: Steps, settings: Any) -> None:
    settings.LOOKUP_DELAYS_SECONDS = [0.0] * 10
    settings.LOOKUP_ABSENT_GAP_SECONDS = 3600
    task = ask(alice)
    intent(task)
    died(task)
    for _ in range(5):
        gateway.due()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.looks, attempt.absent_looks) == (Attempt.State.SUBMITTING, 5, 1)


def test_a_task_beyond_the_running_limit_waits_in_the_queue(alice: Person, gateway: Steps) -> None:
    alice.organization.running_limit = 1
    alice.organization.save(update_fields=["running_limit"])
    first, second, third = (ask(alice, prompt=f"[sim:slow 60] {number}") for number in range(3))
    gateway.due()
    gateway.due()
    assert [task.attempts.count() for task in (first, second, third)] == [1, 0, 0]
    assert [seen(alice, task)["task_info"].get("queue_position") for task in (first, second, third)] == [None, 1, 2]
    assert seen(alice, third)["task_info"]["can_cancel"] is True


def test_a_sandbox_organization_works_on_so_many_at_once(alice: Person, gateway: Steps, settings: Any) -> None:
    settings.SANDBOX_RUNNING_LIMIT = 2
    sandbox = type(alice.organization)(name="Acme sandbox", sandbox_of=alice.organization)
    sandbox.user_group = alice.organization.user_group
    assert organizations.running_limit(sandbox) == 2


def test_poison_work_that_was_never_sent_is_failed_after_its_last_claim(
    alice: Person, gateway: Steps, settings: Any
) -> None:
    task = ask(alice)
    for _ in range(settings.MAX_CLAIMS):
        assert leases.claim(Task.objects.filter(pk=task.pk), seconds=60)
        died(task)
    gateway.due()
    task.refresh_from_db()
    assert (task.status, task.error_code) == ("failed", "service_error")
    assert alerts() == {"poison-task"}
    assert task.attempts.count() == 0
    assert money(alice.organization) == (1000, 0)


def test_poison_work_that_may_have_been_sent_waits_for_its_deadline(
    alice: Person, gateway: Steps, settings: Any
) -> None:
    task = ask(alice)
    intent(task)
    Task.objects.filter(pk=task.pk).update(claims=settings.MAX_CLAIMS)
    died(task)
    gateway.due()
    task.refresh_from_db()
    assert (task.status, task.due_at) == ("pending", None)
    assert alerts() == {"poison-task"}
    assert money(alice.organization) == (1000, 27)
