"""Customers' servers that receive callbacks over https, and tasks that have something to tell them."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from generations import webhooks
from generations.models import Delivery, Task
from tests.cast import Person
from tests.generations.wire import peer, read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = bytes | Callable[[socket.socket], None]
"""What a receiver says; a function says it itself."""


@dataclass(kw_only=True)
class Message:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Receiver:
    url: str = ""
    messages: list[Message] = field(default_factory=list)


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    head = [f"HTTP/1.1 {code} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> trustme.CA:
    """Signs certificates for receivers on the loopback, which may be called in this test."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings.SAFE_HTTP_CA_FILE = str(tmp_path / "ca.pem")
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8", "::1/128"]
    return authority


@contextmanager
def receiver(authority: trustme.CA, *answers: Answer) -> Iterator[Receiver]:
    """Answers one message after the other, and the last answer for ever."""
    heard, planned = Receiver(), list(answers) or [OK]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def behave(connection: socket.socket) -> None:
        head, _, body = read_request(connection).partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
        heard.messages.append(Message(headers={name.lower(): value for name, value in lines}, body=body))
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)

    with peer(behave, tls=context) as server:
        heard.url = server.url.replace("http://", "https://") + "/hook"
        yield heard


def ended_task(person: Person, callback_url: str, *, event: str = "task.failed") -> Task:
    """A task that failed and has announced it, as the finishing transaction does."""
    now = timezone.now()
    with transaction.atomic():
        task = Task.objects.create(
            organization=person.organization,
            model="kling-v3-text-to-video",
            type=Task.Type.VIDEO,
            status=Task.Status.FAILED,
            inputs={},
            callback_url=callback_url,
            metadata={"order": "ü 7"},
            estimated_seconds=300,
            price={},
            billing_rule="per_second",
            user_group="default",
            reserved_credits=Decimal(27),
            error_code="service_error",
            error_message="It failed.",
            deadline_at=now + timedelta(hours=1),
            finished_at=now,
        )
        webhooks.announce(task, event)
    return task


def ended(person: Person, callback_url: str) -> Delivery:
    return Delivery.objects.get(task=ended_task(person, callback_url))


def deliver(delivery: Delivery) -> Delivery:
    """Run the job now, even if the next try lies in the future."""
    Delivery.objects.filter(pk=delivery.pk, due_at__isnull=False).update(due_at=timezone.now())
    webhooks.deliver(str(delivery.pk))
    delivery.refresh_from_db()
    return delivery
