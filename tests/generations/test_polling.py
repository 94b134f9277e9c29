"""What the provider says about running work, and what is made of it."""

import copy
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import ids
from generations import jobs, lifecycle, lookups, polling
from generations.models import Alert, Attempt, OrphanSpend, ProviderAccount, Task
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, findings, money, seen
from tests.generations.simulator import RunningSimulator, wait_for
from tests.generations.wire import peer

pytestmark = pytest.mark.django_db(transaction=True)


def due_now() -> None:
    Attempt.objects.filter(state=Attempt.State.RUNNING).update(due_at=timezone.now())


@pytest.mark.parametrize("fault", ["poll-5xx", "poll-garbage", "wrong-ids", "absent"])
def test_a_failed_poll_decides_nothing(alice: Person, gateway: Steps, simulator: RunningSimulator, fault: str) -> None:
    simulator.script(fault, times=3)
    task = ask(alice)
    attempt = gateway.sent(task)
    before = Attempt.objects.filter(pk=attempt.pk).values("state", "state_word", "upstream_id", "finished_at").get()
    for _ in range(3):
        due_now()
        gateway.poll()
    task.refresh_from_db()
    assert task.status == "processing"
    assert before == Attempt.objects.filter(pk=attempt.pk).values(*before).get()
    assert simulator.see("requests")["requests"][0]["answer"] == "accepted"
    gateway.until(task, Task.Status.COMPLETED)
    assert money(alice.organization) == (973, 0)


def test_an_upstream_that_is_away_changes_nothing(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    task = ask(alice)
    gateway.sent(task)
    ProviderAccount.objects.update(base_url="http://127.0.0.1:9")
    due_now()
    gateway.poll()
    task.refresh_from_db()
    assert task.status == "processing"
    ProviderAccount.objects.update(base_url=simulator.url)
    gateway.until(task, Task.Status.COMPLETED)


def test_an_unknown_status_word_means_still_running_and_an_alert(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice, prompt="[sim:unknown-status reviewing] [sim:slow 600]")
    attempt = gateway.sent(task)
    simulator.advance(1)
    for _ in range(3):
        due_now()
        gateway.poll()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.state_word) == ("running", "reviewing")
    assert seen(alice, task)["status"] == "processing"
    alert = Alert.objects.get()
    assert (alert.kind, alert.subject, alert.count) == ("unknown-status-word", "simulator-live", 1)
    simulator.advance(600)
    gateway.until(task, Task.Status.COMPLETED)


