"""GET /v1/tasks/{id}/timeline: what happened to a task in its order, what it cost, and nothing of any provider."""

import json
from decimal import Decimal
from typing import Any

import pytest
import trustme
from django.utils import timezone

from billing import ledger
from generations import lifecycle, routing
from generations.models import Delivery, Task
from generations.providers.base import Plan
from generations.serializers.timeline import EVENTS
from tests.cast import Person
from tests.generations.gateway import Steps, ask, seen
from tests.generations.receivers import OK, deliver, receiver, status

pytestmark = pytest.mark.django_db(transaction=True)


def timeline(who: Person, task: Task) -> dict[str, Any]:
    answer = who.client.get(f"/v1/tasks/{task.public_id}/timeline")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


FIVE_SECONDS = {
    "label": "1080p without sound",
    "quantity": 5,
    "unit": "second",
    "rate": 5.4,
    "factor": 1.333,
    "amount": 35.991,
}


def names(found: dict[str, Any]) -> list[str]:
    return [event["event"] for event in found["events"]]


def facts(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Of the last event of this name, but when it was."""
    *_, event = (one for one in found["events"] if one["event"] == name)
    return {fact: value for fact, value in event.items() if fact not in ("at", "event")}


def test_a_video_from_the_request_to_the_callback(alice: Person, gateway: Steps, authority: trustme.CA) -> None:
    with receiver(authority, status(503), OK) as server:
        task = ask(alice, callback_url=server.url, duration=5, quality="1080p")
        gateway.until(task, "completed")
        delivery = Delivery.objects.get(task=task)
        while delivery.tries.count() < 2:
            deliver(delivery)

    found = timeline(alice, task)

    assert names(found) == [
        "created",
        "credits_reserved",
        "attempt_sent",
        "attempt_accepted",
        "result_stored",
        "attempt_ended",
        "completed",
        "callback_due",
        "credits_charged",
        "callback_tried",
        "callback_tried",
    ]
    assert set(names(found)) <= set(EVENTS)
    assert [event["at"] for event in found["events"]] == sorted(event["at"] for event in found["events"])
    assert {name: found[name] for name in ("object", "task_id", "model", "status", "settlement")} == {
        "object": "task.timeline",
        "task_id": task.public_id,
        "model": task.model,
        "status": "completed",
        "settlement": None,
    }
    assert found["price"] == {
        "billing_rule": "per_second",
        "user_group": "default",
        "quote_id": None,
        "credits": 35.991,
        "lines": [FIVE_SECONDS],
    }
    assert found["billing"] == seen(alice, task)["billing"]
    assert facts(found, "created") == {"key_id": alice.key.public_id}
    assert facts(found, "credits_reserved") == {"credits": 35.991}
    assert facts(found, "credits_charged") == {"credits": 35.991, "reason": "completed"}
    assert facts(found, "attempt_accepted") == {"attempt": 1, "provider": task.attempts.get().account.alias}
    assert facts(found, "attempt_ended")["verdict"] == "succeeded"
    first, second = (event for event in found["events"] if event["event"] == "callback_tried")
    assert (first["status"], first["try"], second["status"], second["try"]) == (503, 1, 200, 2)
    assert second["delivery_id"] == delivery.public_id


def test_it_says_how_long_files_are_kept(alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice), "completed")
    result = task.files.get()
    assert timeline(alice, task)["retention"] == [
        {
            "what": "result",
            "file_id": result.public_id,
            "expires_at": int(task.expires_at.timestamp()),
            "deleted_at": None,
        }
    ]


def test_a_failure_names_our_code_and_what_came_back(alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice, prompt="A lake [sim:fail content]"), "failed")
    found = timeline(alice, task)
    assert facts(found, "attempt_ended")["verdict"] == "content_policy_violation"
    assert facts(found, "failed") == {"code": "content_policy_violation", "message": task.error_message}
    assert facts(found, "credits_released") == {"credits": 27, "reason": "content_policy_violation"}
    assert "credits_charged" not in names(found)


def test_a_cancelled_task_was_never_sent(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    alice.client.post(f"/v1/tasks/{task.public_id}/cancel")
    found = timeline(alice, task)
    assert names(found) == ["created", "credits_reserved", "cancelled", "credits_released"]
    assert facts(found, "credits_released") == {"credits": 27, "reason": "request_cancelled"}


def test_a_task_that_two_lots_pay_for_is_reserved_once(alice: Person, gateway: Steps) -> None:
    ledger.grant(alice.organization, Decimal(20), kind="promo", reference="gift", reason="test")
    found = timeline(alice, ask(alice))
    assert names(found) == ["created", "credits_reserved"]
    assert facts(found, "credits_reserved") == {"credits": 27}


def test_a_later_refund_is_told(alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice), "completed")
    ledger.refund(task.pk, Decimal("2.5"), reference="sorry")
    found = timeline(alice, task)
    assert names(found)[-1] == "credits_refunded"
    assert facts(found, "credits_refunded") == {"credits": 2.5}


def test_nothing_of_the_provider_is_told(alice: Person, gateway: Steps, second_account: str) -> None:
    task = ask(alice)
    account = routing.choose(task).account
    attempt = lifecycle.begin_attempt(
        task, account, plan=Plan(route="/secret-route"), choice=[], cost_estimate=Decimal("0.0777")
    )
    lifecycle.refused(attempt, "HTTP 503: the vendor said so", "provider_refused", retry_at=timezone.now())
    gateway.until(task, "completed")

    found = timeline(alice, task)

    text = json.dumps(found)
    first, second = task.attempts.order_by("number")
    assert [event["verdict"] for event in found["events"] if event["event"] == "attempt_ended"] == [
        "not_taken",
        "succeeded",
    ]
    assert facts(found, "attempt_ended")["provider"] == "two"
    secrets = (
        account.name,
        account.base_url,
        first.reference,
        second.upstream_id,
        second.reference,
        second.route,
    )
    assert not [word for word in (*secrets, "secret-route", "vendor", "0.0777") if word and word in text]


def test_a_strangers_task_has_no_timeline(alice: Person, charlie: Person, gateway: Steps) -> None:
    task = ask(alice)
    answer = charlie.client.get(f"/v1/tasks/{task.public_id}/timeline")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "task_not_found")
    answer = charlie.client.get("/v1/tasks/x/timeline")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_task_id")
