"""A provider's callback makes us look, and is never believed by itself."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generations import hints, lifecycle, lookups
from generations.models import Alert, Attempt, OrphanSpend, ProviderAccount, Task
from generations.providers.base import OutcomeUnknown
from generations.sandbox.callbacks import signature
from tests.cast import Person
from tests.generations.gateway import Steps, ask, findings, money
from tests.generations.simulator import RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = 3600.0
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes long").decode()


@pytest.fixture
def only_hints(gateway: Steps, live_server: LiveServer, settings: Settings) -> Steps:
    """Providers reach us, and nothing else makes us look before an hour is over."""
    settings.PUBLIC_URL = live_server.url
    settings.POLL_INTERVAL_SECONDS = NEVER
    settings.LOOKUP_DELAYS_SECONDS = [NEVER]
    settings.LOOKUP_ABSENT_GAP_SECONDS = NEVER
    return gateway


def tell(attempt: Attempt, body: Any, **headers: str) -> int:
    """Call back about the attempt as a provider would; the answer's status."""
    path = hints.address(attempt.reference).partition("/hints")[2]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(f"/hints{path}", raw, content_type="application/json", headers=headers).status_code


def is_due(attempt: Attempt) -> bool:
    return Attempt.objects.filter(pk=attempt.pk, due_at__lte=timezone.now()).exists()


def running(person: Person, worker: Steps, settings: Settings) -> Attempt:
    """An attempt that nobody polls for an hour."""
    settings.POLL_INTERVAL_SECONDS = NEVER
    return worker.sent(ask(person, prompt="A heron [sim:slow 60]"))


def test_the_provider_reaches_us_and_the_work_is_looked_at_at_once(alice: Person, only_hints: Steps) -> None:
    task = only_hints.until(ask(alice), Task.Status.COMPLETED)
    assert money(alice.organization) == (973, 0)
    assert task.attempts.get().hint_id == ""


@pytest.mark.parametrize("negative_prompt", ["", "Rain"])
@pytest.mark.parametrize("fault", ["reset-after-body", "garbage", "internal-created", "callback-early"])
def test_work_whose_acceptance_got_lost_is_adopted_when_the_provider_calls(
    alice: Person, only_hints: Steps, simulator: RunningSimulator, fault: str, negative_prompt: str
) -> None:
    simulator.script(fault)
    task = only_hints.until(ask(alice, negative_prompt=negative_prompt), Task.Status.COMPLETED)
    assert [attempt.state for attempt in task.attempts.all()] == [Attempt.State.SUCCEEDED]
    assert len(simulator.see("requests")["requests"]) == 1
    assert money(alice.organization) == (973, 0)
    assert findings() == []


@pytest.mark.parametrize("fault", ["callback-twice", "callback-reordered"])
def test_callbacks_that_come_twice_or_out_of_order_change_nothing(
    alice: Person, only_hints: Steps, simulator: RunningSimulator, fault: str
) -> None:
    simulator.script(fault)
    only_hints.until(ask(alice), Task.Status.COMPLETED)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_an_address_that_we_did_not_give_out_is_not_there(alice: Person, gateway: Steps, settings: Settings) -> None:
    attempt = running(alice, gateway, settings)
    other = hints.address("att_" + "0" * 26).rpartition("/")[2]
    for path in (f"/hints/{attempt.reference}/{other}", f"/hints/{attempt.reference}/x", f"/hints/nobody/{other}"):
        answer = Client().post(path, {"id": attempt.upstream_id}, content_type="application/json")
        assert answer.status_code == 404
    assert Client().get("/hints" + hints.address(attempt.reference).partition("/hints")[2]).status_code == 405
    assert not is_due(attempt)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"id": null}', b'{"id": {"x": 1}}', b"[" * 100_000])
def test_a_callback_that_names_no_work_is_refused(
    alice: Person, gateway: Steps, settings: Settings, body: bytes
) -> None:
    attempt = running(alice, gateway, settings)
    assert tell(attempt, body) == 401
    assert not is_due(attempt)


