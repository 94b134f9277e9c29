"""Ring the queue: rows are the truth, a queued job only says "look at this one now".

With django-q2's ORM broker the ring is an INSERT on the same connection, so it commits and rolls back with the work
it announces. With Redis as broker it is sent after the commit; if it gets lost there, the sweep finds the row. Rings
are answered in order, but that for a polling loop comes before all others: while it waits, nobody polls.
"""

from datetime import UTC, datetime
from time import sleep
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task

CROWD = 500
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class InOrder(ORM):
    """The broker of Q_CLUSTER: django-q2's own, which takes the jobs in no order."""

    def dequeue(self) -> Any:
        due = self.get_connection().filter(key=self.list_key, lock__lt=timezone.now()).order_by("lock", "pk")
        taken = [
            (queued.pk, queued.payload)
            for queued in due[: Conf.BULK]
            if self.get_connection().filter(pk=queued.pk, lock=queued.lock).update(lock=self.timeout(queued))
        ]
        if not taken:
            sleep(Conf.POLL)
        return taken


class InFront:
    """Redis as broker, for what comes before all others. (Its module costs a worker a tenth of its start: no base.)"""

    def __init__(self) -> None:
        self.behind = get_broker()
        self.list_key = self.behind.list_key

    def enqueue(self, task: str) -> Any:
        return self.behind.connection.lpush(self.list_key, task)


class Letter(ORM):
    """A broker that keeps what it is given, as the row that the real one would insert."""

    row: OrmQ

    def enqueue(self, task: str) -> None:
        self.row = OrmQ(key=self.list_key, payload=task, lock=timezone.now())


def is_crowded() -> bool:
    """Whether more jobs wait in the queue than the workers take in a moment."""
    return get_broker().queue_size() > CROWD


def ring(job: str, identifier: object) -> None:
    """Queue `generations.jobs.<job>(str(identifier))`."""
    for row in rows(job, identifier):
        row.save(force_insert=True)


def ring_first(job: str, argument: int) -> None:
    """Queue `generations.jobs.<job>(argument)` before everything that waits."""
    function, letter = f"generations.jobs.{job}", Letter()
    if not settings.Q_CLUSTER.get("orm"):
        transaction.on_commit(lambda: async_task(function, argument, broker=InFront()))
        return
    async_task(function, argument, broker=letter)
    letter.row.lock = LONG_AGO
    letter.row.save(force_insert=True)


def rows(job: str, identifier: object) -> list[OrmQ]:
    """The ring as rows for the caller to insert with his own; none where another broker is rung after the commit."""
    function = f"generations.jobs.{job}"
    if not settings.Q_CLUSTER.get("orm"):
        transaction.on_commit(lambda: async_task(function, str(identifier)))
        return []
    letter = Letter()
    async_task(function, str(identifier), broker=letter)
    return [letter.row]
