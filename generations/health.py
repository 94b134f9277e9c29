"""The only code that writes down how well each model works (`generations.figures` reads it).

    note_looks      each minute: would a default request of each model be taken now?
    note_refusal    when a valid live request was refused for want of a provider
    roll_up         when an hour is over and settled: count what ended in it

An hour is counted once nothing can end in it any more: it lies `SETTLED_AFTER` back, and every transaction that was at
work on tasks has ended since. Counting replaces the hour's rows and moves the mark in one transaction, so a crash
changes nothing, and two at once are one after the other. Each hour is counted again a day later; that changes nothing
unless the clock of a worker was wrong.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from accounts.models import Organization
from generations import figures
from generations.figures import HOUR
from generations.models import HealthMark, ModelHour, ModelHourTime, Task

logger = logging.getLogger(__name__)
SETTLED_AFTER = timedelta(minutes=5)
WAIT_FOR_OTHERS_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05
ROLL_UP_SECONDS = 30  # a job has 120, and other chores; what is left over has its turn in the next
COUNTED_AGAIN_AFTER = timedelta(days=1)

NOTE = """
    INSERT INTO generations_modelhour AS present
        (model, hour, completed, failed, failed_by_input, looked, closed, refused)
    SELECT model, %(hour)s, 0, 0, 0, %(looked)s, CASE WHEN is_closed THEN %(looked)s ELSE 0 END, %(refused)s
    FROM unnest(%(models)s::text[], %(closed)s::bool[]) AS noted (model, is_closed)
    ON CONFLICT (hour, model) DO UPDATE SET looked = present.looked | excluded.looked,
        closed = present.closed | excluded.closed, refused = present.refused | excluded.refused
    WHERE (present.looked, present.closed, present.refused) IS DISTINCT FROM
        (present.looked | excluded.looked, present.closed | excluded.closed, present.refused | excluded.refused)"""
AT_WORK_ON_TASKS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'generations_task'::regclass AND mode IN ('RowShareLock', 'RowExclusiveLock')
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"""


def note_looks(accepts: Mapping[str, bool]) -> None:
    """Whether each model would take a request in this minute. Several looks must all have found it so."""
    models = sorted(accepts)  # one order, so that two observers cannot lock each other out
    _note(models, [not accepts[model] for model in models], looked=True)


def note_refusal(organization: Organization, model: str) -> None:
    """A valid request was refused with 503 `model_unavailable` in this minute. Once a minute it writes a row."""
    if not organization.is_sandbox:
        _note([model], [False], looked=False)


def roll_up(*, seconds: float = ROLL_UP_SECONDS, patience_seconds: float = WAIT_FOR_OTHERS_SECONDS) -> int:
    """Count every hour that is over and settled, the oldest first; how many were counted."""
    stop_at = time.monotonic() + seconds
    until = settled_until(patience_seconds)
    if until is None:
        return 0
    hours = 0
    while time.monotonic() < stop_at and _count_next(until):
        hours += 1
    return hours


def _note(models: list[str], closed: list[bool], *, looked: bool) -> None:
    now = timezone.now()
    bit = 1 << now.minute
    given: dict[str, Any] = {"hour": figures.hour_of(now), "models": models, "closed": closed}
    with connection.cursor() as cursor:
        cursor.execute(NOTE, given | {"looked": bit if looked else 0, "refused": 0 if looked else bit})


def settled_until(patience_seconds: float) -> datetime | None:
    """The full hour before which nothing can end any more; None while somebody who might has not come to an end.

    `finished_at` is set before its transaction commits, but after it has locked a task. So who is at work on no task
    now will end none before now; who is, is waited for. The clocks of the hosts may differ by SETTLED_AFTER.
    """
    until = figures.hour_of(timezone.now() - SETTLED_AFTER)
    give_up_at = time.monotonic() + patience_seconds
    others = _at_work_on_tasks()
    while others := others & _at_work_on_tasks():
        if time.monotonic() >= give_up_at:
            logger.warning("Hours are not counted: %d transactions on tasks did not end.", len(others))
            return None
        time.sleep(LOOK_AGAIN_SECONDS)
    return until


def _at_work_on_tasks() -> set[str]:
    """The other transactions that have locked or changed a task and have not ended."""
    with connection.cursor() as cursor:
        cursor.execute(AT_WORK_ON_TASKS)
        return {name for (name,) in cursor.fetchall()}


@transaction.atomic
def _count_next(until: datetime) -> bool:
    """Count the hour at the mark. False when it is not before `until`, or another worker is counting it."""
    if not HealthMark.objects.exists():
        HealthMark.objects.bulk_create([HealthMark(counted_until=first_hour(until))], ignore_conflicts=True)
    mark = HealthMark.objects.select_for_update(skip_locked=True, no_key=True).first()
    if mark is None or mark.counted_until >= until:
        return False
    _count(mark.counted_until)
    _count(mark.counted_until - COUNTED_AGAIN_AFTER)
    mark.counted_until += HOUR
    mark.save(update_fields=["counted_until"])
    return True


def first_hour(until: datetime) -> datetime:
    """Where counting begins: the hour of the first end there is."""
    first = Task.objects.filter(finished_at__isnull=False).aggregate(first=Min("finished_at"))["first"]
    return figures.hour_of(min(first, until)) if first else until


def _count(hour: datetime) -> None:
    found = figures.ended(hour, hour + HOUR)
    ModelHour.objects.filter(hour=hour).exclude(model__in=found).update(completed=0, failed=0, failed_by_input=0)
    counts = [
        ModelHour(
            hour=hour, model=model, completed=one.completed, failed=one.failed, failed_by_input=one.failed_by_input
        )
        for model, one in sorted(found.items())
    ]
    ModelHour.objects.bulk_create(
        counts,
        update_conflicts=True,
        unique_fields=["hour", "model"],
        update_fields=["completed", "failed", "failed_by_input"],
    )
    ModelHourTime.objects.filter(hour=hour).delete()
    ModelHourTime.objects.bulk_create(
        ModelHourTime(hour=hour, model=model, kind=kind, bucket=bucket, tasks=tasks)
        for model, one in found.items()
        for kind, buckets in one.times.items()
        for bucket, tasks in buckets.items()
    )
