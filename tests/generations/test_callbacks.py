"""Callbacks: what a receiver gets, when it gets it again, and what is written down about it."""

import socket
import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
import trustme
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings
from standardwebhooks import Webhook

from generations import leases, webhooks
from generations.models import Alert, Delivery, DeliveryTry, Task
from generations.serializers.tasks import task_object
from tests.cast import Person
from tests.generations.gateway import at_once
from tests.generations.receivers import OK, deliver, ended, ended_task, receiver, status
from tests.generations.simulator import wait_for


def silent(connection: socket.socket) -> None:
    """Say nothing until the caller hangs up."""
    connection.recv(1)


def trickle(connection: socket.socket) -> None:
    """A byte now and then, for ever: each read comes in time, the whole never does."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def outcome(delivery: Delivery) -> tuple[str, int, int]:
    """State, tries made, tries left."""
    delivery.refresh_from_db()
    return delivery.state, delivery.tries.count(), delivery.tries_left


def test_a_receiver_gets_the_task_signed(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        delivery = deliver(ended(alice, server.url))
    [message] = server.messages
    task = Task.objects.get()
    assert message.json == task_object(task)
    assert message.json["metadata"] == {"order": "ü 7"}
    assert message.json["status"] == "failed"
    assert message.headers["content-type"] == "application/json"
    assert message.headers["webhook-id"] == delivery.webhook_id
    assert message.headers["webhook-id"].startswith("msg_")
    secret = webhooks.secret_of(alice.organization).secret
    assert Webhook(secret).verify(message.body, message.headers) == message.json
    assert outcome(delivery) == ("delivered", 1, 3)
    tried = delivery.tries.get()
    assert (tried.number, tried.status, tried.response_start, tried.error) == (1, 200, "ok", "")
    assert Decimal(0) <= tried.seconds < 5
    assert (delivery.due_at, delivery.leased_until) == (None, None)
    assert delivery.delivered_at is not None


def test_a_delivered_message_is_not_sent_again(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        delivery = deliver(ended(alice, server.url))
        webhooks.deliver(str(delivery.pk))
    assert len(server.messages) == 1


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(alice: Person, authority: trustme.CA, code: int) -> None:
    with receiver(authority, status(code)) as server:
        assert outcome(deliver(ended(alice, server.url))) == ("delivered", 1, 3)


@pytest.mark.parametrize("code", [301, 302, 308, 400, 401, 404, 410, 429, 500, 503])
def test_everything_else_is_tried_three_times_more_and_then_given_up(
    alice: Person, authority: trustme.CA, code: int
) -> None:
    with receiver(authority, status(code, "Location: https://127.0.0.1/", body=b"no\0pe")) as server:
        delivery = ended(alice, server.url)
        for number, pause in ((1, 1), (2, 2), (3, 4)):
            before = timezone.now()
            deliver(delivery)
            assert outcome(delivery) == ("due", number, 4 - number)
            assert delivery.due_at is not None
            assert timedelta(seconds=pause) <= delivery.due_at - before < timedelta(seconds=pause + 1)
        deliver(delivery)
    assert outcome(delivery) == ("failed", 4, 0)
    assert delivery.due_at is None
    assert len(server.messages) == 4
    assert len({message.headers["webhook-id"] for message in server.messages}) == 1
    tries = delivery.tries.order_by("number").values_list("number", "status", "response_start")
    assert list(tries) == [(number, code, "nope") for number in (1, 2, 3, 4)]


def test_a_retry_before_its_time_is_not_sent(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority, status(500)) as server:
        delivery = deliver(ended(alice, server.url))
        webhooks.deliver(str(delivery.pk))
    assert len(server.messages) == 1


def test_a_receiver_that_recovers_gets_it(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority, status(500), hang_up, OK) as server:
        delivery = ended(alice, server.url)
        for _ in range(3):
            deliver(delivery)
    assert outcome(delivery) == ("delivered", 3, 1)
    assert list(delivery.tries.order_by("number").values_list("status", flat=True)) == [500, None, 200]


@pytest.mark.parametrize("behaviour", [silent, trickle])
def test_a_receiver_has_a_time_limit_for_the_whole_call(
    alice: Person, authority: trustme.CA, settings: Settings, behaviour: object
) -> None:
    settings.CALLBACK_TIMEOUT_SECONDS = 0.3
    began = time.monotonic()
    with receiver(authority, behaviour) as server:
        delivery = deliver(ended(alice, server.url))
    assert time.monotonic() - began < 5
    assert outcome(delivery) == ("due", 1, 3)
    tried = delivery.tries.get()
    assert (tried.status, tried.error) == (None, "The address did not answer in time.")
    assert Decimal("0.2") < tried.seconds < 3


def test_a_redirect_is_not_followed(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as target, receiver(authority, status(307, f"Location: {target.url}")) as server:
        delivery = deliver(ended(alice, server.url))
    assert (len(server.messages), len(target.messages)) == (1, 0)
    assert delivery.tries.get().status == 307


def test_nobody_there_is_written_down(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        pass
    delivery = deliver(ended(alice, server.url))
    assert outcome(delivery) == ("due", 1, 3)
    assert delivery.tries.get().error == "The address could not be reached."


def test_an_address_inside_is_never_connected_to(alice: Person, authority: trustme.CA, settings: Settings) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    with receiver(authority) as server:
        delivery = deliver(ended(alice, server.url))
    assert server.messages == []
    assert delivery.tries.get().status is None


def test_a_receiver_without_a_good_certificate_gets_nothing(alice: Person, authority: trustme.CA) -> None:
    with receiver(trustme.CA()) as server:
        deliver(ended(alice, server.url))
    assert server.messages == []


def test_only_the_first_2_kb_of_an_answer_are_kept(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority, status(500, body=b"x" * 100_000)) as server:
        delivery = deliver(ended(alice, server.url))
    assert delivery.tries.get().response_start == "x" * 2048


def test_no_address_no_delivery(alice: Person) -> None:
    ended_task(alice, "")
    assert (Delivery.objects.count(), OrmQ.objects.count()) == (0, 0)


def test_an_announcement_rings_and_is_made_once(alice: Person) -> None:
    task = ended_task(alice, "https://receiver.example/hook")
    webhooks.announce(task, "task.failed")
    delivery = Delivery.objects.get()
    assert (delivery.organization, delivery.event, delivery.state) == (alice.organization, "task.failed", "due")
    assert "generations.jobs.deliver" in {job.func() for job in OrmQ.objects.all()}


def test_a_killed_workers_try_is_repeated_with_the_same_id(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        delivery = ended(alice, server.url)
        held = leases.claim(Delivery.objects.filter(pk=delivery.pk), seconds=30)  # and then the worker dies
        webhooks.deliver(str(delivery.pk))
        assert server.messages == []
        assert held is not None
        leases.release_leases(held.leased_by)
        webhooks.deliver(str(delivery.pk))
    assert server.messages[0].headers["webhook-id"] == delivery.webhook_id
    assert outcome(delivery) == ("delivered", 1, 3)


def test_a_worker_that_lost_its_claim_writes_nothing(alice: Person) -> None:
    delivery = ended(alice, "https://receiver.example/hook")
    lost = leases.claim(Delivery.objects.filter(pk=delivery.pk), seconds=30)
    assert lost is not None
    leases.release_leases(lost.leased_by)
    webhooks._settle(lost, DeliveryTry(delivery=lost, status=200, seconds=Decimal(1)))
    assert outcome(delivery) == ("due", 0, 4)


def test_a_delivery_that_kills_every_worker_is_set_aside(
    alice: Person, authority: trustme.CA, settings: Settings
) -> None:
    with receiver(authority) as server:
        delivery = ended(alice, server.url)
        Delivery.objects.filter(pk=delivery.pk).update(claims=settings.MAX_CLAIMS)
        deliver(delivery)
    assert (server.messages, delivery.state, delivery.due_at) == ([], "failed", None)
    assert Alert.objects.get().kind == "poison-delivery"


@pytest.mark.django_db(transaction=True)
def test_rung_many_times_at_once_it_is_sent_once(alice: Person, authority: trustme.CA) -> None:
    with receiver(authority) as server:
        delivery = ended(alice, server.url)
        at_once([lambda: webhooks.deliver(str(delivery.pk))] * 6)
        wait_for(lambda: outcome(delivery)[0] == "delivered", seconds=10)
    assert len(server.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_keeps_no_worker_and_is_settled_when_it_answers(
    alice: Person, charlie: Person, authority: trustme.CA
) -> None:
    def wait(connection: socket.socket) -> None:
        if answer_now.wait(9):
            connection.sendall(OK)

    answer_now = threading.Event()
    with receiver(authority, wait) as slow, receiver(authority) as quick:
        held, prompt = ended(alice, slow.url), ended(charlie, quick.url)
        began = time.monotonic()
        deliver(held)
        deliver(prompt)
        assert time.monotonic() - began < 5
        assert outcome(prompt) == ("delivered", 1, 3)
        assert outcome(held) == ("due", 0, 4)
        webhooks.deliver(str(held.pk))
        answer_now.set()
        wait_for(lambda: outcome(held) == ("delivered", 1, 3), seconds=10)
    assert (len(slow.messages), len(quick.messages)) == (1, 1)


def test_an_organization_with_many_slow_receivers_waits_its_turn(
    alice: Person, charlie: Person, authority: trustme.CA, settings: Settings
) -> None:
    lease = settings.CALLBACK_TIMEOUT_SECONDS + webhooks.LEASE_MARGIN_SECONDS
    with receiver(authority) as server:
        for _ in range(webhooks.SLOW_AT_ONCE):
            leases.claim(Delivery.objects.filter(pk=ended(alice, server.url).pk), seconds=lease - 2)
        waiting, other = ended(alice, server.url), ended(charlie, server.url)
        deliver(waiting)
        deliver(other)
    assert len(server.messages) == 1
    assert outcome(other) == ("delivered", 1, 3)
    assert outcome(waiting) == ("due", 0, 4)
    assert waiting.due_at is not None
    assert waiting.due_at > timezone.now()
    assert waiting.claims == 0
