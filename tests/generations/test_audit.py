"""The auditor finds every way in which tasks and books can disagree, and nothing in what the gateway itself does."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import ids
from billing import audit, ledger
from billing.models import AuditRun, Reservation, Wallet
from generations import costs, jobs, lifecycle
from generations.failures import SERVICE_ERROR
from generations.models import Alert, Attempt, Delivery, ProviderAccount, Task
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, findings

pytestmark = pytest.mark.django_db

Plant = Callable[[Task], object]


def completed(person: Person) -> Task:
    """A finished task without the work, its account and its callback as if it had been made."""
    task = ask(person, callback_url="https://example.com/hook")
    account = ProviderAccount.objects.get(serves="live")
    attempt = Attempt.objects.create(
        task=task, account=account, number=1, route="/x", state="succeeded", upstream_id="1"
    )
    Task.objects.filter(pk=task.pk).update(status="processing")
    lifecycle._end(Task.objects.get(pk=task.pk), Task.Status.COMPLETED, cost=costs.of_success(task, attempt))
    task.refresh_from_db()
    return task


def changed(**values: object) -> Plant:
    return lambda task: Task.objects.filter(pk=task.pk).update(**values)


def reserved_without_task(task: Task) -> None:
    ledger.reserve(task.organization, ids.new(), Decimal(1))


def task_without_reservation(task: Task) -> None:
    task.pk = ids.new()
    task.save(force_insert=True)
    Delivery.objects.create(
        organization=task.organization, task=task, event="task.completed", webhook_id="w", url="x", tries_left=0
    )
    Attempt.objects.create(
        task=task, account=ProviderAccount.objects.first(), number=1, route="/x", state="succeeded", upstream_id="2"
    )


def second_open_attempt(task: Task) -> None:
    account = ProviderAccount.objects.get(serves="live")
    Attempt.objects.create(task=task, account=account, number=2, route="/x", state="running", upstream_id="3")


def open_again(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(status="processing", finished_at=None)
    task.attempts.update(state="running")


def without_its_cost(task: Task) -> None:
    account = ProviderAccount.objects.get(serves="live")
    Attempt.objects.create(task=task, account=account, number=2, route="/x", state="succeeded", upstream_id="4")


def moved_to_another_account(task: Task) -> None:
    task.attempts.update(account=ProviderAccount.objects.get(serves="sandbox"))


PLANTED: dict[str, tuple[Plant, set[str]]] = {
    "a reservation without a task": (reserved_without_task, {"I17"}),
    "a task without a reservation": (task_without_reservation, {"I17", "I23"}),
    "an open task whose reservation is resolved": (open_again, {"I17", "I23"}),
    "a failed task that was charged": (changed(status="failed"), {"I18", "I20", "I21"}),
    "a task that says it was charged less": (changed(charged_credits=26), {"I14", "I18"}),
    "a task that says more was reserved": (changed(reserved_credits=28), {"I14", "I18"}),
    "a task whose measured seconds make less": (lambda task: measure(task, "3"), {"I14"}),
    "a task of another price": (lambda task: reprice(task, "6"), {"I14"}),
    "a finished task with an open attempt": (second_open_attempt, {"I20"}),
    "a finished task without a successful attempt": (lambda task: task.attempts.update(state="failed"), {"I20"}),
    "a success whose cost is missing": (without_its_cost, {"I20", "I23"}),
    "a cost of another account": (moved_to_another_account, {"I23"}),
    "a cost of work that still runs": (lambda task: task.attempts.update(state="running"), {"I20", "I23"}),
    "a finished task that was not announced": (lambda task: task.deliveries.all().delete(), {"I21"}),
}


def reprice(task: Task, rate: str) -> None:
    Task.objects.filter(pk=task.pk).update(price=task.price | {"rate": rate})


def measure(task: Task, seconds: str) -> None:
    """As if the output decided the price, and were this long."""
    price = task.price | {"measured": "output", "rounding": "half_up"}
    Task.objects.filter(pk=task.pk).update(price=price, measured_seconds=Decimal(seconds))


def test_a_measured_length_makes_the_charge(alice: Person, gateway: Steps) -> None:
    task = completed(alice)
    measure(task, "4.6")
    assert findings() == []


def test_what_the_gateway_does_is_clean(alice: Person, gateway: Steps) -> None:
    completed(alice)
    ask(alice)
    lifecycle.cancel(ask(alice, callback_url="https://example.com/hook"))
    lifecycle.fail(ask(alice), SERVICE_ERROR)
    assert findings() == []
    call_command("verify_ledger", verbosity=0)


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_disagreement_is_found(alice: Person, gateway: Steps, planted: str) -> None:
    task = completed(alice)
    assert findings() == []
    plant, expected = PLANTED[planted]
    plant(task)
    assert {finding.invariant for finding in findings()} == expected


def test_a_finding_freezes_the_wallet_and_is_stored(alice: Person, charlie: Person, gateway: Steps) -> None:
    task = completed(alice)
    changed(charged_credits=26)(task)
    with pytest.raises(SystemExit):
        call_command("verify_ledger", verbosity=0)
    run = AuditRun.objects.get()
    assert {finding["invariant"] for finding in run.findings} == {"I14", "I18"}
    assert all(task.public_id in finding["subject"] for finding in run.findings)
    assert Wallet.objects.get(pk=alice.organization.pk).frozen_at is not None
    assert Wallet.objects.get(pk=charlie.organization.pk).frozen_at is None
    answer = alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wallet_frozen")


def test_a_frozen_wallet_still_settles_what_runs(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    ledger.freeze(alice.organization, reason="test")
    assert lifecycle.fail(task, SERVICE_ERROR) is True
    assert findings() == []


def test_a_task_of_another_organization_is_not_its_reservations(alice: Person, charlie: Person, gateway: Steps) -> None:
    task = ask(alice)
    Task.objects.filter(pk=task.pk).update(organization=charlie.organization)
    assert {finding.invariant for finding in audit_of(alice)} == {"I17"}


def audit_of(person: Person) -> list[audit.Finding]:
    wallet = Wallet.objects.get(pk=person.organization.pk)
    return [finding for check in audit.all_checks() for finding in check(wallet)]


def test_every_finished_task_has_an_end(alice: Person, gateway: Steps) -> None:
    task = completed(alice)
    assert timezone.now() >= task.finished_at


def test_credits_reserved_for_longer_than_any_task_may_live_raise_an_alert(alice: Person, gateway: Steps) -> None:
    young, old, ended = ask(alice), ask(alice), ask(alice)
    lifecycle.cancel(ended)
    now = timezone.now()
    Reservation.objects.filter(pk=young.pk).update(created_at=now - timedelta(minutes=99))
    Reservation.objects.filter(pk__in=[old.pk, ended.pk]).update(created_at=now - timedelta(minutes=101))

    for _ in range(2):
        jobs.housekeeping()

    found = Alert.objects.get()
    assert (found.kind, found.subject, found.count) == ("old-reservation", old.public_id, 2)
    assert found.message.startswith("27.0000 credits are reserved since ")