def test_an_unknown_word_of_adopted_work_is_an_alert_too(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-after-body")
    task = ask(alice, prompt="[sim:unknown-status reviewing] [sim:slow 600]")
    gateway.due()
    simulator.advance(1)
    gateway.sent(task)
    assert alerts() == {"unknown-status-word"}


def test_an_answer_that_cannot_be_applied_keeps_back_no_other(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    """The first may go to another account, and its broken price keeps routing from saying which."""
    broken, healthy = (ask(alice, prompt=f"[sim:fail internal] {number}") for number in range(2))
    for task in (broken, healthy):
        gateway.sent(task)
    Task.objects.filter(pk=broken.pk).update(price={})
    simulator.advance(10)
    due_now()
    gateway.poll()
    statuses = dict(Task.objects.values_list("pk", "status"))
    assert statuses == {broken.pk: "processing", healthy.pk: "failed"}
    assert alerts() == {"answer-not-applied"}


def test_many_tasks_are_asked_for_in_one_call(alice: Person, gateway: Steps) -> None:
    attempts = [gateway.sent(ask(alice, prompt=str(number))) for number in range(5)]
    rows = [{"id": attempt.upstream_id, "status": "failed", "message": "Risk control system"} for attempt in attempts]
    body = json.dumps({"code": 0, "message": "", "data": rows}).encode()
    due_now()
    with peer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as upstream:
        ProviderAccount.objects.update(base_url=upstream.url)
        gateway.poll()
    (asked,) = upstream.requests
    assert all(attempt.upstream_id.encode() in asked for attempt in attempts)
    assert set(Task.objects.values_list("status", flat=True)) == {"failed"}
    assert money(alice.organization) == (1000, 0)


def test_only_due_attempts_are_asked_for_and_move_on(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any
) -> None:
    settings.POLL_INTERVAL_SECONDS = 60
    later, now = (gateway.sent(ask(alice, prompt=f"[sim:slow 600] {number}")) for number in range(2))
    in_an_hour, before = timezone.now() + timedelta(hours=1), timezone.now()
    Attempt.objects.filter(pk=later.pk).update(due_at=in_an_hour, state_word="")
    Attempt.objects.filter(pk=now.pk).update(due_at=before, state_word="")
    simulator.advance(30)
    gateway.poll()
    later.refresh_from_db()
    now.refresh_from_db()
    assert (later.state_word, later.due_at) == ("", in_an_hour)
    assert now.state_word == "processing"
    assert before + timedelta(seconds=60) <= now.due_at <= timezone.now() + timedelta(seconds=60)


def test_after_a_full_batch_the_next_follows_at_once(alice: Person, gateway: Steps, settings: Any) -> None:
    model = gateway.sent(ask(alice))
    task = Task.objects.get()
    tasks, attempts = [], []
    for number in range(2 * polling.PAGE):
        task.pk = ids.new()
        tasks.append(copy.copy(task))
        attempts.append(Attempt(task=tasks[-1], account=model.account, number=1, state=model.state))
        attempts[-1].upstream_id, attempts[-1].due_at = str(number), timezone.now()
    Task.objects.bulk_create(tasks)
    Attempt.objects.bulk_create(attempts)
    settings.POLL_INTERVAL_SECONDS = 60
    ProviderAccount.objects.update(base_url="http://127.0.0.1:9")
    with gateway.loop():
        wait_for(lambda: not Attempt.objects.filter(due_at__lte=timezone.now()).exists())


def test_an_account_that_hangs_delays_no_other(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    hanging, healthy = ask(alice, prompt="[sim:poll-slow 30]"), ask(alice)
    first = ProviderAccount.objects.filter(name="simulator-live")
    first.update(draining=True)
    jobs.submit(str(hanging.pk))
    first.update(draining=False)
    jobs.submit(str(healthy.pk))
    simulator.advance(10)
    with gateway.loop():
        wait_for(lambda: healthy.attempts.get().state == "fetching")
    assert (hanging.attempts.get().account.name, hanging.attempts.get().state) == (second_account, "running")


def test_a_success_after_the_refund_is_not_charged_but_noted(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice, prompt="[sim:late-success]")
    attempt = gateway.sent(task)
    Task.objects.update(deadline_at=timezone.now())
    assert lifecycle.give_up(task) is True
    assert money(alice.organization) == (1000, 0)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == ("lost", "generation_timeout")
    assert OrphanSpend.objects.get().due_at > timezone.now() + timedelta(hours=23)

    simulator.advance(2 * 86400)
    gateway.poll()
    OrphanSpend.objects.update(due_at=timezone.now())
    assert lookups.look_at_orphans() == 1

    orphan = OrphanSpend.objects.get()
    assert (orphan.found_state, orphan.cost_amount, orphan.cost_unit, orphan.due_at) == ("succeeded", 3, "unit", None)
    assert {"orphan-spend", "late-success"} == alerts()
    assert money(alice.organization) == (1000, 0)
    assert seen(alice, task)["status"] == "failed"
    assert findings() == []


def test_a_success_that_crosses_the_deadline_is_not_charged_either(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    """The poll had its answer in hand when the deadline took the task."""
    task = ask(alice)
    attempt = gateway.sent(task)
    simulator.advance(10)
    answer = lookups.ask(attempt)
    assert answer is not None
    lifecycle.give_up(task)
    assert lifecycle.result_ready(attempt, answer) is False
    assert OrphanSpend.objects.get().found_state == "succeeded"
    assert "late-success" in alerts()
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_an_orphan_that_the_provider_does_not_know_is_closed(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-before-body")
    task = ask(alice)
    gateway.due()
    lifecycle.give_up(task)
    OrphanSpend.objects.update(due_at=timezone.now())
    lookups.look_at_orphans()
    orphan = OrphanSpend.objects.get()
    assert (orphan.found_state, orphan.cost_amount, orphan.due_at) == ("absent", None, None)


def test_an_orphan_of_which_nobody_can_tell_is_looked_at_for_three_days(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-before-body")
    task = ask(alice)
    gateway.due()
    lifecycle.give_up(task)
    simulator.script("poll-5xx", times=2)
    for days, state in ((2, ""), (4, "nobody knows")):
        now = timezone.now()
        OrphanSpend.objects.update(due_at=now, noted_at=now - timedelta(days=days))
        assert lookups.look_at_orphans() == 1
        orphan = OrphanSpend.objects.get()
        assert (orphan.found_state, orphan.due_at is None) == (state, state != "")


def test_an_orphan_that_breaks_its_look_up_stops_no_other(alice: Person, gateway: Steps, second_account: str) -> None:
    healthy, broken = ask(alice), ask(alice)
    for task in (healthy, broken):
        gateway.sent(task)
        lifecycle.give_up(task)
    other = ProviderAccount.objects.filter(name=second_account)
    other.update(encrypted_credentials=b"broken")
    broken.attempts.update(account=other.get())
    now = timezone.now()
    OrphanSpend.objects.update(due_at=now)
    OrphanSpend.objects.filter(attempt__task=broken).update(due_at=now - timedelta(seconds=1))
    assert lookups.look_at_orphans() == 2
    again = OrphanSpend.objects.get(attempt__task=broken)
    assert again.found_state == ""
    assert OrphanSpend.objects.get(attempt__task=healthy).found_state != ""
    assert timedelta(minutes=59) < again.due_at - now < timedelta(minutes=61)


def test_an_orphan_that_runs_still_is_looked_at_again_the_day_after(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice, prompt="[sim:slow 100000]")
    gateway.sent(task)
    lifecycle.give_up(task)
    simulator.advance(100)
    before = timezone.now()
    OrphanSpend.objects.update(due_at=before)
    lookups.look_at_orphans()
    orphan = OrphanSpend.objects.get()
    assert orphan.found_state == "processing"
    assert timedelta(hours=23) < orphan.due_at - before < timedelta(hours=25)
    simulator.advance(200_000)
    OrphanSpend.objects.update(due_at=before)
    lookups.look_at_orphans()
    orphan.refresh_from_db()
    assert (orphan.found_state, orphan.due_at) == ("succeeded", None)


def test_an_orphan_that_cannot_be_looked_up_stays_due(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = ask(alice)
    gateway.sent(task)
    lifecycle.give_up(task)
    OrphanSpend.objects.update(due_at=timezone.now())
    simulator.script("poll-5xx")
    lookups.look_at_orphans()
    assert OrphanSpend.objects.get().due_at > timezone.now()
