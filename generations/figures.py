"""What became of each model's tasks, and when a request was accepted, in any window of time.

    window = hours that are counted (ModelHour, ModelHourTime) + the tasks themselves at its edges and after the mark

`ended` reads tasks, `counted` the roll-up; `generations.health` fills the roll-up with what `ended` found. Tasks of
live organizations only, by the moment they finished; cancelled ones are left out. Nothing reads more than the tasks of
the hours that are not counted yet and of the hour in which the window begins.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Sum

from generations import histogram
from generations.models import HealthMark, ModelHour, ModelHourTime

HOUR = timedelta(hours=1)
ALL_MINUTES = (1 << 60) - 1
BY_INPUT = frozenset(
    {
        "content_policy_violation",
        "face_not_found",
        "image_dimension_mismatch",
        "image_processing_error",
        "invalid_parameters",
        "media_unreachable",
        "resource_not_found",
        "video_probe_failed",
    }
)
"""The codes of failures that the customer's own input caused."""

ENDED = """
    SELECT model, outcome, making, waiting, refund, count(*) FROM (
        SELECT task.model,
            CASE WHEN task.status = 'completed' THEN 'completed'
                 WHEN task.error_code = ANY(%(by_input)s) THEN 'failed_by_input' ELSE 'failed' END AS outcome,
            CASE WHEN task.status = 'completed'
                 THEN width_bucket(date_part('epoch', task.finished_at - task.accepted_at), %(bounds)s::float8[])
                 END AS making,
            CASE WHEN task.status = 'completed'
                 THEN width_bucket(date_part('epoch', task.accepted_at - task.created_at), %(bounds)s::float8[])
                 END AS waiting,
            CASE WHEN task.status = 'failed'
                 THEN width_bucket(date_part('epoch', task.finished_at - task.created_at), %(bounds)s::float8[])
                 END AS refund
        FROM generations_task AS task
        JOIN accounts_organization AS organization ON organization.id = task.organization_id
        WHERE task.finished_at >= %(start)s AND task.finished_at < %(end)s
            AND task.status <> 'cancelled' AND organization.sandbox_of_id IS NULL
    ) AS ended GROUP BY model, outcome, making, waiting, refund"""
MINUTES = """
    SELECT model, {group},
        sum(bit_count(((looked | refused) & inside)::bit(64))),
        sum(bit_count((looked & ~closed & ~refused & inside)::bit(64)))
    FROM (
        SELECT *, CASE hour WHEN %(first)s THEN %(first_minutes)s WHEN %(last)s THEN %(last_minutes)s
            ELSE %(all_minutes)s END::bigint AS inside
        FROM generations_modelhour WHERE hour >= %(first)s AND hour <= %(last)s
    ) AS hours GROUP BY 1, 2"""


@dataclass(kw_only=True)
class Figures:
    """One model in one window. `times` counts by kind and bucket; `failed` includes those by the customer's input."""

    completed: int = 0
    failed: int = 0
    failed_by_input: int = 0
    times: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    minutes_observed: int = 0
    minutes_available: int = 0

    def add(self, other: "Figures") -> None:
        self.completed += other.completed
        self.failed += other.failed
        self.failed_by_input += other.failed_by_input
        for kind, buckets in other.times.items():
            self.times[kind].update(buckets)


def window(start: datetime, end: datetime) -> dict[str, Figures]:
    """The figures by model of what finished at `start` or later and before `end`; the minutes that began then."""
    return windows([start], end)[0]


def windows(starts: Sequence[datetime], end: datetime) -> list[dict[str, Figures]]:
    """The same for several windows with one end, which share the reading of the tasks at it."""
    mark = HealthMark.objects.values_list("counted_until", flat=True).first()
    read = cache(ended)
    return [_window(start, end, mark or start, read) for start in starts]


