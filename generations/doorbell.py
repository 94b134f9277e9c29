"""Ring the queue: rows are the truth, a queued job only says "look at this one now".

With django-q2's ORM broker the ring is an INSERT on the same connection, so it commits and rolls back with the work
it announces. With Redis as broker it is sent after the commit; if it gets lost there, the sweep finds the row.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

CROWD = 500


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


def rows(job: str, identifier: object) -> list[OrmQ]:
    """The ring as rows for the caller to insert with his own; none where another broker is rung after the commit."""
    function = f"generations.jobs.{job}"
    if not settings.Q_CLUSTER.get("orm"):
        transaction.on_commit(lambda: async_task(function, str(identifier)))
        return []
    letter = Letter()
    async_task(function, str(identifier), broker=letter)
    return [letter.row]
