"""What is at work at this moment: tasks that have not ended, provider accounts, workers.

Only rows of what is open are read, by partial indexes; how many tasks there ever were does not matter.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from generations.admin.providers import standing_of, troubles
from generations.models import Attempt, LoopLease, ProviderAccount, Task, WorkerPulse

LATELY = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class OfModel:
    """The open tasks of one model; `waits_since` is the request of the oldest that is pending."""

    model: str
    pending: int
    processing: int
    waits_since: datetime | None


@dataclass(frozen=True, kw_only=True)
class OfAccount:
    """`running`: open attempts; `cap`: how many there may be, None without a limit; `troubles`: model and why."""

    account: ProviderAccount
    standing: str
    running: int
    cap: int | None
    troubles: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Those that hold a polling loop or claimed work lately; `loops` of `shards` are held."""

    names: tuple[str, ...]
    loops: int
    shards: int
    claimed_at: datetime | None


def work() -> list[OfModel]:
    """Who has most first."""
    rows = (
        Task.objects.filter(status__in=Task.OPEN, organization__sandbox_of=None)
        .order_by()
        .values("model")
        .annotate(
            pending=Count("pk", filter=Q(status=Task.Status.PENDING)),
            processing=Count("pk", filter=Q(status=Task.Status.PROCESSING)),
            waits_since=Min("created_at", filter=Q(status=Task.Status.PENDING)),
        )
    )
    return sorted((OfModel(**row) for row in rows), key=lambda row: (-row.pending - row.processing, row.model))


def accounts() -> list[OfAccount]:
    """Those that serve live keys."""
    open_attempts = Attempt.objects.filter(state__in=Attempt.OPEN).order_by().values_list("account")
    running = dict(open_attempts.annotate(Count("pk")))
    rows: QuerySet[ProviderAccount] = ProviderAccount.objects.filter(serves=ProviderAccount.Serves.LIVE)
    return [
        OfAccount(
            account=row,
            standing=standing_of(row),
            running=running.get(row.pk, 0),
            cap=row.caps.get("*"),
            troubles=troubles(row),
        )
        for row in rows.order_by("name").prefetch_related("breakers")
    ]


def workers(moment: datetime) -> Workers:
    loops = LoopLease.objects.filter(leased_until__gt=moment).values_list("leased_by", flat=True)
    pulses = dict(WorkerPulse.objects.values_list("worker", "claimed_at"))
    lately = {name for name, claimed_at in pulses.items() if claimed_at > moment - LATELY}
    return Workers(
        names=tuple(sorted(lately.union(loops))),
        loops=len(loops),
        shards=settings.POLL_SHARDS,
        claimed_at=max(pulses.values(), default=None),
    )
