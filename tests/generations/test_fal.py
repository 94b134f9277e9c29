"""The product over fal.ai: sent once, found late or told, waits in a queue, charged once whatever happens."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generations import jobs, lookups, provider_accounts
from generations.models import Attempt, Breaker, OrphanSpend, ProviderAccount, Task
from tests.cast import Person
from tests.generations.fal import fal_account
from tests.generations.gateway import Steps, alerts, ask, findings, money, seen
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = 3600.0


@pytest.fixture
def fal(gateway: Steps, simulator: RunningSimulator) -> RunningFace:
    """Live keys are served by fal alone."""
    face = simulator.face("fal")
    ProviderAccount.objects.filter(provider="kling").update(enabled=False)
    fal_account(face)
    return face


@pytest.fixture
def kling(fal: RunningFace) -> str:
    """A Kling account that costs more than fal's; its name."""
    costs = {"kling-v3-text-to-video": {"720p_off": "0.01"}}
    ProviderAccount.objects.filter(name="simulator-live").update(enabled=True, costs=costs)
    return "simulator-live"


@pytest.fixture
def reachable(fal: RunningFace, live_server: LiveServer, settings: Settings) -> None:
    """fal can call us back."""
    settings.PUBLIC_URL = live_server.url


def bought(fal: RunningFace) -> int:
    """How many requests exist at fal."""
    return len(fal.see("tasks")["tasks"])


def sent_creates(fal: RunningFace) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = fal.see("requests")["requests"]
    return rows


def spent(fal: RunningFace) -> int:
    """Thousandths of a dollar."""
    return int(fal.see("ledger")["milliunits"])


def attempts(task: Task) -> list[tuple[str, str, str]]:
    """(account, state, outcome) in order."""
    return [(one.account.name, one.state, one.outcome) for one in task.attempts.order_by("number")]