def _window(
    start: datetime, end: datetime, mark: datetime, read: Callable[[datetime, datetime], dict[str, Figures]]
) -> dict[str, Figures]:
    first, last = hour_after(start), min(hour_of(end), mark)
    parts = [counted(first, last), read(start, first), read(last, end)] if first < last else [read(start, end)]
    total: dict[str, Figures] = defaultdict(Figures)
    for part in parts:
        for model, found in part.items():
            total[model].add(found)
    for model, (observed, available) in minutes(start, end).items():
        total[model].minutes_observed, total[model].minutes_available = observed, available
    return dict(total)


def ended(start: datetime, end: datetime) -> dict[str, Figures]:
    """Straight from the tasks, by the index of their ends."""
    found: dict[str, Figures] = defaultdict(Figures)
    if start >= end:
        return found
    given: dict[str, Any] = {"by_input": sorted(BY_INPUT), "bounds": list(histogram.BOUNDS), "start": start, "end": end}
    with connection.cursor() as cursor:
        cursor.execute(ENDED, given)
        for model, outcome, making, waiting, refund, tasks in cursor.fetchall():
            figures = found[model]
            figures.completed += tasks if outcome == "completed" else 0
            figures.failed += 0 if outcome == "completed" else tasks
            figures.failed_by_input += tasks if outcome == "failed_by_input" else 0
            for kind, bucket in (("making", making), ("waiting", waiting), ("refund", refund)):
                if bucket is not None:
                    figures.times[kind][bucket] += tasks
    return found


def counted(first: datetime, last: datetime) -> dict[str, Figures]:
    """From the roll-up, the hours from `first` up to and without `last`."""
    found: dict[str, Figures] = defaultdict(Figures)
    hours = ModelHour.objects.filter(hour__gte=first, hour__lt=last).order_by()
    names = ("completed", "failed", "failed_by_input")
    for model, *counts in hours.values_list("model").annotate(*(Sum(name) for name in names)):
        figures = found[model]
        figures.completed, figures.failed, figures.failed_by_input = counts
    for model, kind, bucket, tasks in times(first, last):
        found[model].times[kind][bucket] += tasks
    return found


def times(first: datetime, last: datetime) -> Iterator[tuple[str, str, int, int]]:
    """Model, kind, bucket and tasks of these hours of the roll-up."""
    hours = ModelHourTime.objects.filter(hour__gte=first, hour__lt=last).order_by()
    yield from hours.values_list("model", "kind", "bucket").annotate(Sum("tasks"))


def minutes(start: datetime, end: datetime) -> dict[str, tuple[int, int]]:
    """By model, the minutes that began in the window: how many were observed, and in how many we were available."""
    return {model: (observed, available) for model, _, observed, available in _minutes("NULL::date", start, end)}


def days(start: datetime, end: datetime) -> dict[str, dict[date, tuple[int, int]]]:
    """The same by model and day (UTC)."""
    found: dict[str, dict[date, tuple[int, int]]] = defaultdict(dict)
    for model, day, observed, available in _minutes("(hour AT TIME ZONE 'UTC')::date", start, end):
        found[model][day] = (observed, available)
    return found


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def hour_after(moment: datetime) -> datetime:
    """The first full hour that does not begin before the moment."""
    return hour_of(moment + HOUR - timedelta(microseconds=1))


def _minutes(group: str, start: datetime, end: datetime) -> list[tuple[str, date, int, int]]:
    """Model, group, minutes observed and available: `group` is SQL of ours."""
    first, last = hour_of(start), hour_of(end)
    since = ALL_MINUTES & ~((1 << _minute_after(start, first)) - 1)
    until = (1 << _minute_after(end, last)) - 1
    given: dict[str, Any] = {
        "first": first,
        "last": last,
        "first_minutes": since & until if first == last else since,
        "last_minutes": until,
        "all_minutes": ALL_MINUTES,
    }
    with connection.cursor() as cursor:
        cursor.execute(MINUTES.format(group=group), given)
        return [(model, day, int(observed), int(available)) for model, day, observed, available in cursor.fetchall()]


def _minute_after(moment: datetime, hour: datetime) -> int:
    """The number of the first minute of the hour that does not begin before the moment; 60 = none."""
    return -((hour - moment) // timedelta(minutes=1))
