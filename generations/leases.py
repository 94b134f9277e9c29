"""Claim a row, keep others away from it for a while, and let go of it.

A claim is one conditional UPDATE: it sets `leased_until`, names the worker, and lets the token grow. Every later write
of that worker goes through `held(...)`, which names the token, so one that was thought dead changes nothing. The
supervisor frees what its own dead processes held, by the worker's name. Claims in a row that ended in nothing are
counted, so that a row which kills its worker each time is set aside. Whatever was claimed beside it died with it as
often: from the second death on such rows are due again after pauses of their own, so that they part from each other.

A row is due when `due_at` has passed. While it is due and the queue was told so, `rung_until` keeps the sweep from
ringing again at once; the sweep rings once more when that time passes and nobody came.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Least, Power, Random
from django.utils import timezone

from generations.models import Attempt, Delivery, ElementCopy, LoopLease, StoredFile, Task, WorkerPulse
from generations.models.tasks import Leased

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound=Leased)
CLAIMABLE: tuple[type[Leased], ...] = (Task, Attempt, Delivery, StoredFile, ElementCopy)
RING_TRUST = timedelta(seconds=15)
PULSE_SECONDS = 1.0
AFTER_ERROR = timedelta(seconds=5)
LONGEST_PAUSE_SECONDS = 4.0
_last_pulse = 0.0


def worker_name() -> str:
    """This process group's name: given by the supervisor, or the process id outside one."""
    return os.environ.get("EVOLINK_WORKER_ID") or f"process-{os.getpid()}"


def free(now: datetime) -> Q:
    """Rows nobody holds."""
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)


def claim(rows: QuerySet[Row], *, seconds: float) -> Row | None:
    """Claim the one row of `rows` (a queryset by primary key and state); None when it is not due or somebody holds it.

    `due_at` moves to the end of the lease, so the sweep finds the row again if this worker dies.
    """
    now = timezone.now()
    until = now + timedelta(seconds=seconds)
    changed = rows.filter(free(now), due_at__lte=now).update(
        leased_until=until,
        leased_by=worker_name(),
        lease_token=F("lease_token") + 1,
        claims=F("claims") + 1,
        due_at=until,
        rung_until=None,
    )
    if not changed:
        return None
    pulse()
    return rows.first()


def held(row: Row) -> QuerySet[Row]:
    """The row, if the claim that read it still holds it: what every write of a worker goes through."""
    return type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token)


def let_go(row: Leased, *, due_at: datetime | None, progressed: bool = True) -> bool:
    """Free the row and say when it is due again (None: never). Progress sets the count of claims back to 0."""
    claims = {"claims": 0} if progressed else {}
    return bool(held(row).update(leased_until=None, leased_by="", due_at=due_at, rung_until=None, **claims))


@contextmanager
def work_on(row: Leased) -> Iterator[None]:
    """Work under a claim: an exception frees the row for another try soon, unless the work has freed it already."""
    try:
        yield
    except Exception:
        logger.exception("%s: the work on it failed", row)
        still = held(row).filter(leased_until__isnull=False)
        still.update(leased_until=None, leased_by="", due_at=timezone.now() + AFTER_ERROR, rung_until=None)
        raise


def release_leases(worker: str) -> int:
    """Free everything that a worker held which is known to be dead; it is due at once, or soon if it died so before.

    Rings that it had taken from the queue died with it, and nobody knows which: every due row may be rung for again.
    """
    now, freed = timezone.now(), 0
    longest = Least(Power(2.0, F("claims") - 1) - 1, LONGEST_PAUSE_SECONDS)
    pause = ExpressionWrapper(Value(timedelta(seconds=1)) * longest * Random(), output_field=DurationField())
    for model in CLAIMABLE:
        rows = model._default_manager.filter(leased_by=worker, leased_until__gt=now)
        freed += rows.update(
            leased_until=None, leased_by="", due_at=now + pause, rung_until=None, lease_token=F("lease_token") + 1
        )
        model._default_manager.filter(due_at__lte=now, rung_until__gt=now).update(rung_until=None)
    LoopLease.objects.filter(leased_by=worker).update(leased_until=None, leased_by="")
    WorkerPulse.objects.filter(worker=worker).delete()
    return freed


def pulse() -> None:
    """Note that this worker claimed something, at most once a second."""
    global _last_pulse
    if time.monotonic() - _last_pulse < PULSE_SECONDS:
        return
    _last_pulse = time.monotonic()
    WorkerPulse.objects.update_or_create(worker=worker_name(), defaults={"claimed_at": timezone.now()})


def is_poison(row: Leased) -> bool:
    """Claimed too often in a row without any progress."""
    return row.claims > settings.MAX_CLAIMS