def test_a_video_is_made_and_charged_once(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    attempt = task.attempts.get()
    assert attempt.route == "/fal-ai/kling-video/v3/standard/text-to-video"
    assert (attempt.cost_amount, attempt.cost_unit) == (Decimal(5), "unit")
    (create,) = sent_creates(fal)
    assert create["external_id"] == attempt.reference
    assert json.loads(create["body"]) == attempt.mark
    (result,) = seen(alice, task)["result_data"]
    assert result["duration"] == pytest.approx(5, abs=0.1)
    assert spent(fal) == 5 * 84
    assert money(alice.organization) == (973, 0)
    assert findings() == []
    assert alerts() == set()


LOST = ["reset-after-body", "close-after-body", "bad-gateway-created", "internal-created", "garbage", "no-id"]


@pytest.mark.parametrize("fault", LOST)
def test_work_whose_acceptance_got_lost_is_found_in_the_list_once_it_has_ended(
    alice: Person, gateway: Steps, fal: RunningFace, kling: str, fault: str
) -> None:
    fal.script(fault)
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert attempt.state == Attempt.State.SUBMITTING
    assert attempt.unknown_since is not None

    gateway.until(task, Task.Status.COMPLETED)
    assert attempts(task) == [("fal-live", "succeeded", "succeeded")]
    assert len(sent_creates(fal)) == bought(fal) == 1
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_of_equal_tasks_each_finds_its_own_work(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    fal.script("reset-after-body", times=2)
    tasks = [ask(alice), ask(alice), ask(alice)]
    for task in tasks:
        gateway.until(task, Task.Status.COMPLETED)

    ids = [task.attempts.get().upstream_id for task in tasks]
    assert sorted(ids) == sorted(row["id"] for row in fal.see("tasks")["tasks"])
    assert len(sent_creates(fal)) == 3
    assert money(alice.organization) == (1000 - 3 * 27, 0)
    assert findings() == []


@pytest.mark.parametrize("fault", [*LOST, "half-answer", "callback-early"])
def test_a_callback_tells_what_got_lost(
    alice: Person, gateway: Steps, fal: RunningFace, reachable: None, settings: Settings, fault: str
) -> None:
    provider_accounts.fetch_callback_keys()
    settings.LOOKUP_DELAYS_SECONDS = [NEVER]
    settings.LOOKUP_ABSENT_GAP_SECONDS = NEVER
    fal.script(fault)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert attempts(task) == [("fal-live", "succeeded", "succeeded")]
    assert task.attempts.get().hint_id == task.attempts.get().upstream_id
    assert len(sent_creates(fal)) == bought(fal) == 1
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_a_callback_that_fal_did_not_sign_is_refused(
    alice: Person, gateway: Steps, fal: RunningFace, reachable: None
) -> None:
    provider_accounts.fetch_callback_keys()
    gateway.until(ask(alice, prompt="A heron [sim:callback-bad-signature]"), Task.Status.COMPLETED)
    gateway.until(ask(alice, prompt="A heron"), Task.Status.COMPLETED)

    def outcomes() -> list[str]:
        found = [row["outcome"] for row in fal.see("callbacks")["callbacks"]]
        return found if "204" in found else []

    assert set(wait_for(outcomes)) == {"401", "204"}


@pytest.fixture
def lost(alice: Person, gateway: Steps, fal: RunningFace, kling: str) -> Iterator[Task]:
    """A task whose create broke, of which nothing is heard, and whose deadline has passed."""
    fal.script("reset-after-body")
    task = ask(alice, prompt="A heron [sim:late-success]")
    for _ in range(5):
        gateway.due()
    assert money(alice.organization) == (1000, 27)
    Task.objects.filter(pk=task.pk).update(deadline_at=timezone.now())
    jobs.sweep()
    gateway.work()
    task.refresh_from_db()
    yield task
    assert len(sent_creates(fal)) == bought(fal) == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_nothing_heard_until_the_deadline_is_refunded_once_and_sent_nowhere_else(lost: Task) -> None:
    assert (lost.status, lost.error_code) == ("failed", "generation_timeout")
    assert attempts(lost) == [("fal-live", "lost", "generation_timeout")]
    assert OrphanSpend.objects.get().attempt == lost.attempts.get()
    assert alerts() == {"orphan-spend"}


def test_its_late_success_is_our_loss(lost: Task, fal: RunningFace) -> None:
    fal.simulator.advance(2 * 86400)
    OrphanSpend.objects.update(due_at=timezone.now())
    assert lookups.look_at_orphans() == 1

    orphan = OrphanSpend.objects.get()
    assert (orphan.found_state, orphan.due_at) == ("COMPLETED", None)
    assert "late-success" in alerts()
    lost.refresh_from_db()
    assert lost.status == "failed"


def test_what_was_never_created_is_not_sent_again(alice: Person, gateway: Steps, fal: RunningFace, kling: str) -> None:
    fal.script("reset-before-body")
    task = ask(alice)
    for _ in range(8):
        gateway.due()
        Task.objects.filter(pk=task.pk).update(due_at=timezone.now())
    attempt = task.attempts.get()
    assert (attempt.state, attempt.absent_looks) == ("submitting", 0)
    assert attempt.looks > lookups.ABSENT_LOOKS
    assert money(alice.organization) == (1000, 27)


@pytest.mark.parametrize("fault", ["poll-5xx", "poll-garbage", "wrong-ids", "absent"])
def test_queries_that_fail_decide_nothing(alice: Person, gateway: Steps, fal: RunningFace, fault: str) -> None:
    task = gateway.until(ask(alice, prompt=f"A heron [sim:{fault} 9]"), Task.Status.COMPLETED)

    assert attempts(task) == [("fal-live", "succeeded", "succeeded")]
    assert money(alice.organization) == (973, 0)


def test_a_result_that_fal_forgot_during_an_outage_comes_from_the_list(
    alice: Person, gateway: Steps, fal: RunningFace
) -> None:
    task = ask(alice)
    attempt = gateway.sent(task)
    wait_for(lambda: fal.see("tasks")["tasks"][0]["state"] == "succeeded")
    fal.simulator.advance(2 * 3600)
    gateway.until(task, Task.Status.COMPLETED)

    assert task.attempts.get().upstream_id == attempt.upstream_id
    assert task.attempts.get().cost_amount is None
    assert money(alice.organization) == (973, 0)


def queued(alice: Person, gateway: Steps, fal: RunningFace, **changes: Any) -> tuple[Task, Attempt]:
    """A task that waits in fal's queue, and begins when the account is given a slot."""
    fal.change_account(slots=0)
    task = ask(alice, **changes)
    attempt = gateway.sent(task)
    gateway.poll()
    attempt.refresh_from_db()
    assert (attempt.state_word, attempt.queued_since is not None) == ("IN_QUEUE", True)
    return task, attempt


def test_time_in_the_queue_does_not_count_against_the_deadline(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    task, attempt = queued(alice, gateway, fal, prompt="A heron [sim:slow 400]")
    task.refresh_from_db()
    before = task.deadline_at
    Attempt.objects.filter(pk=attempt.pk).update(queued_since=timezone.now() - timedelta(minutes=45))
    fal.change_account(slots=1)

    def begun() -> bool:
        gateway.poll()
        return Attempt.objects.filter(pk=attempt.pk, queued_since=None, state_word="IN_PROGRESS").exists()

    wait_for(begun)
    task.refresh_from_db()
    assert timedelta(minutes=45) <= task.deadline_at - before < timedelta(minutes=46)
    fal.simulator.advance(500)
    gateway.until(task, Task.Status.COMPLETED)
    assert money(alice.organization) == (973, 0)


def test_each_look_at_a_long_queue_moves_the_deadline_on_for_an_hour_at_most(
    alice: Person, gateway: Steps, fal: RunningFace
) -> None:
    task, attempt = queued(alice, gateway, fal)
    for since_acceptance, moved in ((45, 20), (75, 0)):
        now = timezone.now()
        deadline = now + timedelta(minutes=15)
        Task.objects.filter(pk=task.pk).update(due_at=now, deadline_at=deadline)
        Attempt.objects.filter(pk=attempt.pk).update(
            queued_since=now - timedelta(minutes=20), accepted_at=now - timedelta(minutes=since_acceptance)
        )
        gateway.due()
        task.refresh_from_db()
        assert timedelta(minutes=moved) <= task.deadline_at - deadline < timedelta(minutes=moved, seconds=30)
        assert timedelta(minutes=4) < task.due_at - now < timedelta(minutes=6)


def test_what_waits_for_long_is_withdrawn_and_sent_to_another_account(
    alice: Person, gateway: Steps, fal: RunningFace, kling: str, settings: Settings
) -> None:
    settings.QUEUE_PATIENCE_SECONDS = 0.1
    task, _ = queued(alice, gateway, fal)
    gateway.until(task, Task.Status.COMPLETED)

    assert attempts(task) == [("fal-live", "failed", "left_queue"), (kling, "succeeded", "succeeded")]
    assert [row["state"] for row in fal.see("tasks")["tasks"]] == ["cancelled"]
    assert spent(fal) == 0
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_what_fal_does_not_let_go_is_made_there(
    alice: Person, gateway: Steps, fal: RunningFace, kling: str, settings: Settings
) -> None:
    settings.QUEUE_PATIENCE_SECONDS = 0.1
    task, _ = queued(alice, gateway, fal, prompt="A heron [sim:cancel-ignored]")
    for _ in range(5):
        gateway.work()
    assert task.attempts.count() == 1
    fal.change_account(slots=1)
    gateway.until(task, Task.Status.COMPLETED)

    assert attempts(task) == [("fal-live", "succeeded", "succeeded")]
    assert money(alice.organization) == (973, 0)


def test_what_waits_can_be_cancelled_with_a_full_refund(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    task, _ = queued(alice, gateway, fal)
    answer = alice.client.post(f"/v1/tasks/{task.public_id}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert attempts(task) == [("fal-live", "failed", "request_cancelled")]
    assert spent(fal) == 0
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_what_runs_can_not_be_cancelled_and_runs_on(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    task = ask(alice, prompt="A heron [sim:slow 400]")
    gateway.sent(task)
    wait_for(lambda: fal.see("tasks")["tasks"][0]["state"] == "processing")
    answer = alice.client.post(f"/v1/tasks/{task.public_id}/cancel")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "task_not_cancellable")
    assert fal.see("tasks")["tasks"][0]["state"] == "processing"
    assert money(alice.organization) == (1000, 27)


def test_content_is_refused_before_anything_is_made(
    alice: Person, gateway: Steps, fal: RunningFace, kling: str
) -> None:
    fal.script("refuse 422")
    task = gateway.until(ask(alice), Task.Status.FAILED)

    assert (task.error_code, task.error_retryable) == ("content_policy_violation", False)
    assert attempts(task) == [("fal-live", "failed", "content_policy_violation")]
    assert bought(fal) == 0
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_content_is_refused_in_the_result(alice: Person, gateway: Steps, fal: RunningFace, kling: str) -> None:
    fal.script("fail content")
    task = gateway.until(ask(alice), Task.Status.FAILED)

    assert (task.error_code, task.error_retryable) == ("content_policy_violation", False)
    assert attempts(task) == [("fal-live", "failed", "content_policy_violation")]
    assert spent(fal) == 0
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("fail internal", "service_error"),
        ("fail timeout", "generation_timeout"),
        ("fail Kling did not answer", "service_error"),
        ("fail download", "media_unreachable"),
    ],
)
def test_what_fails_at_fal_is_made_once_more_elsewhere(
    alice: Person, gateway: Steps, fal: RunningFace, kling: str, fault: str, outcome: str
) -> None:
    fal.script(fault)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert attempts(task) == [("fal-live", "failed", outcome), (kling, "succeeded", "succeeded")]
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_an_empty_balance_is_passed_over(alice: Person, gateway: Steps, fal: RunningFace, kling: str) -> None:
    fal.change_account(units=0)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert attempts(task) == [("fal-live", "failed", "provider_refused"), (kling, "succeeded", "succeeded")]
    assert alerts() == {"provider-refused", "breaker-tripped"}
    assert Breaker.objects.get(account__name="fal-live").model == "*"
    assert "Exhausted balance" not in str(seen(alice, task))
    assert money(alice.organization) == (973, 0)


def test_an_account_that_is_asked_too_often_makes_the_task_wait(
    alice: Person, gateway: Steps, fal: RunningFace
) -> None:
    fal.script("refuse fast")
    task = ask(alice)
    gateway.due()
    assert attempts(task) == [("fal-live", "failed", "slow_down")]
    Breaker.objects.all().delete()
    Task.objects.update(due_at=timezone.now())
    gateway.until(task, Task.Status.COMPLETED)
    assert bought(fal) == 1
    assert alerts() == set()


def test_an_unknown_word_is_told_and_waited_for(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    gateway.until(ask(alice, prompt="A heron [sim:unknown-status IN_REVIEW]"), Task.Status.COMPLETED)

    assert alerts() == {"unknown-status-word"}
    assert money(alice.organization) == (973, 0)
