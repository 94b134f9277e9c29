"""/v1/webhooks: the secret and its rotation, the list of deliveries, once more, and the test message."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
import trustme
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from generations import webhooks
from generations.models import Delivery, Task, WebhookSecret
from tests.cast import Person
from tests.generations.gateway import at_once
from tests.generations.receivers import deliver, ended, receiver, status

SECRET = "/v1/webhooks/secret"
ROTATE = "/v1/webhooks/secret/rotate"
DELIVERIES = "/v1/webhooks/deliveries"
TEST = "/v1/webhooks/test"


def verifies(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_an_organization_has_one_secret_made_when_first_asked_for(alice: Person, charlie: Person) -> None:
    answer = alice.client.get(SECRET).json()
    assert set(answer) == {"secret", "previous_expires_at"}
    assert answer["secret"].startswith("whsec_")
    assert answer["previous_expires_at"] is None
    assert alice.client.get(SECRET).json() == answer
    assert charlie.client.get(SECRET).json()["secret"] != answer["secret"]


def test_the_secret_rests_encrypted(alice: Person) -> None:
    text = alice.client.get(SECRET).json()["secret"]
    assert text.encode() not in bytes(WebhookSecret.objects.get().encrypted)


@pytest.mark.django_db(transaction=True)
def test_a_secret_asked_for_by_many_at_once_is_one(alice: Person) -> None:
    found = at_once([lambda: webhooks.secret_of(alice.organization).secret] * 8)
    assert len(set(found)) == 1


def test_after_a_rotation_both_secrets_sign_for_a_day(alice: Person, authority: trustme.CA) -> None:
    old = alice.client.get(SECRET).json()["secret"]
    now = datetime.now(UTC)
    rotated = alice.client.post(ROTATE).json()
    new = rotated["secret"]
    assert new != old
    assert abs(rotated["previous_expires_at"] - (now + timedelta(hours=24)).timestamp()) < 60
    with receiver(authority) as server:
        deliver(ended(alice, server.url))
        [message] = server.messages
        assert len(message.headers["webhook-signature"].split(" ")) == 2
        assert verifies(old, message.body, message.headers)
        assert verifies(new, message.body, message.headers)
        assert not verifies(webhooks._new_secret(), message.body, message.headers)
        WebhookSecret.objects.update(previous_expires_at=timezone.now())
        deliver(ended(alice, server.url))
        message = server.messages[-1]
        assert not verifies(old, message.body, message.headers)
        assert verifies(new, message.body, message.headers)
    assert alice.client.get(SECRET).json() == {"secret": new, "previous_expires_at": None}


def test_a_message_signs_the_moment_it_is_sent(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority, status(500)) as server:
        delivery = ended(alice, server.url)
        deliver(delivery)
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            deliver(delivery)
            secret = alice.client.get(SECRET).json()["secret"]
            first, second = server.messages
            assert verifies(secret, second.body, second.headers)
            assert not verifies(secret, first.body, first.headers)


def test_deliveries_are_listed_with_their_tries(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority, status(500, body=b"later"), status(200, body=b"thanks")) as server:
        delivery = ended(alice, server.url)
        deliver(delivery)
        deliver(delivery)
    body = alice.client.get(DELIVERIES).json()
    assert (body["object"], body["next_cursor"], len(body["data"])) == ("list", None, 1)
    [shown] = body["data"]
    tries = shown.pop("tries")
    assert delivery.task is not None
    assert delivery.delivered_at is not None
    assert shown == {
        "id": delivery.public_id,
        "object": "webhook.delivery",
        "event": "task.failed",
        "task_id": delivery.task.public_id,
        "url": server.url,
        "webhook_id": delivery.webhook_id,
        "status": "delivered",
        "created_at": int(delivery.created_at.timestamp()),
        "delivered_at": int(delivery.delivered_at.timestamp()),
        "next_try_at": None,
    }
    assert [(one["number"], one["status"], one["response_start"], one["error"]) for one in tries] == [
        (1, 500, "later", ""),
        (2, 200, "thanks", ""),
    ]
    assert all(isinstance(one["seconds"], float) and isinstance(one["started_at"], int) for one in tries)


def test_deliveries_come_newest_first_in_pages(alice: Person, charlie: Person) -> None:
    made = [ended(alice, "https://receiver.example/hook").public_id for _ in range(52)]
    ended(charlie, "https://receiver.example/hook")
    first = alice.client.get(DELIVERIES).json()
    second = alice.client.get(DELIVERIES, {"cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
    assert (len(first["data"]), second["next_cursor"]) == (50, None)


def test_deliveries_of_one_task(alice: Person) -> None:
    one, _ = (ended(alice, "https://receiver.example/hook") for _ in range(2))
    assert one.task is not None
    shown = alice.client.get(DELIVERIES, {"task_id": one.task.public_id}).json()["data"]
    assert [delivery["id"] for delivery in shown] == [one.public_id]


def test_strange_ids_are_refused(alice: Person, charlie: Person) -> None:
    stranger = ended(charlie, "https://receiver.example/hook")
    assert stranger.task is not None
    for query, code in (
        ({"task_id": "nonsense"}, (400, "invalid_task_id")),
        ({"task_id": stranger.task.public_id}, (404, "task_not_found")),
        ({"cursor": "nonsense"}, (400, "invalid_parameter")),
    ):
        answer = alice.client.get(DELIVERIES, query)
        assert (answer.status_code, answer.json()["error"]["code"]) == code


def test_a_delivery_that_was_given_up_can_be_sent_again_under_its_id(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority, *[status(500)] * 4, status(200)) as server:
        delivery = ended(alice, server.url)
        for _ in range(4):
            deliver(delivery)
        assert delivery.state == "failed"
        answer = alice.client.post(f"{DELIVERIES}/{delivery.public_id}/redeliver")
        assert (answer.status_code, answer.json()["status"], len(answer.json()["tries"])) == (200, "due", 4)
        webhooks.deliver(str(delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries.count(), delivery.tries_left) == ("delivered", 5, 3)
    assert {message.headers["webhook-id"] for message in server.messages} == {delivery.webhook_id}


def test_a_delivered_message_can_be_sent_again(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        delivery = deliver(ended(alice, server.url))
        alice.client.post(f"{DELIVERIES}/{delivery.public_id}/redeliver")
        webhooks.deliver(str(delivery.pk))
    assert len(server.messages) == 2


def test_what_is_being_sent_is_left_alone(alice: Person) -> None:
    delivery = ended(alice, "https://receiver.example/hook")
    Delivery.objects.filter(pk=delivery.pk).update(leased_until=timezone.now() + timedelta(seconds=9), tries_left=2)
    assert webhooks.redeliver(delivery).tries_left == 2


def test_a_strangers_delivery_is_unknown(alice: Person, charlie: Person) -> None:
    delivery = ended(charlie, "https://receiver.example/hook")
    Delivery.objects.update(state="failed", due_at=None)
    answer = alice.client.post(f"{DELIVERIES}/{delivery.public_id}/redeliver")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "delivery_not_found")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at) == ("failed", None)


def test_a_test_message_is_signed_and_listed(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        answer = alice.client.post(TEST, {"url": server.url})
        delivery = Delivery.objects.get()
        webhooks.deliver(str(delivery.pk))
    body = answer.json()
    assert (answer.status_code, body["event"], body["task_id"], body["status"]) == (200, "webhook.test", None, "due")
    [message] = server.messages
    assert message.json == {
        "id": delivery.public_id,
        "object": "webhook.test",
        "created": int(delivery.created_at.timestamp()),
    }
    assert verifies(alice.client.get(SECRET).json()["secret"], message.body, message.headers)
    assert alice.client.get(DELIVERIES).json()["data"][0]["status"] == "delivered"


def test_a_test_without_an_address_goes_where_the_newest_delivery_went(alice: Person, charlie: Person) -> None:
    ended(charlie, "https://charlie.example/hook")
    answer = alice.client.post(TEST)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "missing_parameter")
    ended(alice, "https://old.example/hook")
    ended(alice, "https://new.example/hook")
    assert alice.client.post(TEST, {}).json()["url"] == "https://new.example/hook"


@pytest.mark.parametrize(
    "url", ["http://receiver.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.1/", "x"]
)
def test_a_test_is_not_sent_inside_or_in_the_clear(alice: Person, settings: Settings, url: str) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    answer = alice.client.post(TEST, {"url": url})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "callback_url_not_allowed", "url")
    assert not Delivery.objects.exists()


def test_two_events_of_a_task_are_two_deliveries(alice: Person) -> None:
    delivery = ended(alice, "https://receiver.example/hook")
    webhooks.announce(Task.objects.get(), "task.cancelled")
    assert Delivery.objects.filter(task=delivery.task).count() == 2
