"""A create at kie.ai whose answer got lost, and its callbacks: nobody else can say what became of it."""

from decimal import Decimal

import pytest
from django.utils import timezone

from billing.models import Transfer
from generations import hints, jobs
from generations.models import Attempt, OrphanSpend, Task
from generations.providers.kie import callbacks
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, at_once, findings, money, seen
from tests.generations.kie import HUSH, bought, captures, sent, told
from tests.generations.simulator import RunningFace
from tests.plain_http import http

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", ["reset-after-body", "bad-gateway-created", "internal-created", "garbage", "no-id"])
def test_lost_work_is_adopted_when_its_callback_names_it_and_the_provider_says_so_too(
    alice: Person, gateway: Steps, kie: RunningFace, second_kie: str, fault: str
) -> None:
    kie.script(fault)
    kie.script("poll-5xx", times=2)
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.hint_id) == (Attempt.State.SUBMITTING, "")
    assert attempt.unknown_since is not None

    assert told(kie) == ["204"]
    gateway.due()
    attempt.refresh_from_db()
    (upstream,) = kie.see("tasks")["tasks"]
    assert (attempt.state, attempt.hint_id, attempt.upstream_id) == ("submitting", upstream["id"], "")

    gateway.until(task, Task.Status.COMPLETED)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.upstream_id) == (Attempt.State.SUCCEEDED, upstream["id"])
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


@pytest.mark.parametrize(("fault", "tasks"), [("reset-after-body", 1), ("reset-before-body", 0), ("bad-gateway", 0)])
def test_a_lost_answer_of_which_nothing_is_heard_is_refunded_at_the_deadline_and_never_sent_again(
    alice: Person, gateway: Steps, kie: RunningFace, second_kie: str, fault: str, tasks: int
) -> None:
    kie.script(fault)
    task = ask(alice, prompt="[sim:callback-lost]")
    for _ in range(8):
        gateway.work()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.absent_looks) == (Attempt.State.SUBMITTING, 0)
    assert money(alice.organization) == (1000, 27)

    Task.objects.update(deadline_at=timezone.now())
    jobs.sweep()
    jobs.sweep()
    gateway.work()
    task.refresh_from_db()
    assert (task.status, task.error_code, task.error_retryable) == ("failed", "generation_timeout", True)
    assert task.attempts.get().state == Attempt.State.LOST
    assert OrphanSpend.objects.get().attempt == attempt
    assert (len(sent(kie)), bought(kie)) == (1, tasks)
    assert alerts() == {"orphan-spend"}
    assert Transfer.objects.filter(reservation=task.pk, kind="release").count() == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_callback_after_the_refund_says_what_it_cost_and_charges_nothing(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    kie.script("reset-after-body")
    task = ask(alice, prompt="[sim:slow 3600]")
    gateway.due()
    Task.objects.update(deadline_at=timezone.now())
    jobs.sweep()
    kie.simulator.advance(7200)
    assert told(kie) == ["204"]

    jobs.housekeeping()
    orphan = OrphanSpend.objects.get()
    assert (orphan.found_state, orphan.cost_amount, orphan.cost_unit) == ("success", Decimal("0.35"), "USD")
    assert "late-success" in alerts()
    task.refresh_from_db()
    assert task.status == "failed"
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_callback_that_is_faster_than_the_creates_answer_changes_nothing(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    task = ask(alice, prompt="[sim:callback-early]")
    attempt = gateway.sent(task)
    assert told(kie) == ["204"]
    assert attempt.hint_id == attempt.upstream_id != ""

    gateway.until(task, Task.Status.COMPLETED)
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_a_callback_whose_signature_is_wrong_is_refused_and_nothing_happens(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    kie.script("reset-after-body")
    task = ask(alice, prompt="[sim:callback-bad-signature]")
    gateway.due()
    before = Task.objects.values().get(pk=task.pk)

    assert told(kie, 3) == ["401", "401", "401"]
    attempt = task.attempts.get()
    assert (attempt.state, attempt.hint_id, attempt.upstream_id) == (Attempt.State.SUBMITTING, "", "")
    assert Task.objects.values().get(pk=task.pk) == before
    assert money(alice.organization) == (1000, 27)


def test_a_strangers_callback_is_refused_and_nothing_happens(alice: Person, gateway: Steps, kie: RunningFace) -> None:
    task = ask(alice, prompt="[sim:slow 600]")
    attempt = gateway.sent(task)
    before = Attempt.objects.values().get(pk=attempt.pk)
    body = {"data": {"taskId": attempt.upstream_id, "state": "fail", "failCode": "400"}}

    address = hints.address(attempt.reference)
    headers = {"X-Webhook-Timestamp": str(int(timezone.now().timestamp())), "X-Webhook-Signature": "Zm9yZ2Vk"}
    assert http.post(address, json=body, headers=headers).status_code == 401
    assert http.post(address, json=body).status_code == 401
    assert http.post(address[:-1] + "x", json=body).status_code == 404
    assert Attempt.objects.values().get(pk=attempt.pk) == before
    assert seen(alice, task)["status"] == "processing"


def test_callbacks_and_polls_at_once_make_one_capture(alice: Person, gateway: Steps, kie: RunningFace) -> None:
    task = ask(alice, prompt="[sim:callback-lost]")
    attempt = gateway.sent(task)
    kie.simulator.do("finish", external_id=attempt.reference)
    Attempt.objects.update(due_at=timezone.now())

    at_once([gateway.poll, lambda: ring(attempt), gateway.poll, lambda: ring(attempt)])
    at_once([gateway.work, lambda: ring(attempt), gateway.work])
    gateway.until(task, Task.Status.COMPLETED)
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def ring(attempt: Attempt) -> None:
    """A callback about it, signed as it should be."""
    stamp = str(int(timezone.now().timestamp()))
    signed = callbacks.signature(HUSH, attempt.upstream_id, stamp)
    headers = {"X-Webhook-Timestamp": stamp, "X-Webhook-Signature": signed}
    body = {"code": 200, "data": {"taskId": attempt.upstream_id, "state": "success"}}
    answer = http.post(hints.address(attempt.reference), json=body, headers=headers)
    assert answer.status_code == 204
