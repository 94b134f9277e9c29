"""Many at once: requests on one wallet, ends of one task, workers on one row. Sizes: RACE_TASKS, RACE_POSTS."""

import os
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.errors import Conflict
from accounts.models import Scope
from billing import ledger
from billing.models import Reservation
from generations import breaker, dispatch, files, lifecycle, media
from generations.failures import SERVICE_ERROR
from generations.models import Attempt, Breaker, Delivery, ProviderAccount, StoredFile, Task
from generations.providers.base import ProviderRefused
from tests.cast import Person, client_for
from tests.generations.films import film
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, at_once, findings, money
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = int(os.environ.get("RACE_TASKS", "24"))
POSTS = int(os.environ.get("RACE_POSTS", "64"))
POST = "/v1/videos/generations"
HOOK = "https://example.com/hook"


def statuses(client: Callable[[], APIClient], count: int) -> Counter[int]:
    """How `count` equal requests at once were answered."""
    answers = at_once([lambda: client().post(POST, TEXT_TO_VIDEO).status_code] * count)
    return Counter(answers)


def test_64_requests_with_credits_for_10_make_exactly_10_tasks(alice: Person, gateway: Steps) -> None:
    ledger.adjust(alice.organization, Decimal(-730), reference="leave 270", reason="test")
    assert statuses(lambda: client_for(alice.secret), POSTS) == {200: 10, 402: POSTS - 10}
    assert Task.objects.count() == Reservation.objects.count() == 10
    assert money(alice.organization) == (270, 270)
    assert findings() == []
    call_command("verify_ledger", verbosity=0)


def test_a_keys_last_places_are_given_once(alice: Person, gateway: Steps) -> None:
    key, secret = alice.key_with(Scope.GENERATE, running_limit=3)
    assert statuses(lambda: client_for(secret), 16) == {200: 3, 429: 13}
    assert key.tasks.count() == 3
    assert money(alice.organization) == (1000, 81)


def test_an_organizations_last_places_are_given_once(alice: Person, gateway: Steps) -> None:
    alice.organization.running_limit, alice.organization.queued_limit = 2, 3
    alice.organization.save(update_fields=["running_limit", "queued_limit"])
    assert statuses(lambda: client_for(alice.secret), 16) == {200: 5, 429: 11}
    assert findings() == []


def fetching(task: Task, account: ProviderAccount) -> Attempt:
    """The task's result lies ready, and a worker holds the claim on it."""
    Task.objects.filter(pk=task.pk).update(status="processing")
    return Attempt.objects.create(
        task=task, account=account, number=1, route="/x", state="fetching", upstream_id=str(task.pk)
    )


def test_complete_against_deadline_against_cancel_has_one_winner_each(
    alice: Person, gateway: Steps, tmp_path: object
) -> None:
    account = ProviderAccount.objects.get(serves="live")
    ledger.top_up(alice.organization, Decimal(TASKS * 27), reference="enough")
    before = money(alice.organization)[0]
    tasks = [ask(alice, callback_url=HOOK) for _ in range(TASKS)]
    path = film(tmp_path / "result.mp4", width=320, height=320, seconds=1, fps=4)
    result = files.keep(
        alice.organization, path, media.read_video(path), purpose=StoredFile.Purpose.RESULT, file_name="r.mp4"
    )
    attempts = {task: fetching(task, account) for task in tasks[::2]}

    def cancel(task: Task) -> bool:
        try:
            lifecycle.cancel(task)
        except Conflict:
            return False
        return True

    for task in tasks:
        ends = [lambda task=task: lifecycle.give_up(task), lambda task=task: cancel(task)]
        if attempt := attempts.get(task):
            ends.append(lambda attempt=attempt: lifecycle.complete(attempt, result=result))
        else:
            ends.append(lambda task=task: lifecycle.fail(task, SERVICE_ERROR))
        at_once(ends * 2)

    ended = Counter(Task.objects.values_list("status", flat=True))
    assert sum(ended.values()) == TASKS
    assert set(ended) <= {"completed", "failed", "cancelled"}
    assert money(alice.organization) == (before - 27 * ended["completed"], 0)
    assert Counter(Delivery.objects.values_list("task", flat=True)) == Counter(task.pk for task in tasks)
    assert findings() == []


def test_two_workers_submit_one_task_once(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    tasks = [ask(alice) for _ in range(6)]
    for task in tasks:
        at_once([lambda task=task: dispatch.submit(str(task.pk))] * 4)
    assert len(simulator.see("requests")["requests"]) == 6
    assert {task.attempts.count() for task in tasks} == {1}
    for task in tasks:
        gateway.until(task, Task.Status.COMPLETED)
    assert money(alice.organization) == (1000 - 6 * 27, 0)
    assert findings() == []


def test_the_last_slot_of_an_account_is_given_once(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    ProviderAccount.objects.update(caps={"*": 2})
    tasks = [ask(alice, prompt="[sim:slow 60]") for _ in range(8)]
    at_once([lambda task=task: dispatch.submit(str(task.pk)) for task in tasks])
    assert Attempt.objects.count() == len(simulator.see("requests")["requests"]) == 2
    assert Task.objects.filter(status="pending", claims=0).count() == 6


def test_rests_at_once_are_all_kept(alice: Person, gateway: Steps) -> None:
    account = ProviderAccount.objects.get(serves="live")
    refusal = ProviderRefused("x", scope="soft")
    at_once([lambda model=model: breaker.rest(account, model, refusal) for model in ("a", "b", "c", "d", "e")])
    rests = Breaker.objects.filter(rest_until__isnull=False).values_list("model", flat=True)
    assert sorted(rests) == ["a", "b", "c", "d", "e"]
