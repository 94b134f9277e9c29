"""Cancelling: certain while nothing was sent, refused afterwards, and the same answer when asked twice."""

import pytest
from rest_framework.test import APIClient

from generations import leases, lifecycle, routing
from generations.failures import SERVICE_ERROR
from generations.models import Attempt, Task
from generations.providers.base import Plan, Progress
from generations.providers.fal.verdicts import WITHDRAWN
from tests.cast import Person
from tests.generations.gateway import Steps, ask, findings, money, seen

pytestmark = pytest.mark.django_db


def cancel(client: APIClient, task: Task) -> tuple[int, dict[str, object]]:
    answer = client.post(f"/v1/tasks/{task.public_id}/cancel")
    return answer.status_code, answer.json()


def test_a_waiting_task_is_cancelled_with_a_full_refund(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    status, body = cancel(alice.client, task)
    assert (status, body["status"]) == (200, "cancelled")
    assert body["error"] == {
        "code": "request_cancelled",
        "message": "The task was cancelled. You were not charged.",
        "type": "task_error",
        "retryable": False,
    }
    assert body["task_info"]["can_cancel"] is False
    assert (body["billing"]["charge_status"], body["billing"]["refunded_credits"]) == ("released", 27)
    assert body["usage"]["credits_used"] == 0
    assert money(alice.organization) == (1000, 0)
    assert gateway.due() == 0
    assert findings() == []


def test_twice_is_the_same_answer(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert cancel(alice.client, task) == cancel(alice.client, task)
    assert money(alice.organization) == (1000, 0)


def test_what_was_sent_can_not_be_cancelled(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    gateway.due()
    status, body = cancel(alice.client, task)
    assert (status, body["error"]["code"], body["error"]["type"]) == (409, "task_not_cancellable", "conflict_error")
    assert money(alice.organization) == (1000, 27)


def test_a_task_whose_call_is_under_way_can_not_be_cancelled(alice: Person, gateway: Steps) -> None:
    task = leases.claim(Task.objects.filter(pk=ask(alice).pk), seconds=60)
    account = routing.choose(task).account
    assert lifecycle.begin_attempt(task, account, plan=Plan(route="/x"), choice=[], cost_estimate=0)
    assert seen(alice, task)["task_info"]["can_cancel"] is False
    assert cancel(alice.client, task)[0] == 409


def test_a_task_that_is_being_prepared_is_cancelled_and_then_not_sent(alice: Person, gateway: Steps) -> None:
    task = leases.claim(Task.objects.filter(pk=ask(alice).pk), seconds=60)
    assert cancel(alice.client, task)[0] == 200
    account = routing.choose(task).account
    assert lifecycle.begin_attempt(task, account, plan=Plan(route="/x"), choice=[], cost_estimate=0) is None
    assert task.attempts.count() == 0


def test_a_finished_task_can_not_be_cancelled(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    lifecycle.fail(task, SERVICE_ERROR)
    assert cancel(alice.client, task)[0] == 409
    assert money(alice.organization) == (1000, 0)


def test_a_stranger_finds_nothing_to_cancel(alice: Person, charlie: Person, gateway: Steps) -> None:
    task = ask(alice)
    status, body = cancel(charlie.client, task)
    assert (status, body["error"]["code"]) == (404, "task_not_found")
    assert seen(alice, task)["status"] == "pending"


def test_a_colleague_may_cancel(alice: Person, bob: Person, gateway: Steps) -> None:
    assert cancel(bob.client, ask(alice))[0] == 200


def test_a_key_that_only_reads_may_not_cancel(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert cancel(alice.client_with("read"), task)[0] == 403
    assert seen(alice, task)["status"] == "pending"


def test_a_malformed_id_is_named(alice: Person, gateway: Steps) -> None:
    answer = alice.client.post("/v1/tasks/nothing/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_task_id")


@pytest.mark.parametrize(
    ("asked", "status", "outcome", "due"),
    [("customer", "cancelled", "request_cancelled", False), ("us", "processing", "left_queue", True)],
)
def test_a_provider_that_lets_go_late_is_no_failure(
    alice: Person, gateway: Steps, asked: str, status: str, outcome: str, due: bool
) -> None:
    task = ask(alice, prompt="A heron [sim:slow 600]")
    attempt = gateway.sent(task)
    Attempt.objects.filter(pk=attempt.pk).update(cancel_asked=asked)
    attempt.refresh_from_db()
    verdict = WITHDRAWN.verdict("client_cancelled")
    ended = Progress(
        upstream_id=attempt.upstream_id, state="failed", state_word="COMPLETED", known_word=True, verdict=verdict
    )

    lifecycle.attempt_failed(attempt, ended)

    task.refresh_from_db()
    attempt.refresh_from_db()
    assert (task.status, task.due_at is not None) == (status, due)
    assert (attempt.state, attempt.outcome, attempt.fault) == ("failed", outcome, False)
    assert money(alice.organization) == ((1000, 27) if due else (1000, 0))
    assert findings() == []