def test_where_the_provider_signs_a_wrong_signature_is_refused(
    alice: Person, gateway: Steps, settings: Settings, simulator: RunningSimulator
) -> None:
    for account in ProviderAccount.objects.all():
        account.set_credentials({"api_key": "demo", "webhook_secret": SECRET})
        account.save(update_fields=["encrypted_credentials"])
    attempt = running(alice, gateway, settings)
    body = json.dumps({"id": attempt.upstream_id})
    now = int(timezone.now().timestamp())

    def signed(at: int, text: str) -> dict[str, str]:
        return {
            "webhook-id": "msg-1",
            "webhook-timestamp": str(at),
            "webhook-signature": signature(SECRET, "msg-1", at, text),
        }

    for headers in ({}, signed(now, body + " "), signed(now - 3600, body), {"webhook-id": "x"}):
        assert tell(attempt, body.encode(), **headers) == 401
    assert not is_due(attempt)

    assert tell(attempt, body.encode(), **signed(now, body)) == 204
    assert is_due(attempt)


def test_a_callback_about_other_work_is_heard_and_changes_nothing(
    alice: Person, gateway: Steps, settings: Settings
) -> None:
    attempt = running(alice, gateway, settings)
    assert tell(attempt, {"id": "somebody else's"}) == 204
    attempt.refresh_from_db()
    assert (is_due(attempt), attempt.hint_id) == (False, "")


def test_work_that_the_provider_does_not_confirm_is_not_adopted(
    alice: Person, gateway: Steps, settings: Settings, simulator: RunningSimulator
) -> None:
    """Neither what it does not know, nor what is another attempt's."""
    other = running(alice, gateway, settings)
    simulator.script("hang-before-accept 0.1")
    task = ask(alice)
    gateway.due()
    lost = task.attempts.get()
    for named in ("made up", other.upstream_id):
        Attempt.objects.filter(pk=lost.pk).update(hint_id="")
        assert tell(lost, {"id": named}) == 204
        lost.refresh_from_db()
        with pytest.raises(OutcomeUnknown):
            lookups.find(lost)


def test_what_is_heard_after_the_refund_is_looked_at_now_and_not_charged(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-after-body")
    task = ask(alice)
    gateway.due()
    lifecycle.give_up(task)
    attempt = task.attempts.get()
    (made,) = simulator.tasks_of(attempt.reference)
    simulator.do("finish", task_id=made["id"])
    Attempt.objects.filter(pk=attempt.pk).update(created_at=timezone.now() - timedelta(hours=1))

    assert tell(attempt, {"id": made["id"]}) == 204
    assert wait_for(lookups.look_at_orphans) == 1

    orphan = OrphanSpend.objects.get(attempt=attempt)
    assert (orphan.found_state, orphan.cost_amount) == ("succeeded", 3)
    assert Alert.objects.filter(kind="late-success").exists()
    assert money(alice.organization) == (1000, 0)


def test_work_that_a_callback_named_is_never_sent_again_however_often_it_is_absent(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-before-body")
    task = ask(alice)
    gateway.due()
    assert tell(task.attempts.get(), {"id": "not shown yet"}) == 204
    for _ in range(30):
        gateway.due()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.absent_looks) == (Attempt.State.SUBMITTING, 0)
    assert len(simulator.see("requests")["requests"]) == 1
    assert money(alice.organization) == (1000, 27)


def test_a_callback_that_comes_during_the_last_look_stops_the_second_sending(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("hang-before-accept 0.1")
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    hints.note(attempt, "1001")

    lifecycle.refused(attempt, "the provider has no such work", "not_created", retry_at=timezone.now())

    attempt.refresh_from_db()
    task.refresh_from_db()
    assert (attempt.state, attempt.hint_id) == (Attempt.State.SUBMITTING, "1001")
    assert task.due_at <= timezone.now()


def test_a_callback_after_the_work_was_thought_absent_is_told_to_the_operators(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-before-body")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    first = task.attempts.get(number=1)
    assert first.outcome == "not_created"

    assert tell(first, {"id": "1001"}) == 204

    assert OrphanSpend.objects.get().attempt == first
    assert OrphanSpend.objects.get().due_at <= timezone.now()
    assert Alert.objects.filter(kind="late-acceptance").exists()
    assert money(alice.organization) == (973, 0)
