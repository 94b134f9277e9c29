"""Ring the queue: rows are the truth, a queued job only says "look at this one now".

With django-q2's ORM broker the ring is an INSERT on the same connection, so it commits and rolls back with the work
it announces. With Redis as broker it is sent after the commit; if it gets lost there, the sweep finds the row.
"""

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task


def ring(job: str, identifier: object) -> None:
    """Queue `generations.jobs.<job>(str(identifier))`."""
    if settings.Q_CLUSTER.get("orm"):
        async_task(f"generations.jobs.{job}", str(identifier))
    else:
        transaction.on_commit(lambda: async_task(f"generations.jobs.{job}", str(identifier)))
