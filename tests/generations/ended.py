"""Tasks that have ended, written straight into the table: what the figures of a model are made from."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import Organization
from generations.models import Task

MODEL = "kling-v3-text-to-video"


def ended(
    organization: Organization,
    finished_at: datetime,
    *,
    model: str = MODEL,
    status: str = "completed",
    code: str = "",
    waited: float = 2,
    made: float = 100,
    user_group: str = "default",
) -> Task:
    """Not saved: a task that waited and was made for so many seconds, and ended at that moment."""
    accepted_at = finished_at - timedelta(seconds=made)
    return Task(
        organization=organization,
        model=model,
        type="video",
        status=status,
        inputs={},
        estimated_seconds=300,
        price={},
        billing_rule="per_second",
        user_group=user_group,
        reserved_credits=Decimal(1),
        error_code=code,
        created_at=accepted_at - timedelta(seconds=waited),
        accepted_at=accepted_at if status == "completed" else None,
        deadline_at=finished_at,
        finished_at=finished_at,
    )


def save(tasks: Iterable[Task]) -> None:
    Task.objects.bulk_create(tasks)
