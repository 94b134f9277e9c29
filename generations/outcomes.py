"""What became of tasks: completed, failed (whose doing, which code), cancelled, and how soon credits came back.

    figure = the hours that are counted (OutcomeRollUp) + the tasks that ended after the mark

An hour is counted as those of `generations.health` are: when nothing can end in it any more. Counting replaces the
hour's rows and its day's, and moves the mark, in one transaction; each hour is counted again a day later. `sums` reads
both parts by one statement, so a figure is exact at any moment. The bounds of a refund's time are those of
`generations.histogram`, since percentiles do not add up and counts do.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from billing.rollups import Span
from billing.sums import columns, grouped, span_of
from generations import health, histogram, outcome_days
from generations.figures import BY_INPUT, HOUR
from generations.models import OutcomeMark, OutcomeRollUp

ROLL_UP_SECONDS = 20  # a job has 120, and other chores; what is left over has its turn in the next
DAY = timedelta(days=1)
COLUMNS = {
    "organization": "organization_id",
    "time": "starts_at",
    "model": "model",
    "user_group": "user_group",
    "account": "(SELECT a.name FROM generations_provideraccount a WHERE a.id = account_id)",
    "account_id": "account_id",
    "outcome": "outcome",
    "error_code": "error_code",
    "refund_bucket": "refund_bucket",
}
"""What sums may be grouped by, and the column behind it."""
MEASURES: dict[str, str] = {"tasks": "sum(tasks)::bigint"}
MEASURES |= {
    outcome.value: f"coalesce(sum(tasks) FILTER (WHERE outcome = '{outcome.value}'), 0)::bigint"
    for outcome in OutcomeRollUp.Outcome
}

ENDED = """
    SELECT t.organization_id, date_trunc(%(span)s, t.finished_at, 'UTC') AS starts_at, t.model, t.user_group,
        (SELECT a.account_id FROM generations_attempt a WHERE a.task_id = t.id ORDER BY a.number DESC LIMIT 1)
            AS account_id,
        CASE WHEN t.status = 'failed' AND t.error_code = ANY(%(by_input)s) THEN 'failed_by_input' ELSE t.status END
            AS outcome,
        t.error_code,
        CASE WHEN t.status <> 'completed' THEN
            width_bucket(date_part('epoch', t.finished_at - t.created_at), %(bounds)s::float8[]) END AS refund_bucket,
        1 AS tasks
    FROM generations_task t WHERE """
KEPT = """
    SELECT organization_id, starts_at, model, user_group, account_id, outcome, error_code, refund_bucket, tasks
    FROM generations_outcomerollup WHERE span = %(span)s"""
EXACT = f"""
    {KEPT} AND starts_at >= %(since)s AND starts_at < %(until)s
        AND (%(organization)s::uuid IS NULL OR organization_id = %(organization)s)
    UNION ALL {ENDED}
        t.finished_at >= greatest(%(since)s, (SELECT counted_until FROM generations_outcomemark))
        AND t.finished_at < %(until)s
        AND (%(organization)s::uuid IS NULL OR t.organization_id = %(organization)s)"""
GROUPS = "organization_id, starts_at, model, user_group, account_id, outcome, error_code, refund_bucket"
OF_THE_SPAN = "starts_at >= %(since)s AND starts_at < %(until)s"
ADD_HOUR = f"""
    INSERT INTO generations_outcomerollup (span, {GROUPS}, tasks)
    SELECT 'hour', {GROUPS}, sum(tasks)
    FROM ({ENDED} t.finished_at >= %(since)s AND t.finished_at < %(until)s) AS ended GROUP BY {GROUPS}"""
ADD_DAY = f"""
    INSERT INTO generations_outcomerollup (span, {GROUPS}, tasks)
    SELECT 'day', organization_id, date_trunc('day', starts_at, 'UTC'), model, user_group, account_id, outcome,
        error_code, refund_bucket, sum(tasks)
    FROM generations_outcomerollup WHERE span = 'hour' AND {OF_THE_SPAN} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"""
WRONG = f"""
    WITH counted AS (SELECT (SELECT counted_until FROM generations_outcomemark) - interval '1 day' AS until),
    raw AS (
        SELECT {GROUPS}, sum(tasks)::bigint FROM ({ENDED} t.organization_id = %(organization)s
            AND t.finished_at < (SELECT until FROM counted)) AS ended GROUP BY {GROUPS}),
    kept AS ({KEPT} AND organization_id = %(organization)s AND starts_at < (SELECT until FROM counted)),
    days AS (
        SELECT organization_id, date_trunc('day', starts_at, 'UTC') AS starts_at, model, user_group, account_id,
            outcome, error_code, refund_bucket, sum(tasks)::bigint
        FROM generations_outcomerollup WHERE span = 'hour' AND organization_id = %(organization)s
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
    kept_days AS (
        SELECT {GROUPS}, tasks FROM generations_outcomerollup
        WHERE span = 'day' AND organization_id = %(organization)s)
    SELECT DISTINCT 'outcomes of the hour ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
        'its rows are not the counts of its tasks'
    FROM ((TABLE kept EXCEPT TABLE raw) UNION ALL (TABLE raw EXCEPT TABLE kept)) AS differing
    UNION ALL
    SELECT DISTINCT 'outcomes of the day ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
        'its rows are not the sums of its hours'
    FROM ((TABLE kept_days EXCEPT TABLE days) UNION ALL (TABLE days EXCEPT TABLE kept_days)) AS differing"""
"""What contradicts the tasks of one organization: hours that were counted for good, and days."""


def sums(
    by: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    organization_id: UUID | None = None,
    span: Span | None = None,
) -> list[dict[str, Any]]:
    """`{…by, "tasks", "completed", "failed", "failed_by_input", "cancelled"}` for each group of tasks that ended in
    `since <= finished_at < until`, exactly; `failed` leaves out those by input.

    Both are whole hours. Whole days are read from the rows of days, and then `time` is a day, unless `span` says
    otherwise. Without `organization_id`: of all of them, sandboxes too.
    """
    span = span_of(since, until, span)
    given = _given(span, since=since, until=until, organization=organization_id)
    return grouped(EXACT, columns(by, COLUMNS), MEASURES, given)


def refund_times(
    by: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    organization_id: UUID | None = None,
    shares: Sequence[float] = (0.5, 0.95),
    span: Span | None = None,
) -> list[dict[str, Any]]:
    """`{…by, "tasks", "seconds": {share: …}}` for each group with tasks that were not completed: from the request until
    the credits were back, as `histogram.percentile` tells it. `by` as in `sums`."""
    rows = sums([*by, "refund_bucket"], since=since, until=until, organization_id=organization_id, span=span)
    found: dict[tuple[Any, ...], Counter[int]] = {}
    for row in rows:
        if row["refund_bucket"] is not None:
            found.setdefault(tuple(row[name] for name in by), Counter())[row["refund_bucket"]] += row["tasks"]
    return [
        dict(zip(by, group, strict=True))
        | {"tasks": buckets.total(), "seconds": {share: histogram.percentile(buckets, share) for share in shares}}
        for group, buckets in found.items()
    ]


def roll_up(*, seconds: float = ROLL_UP_SECONDS, patience_seconds: float = health.WAIT_FOR_OTHERS_SECONDS) -> int:
    """Count every hour that is over and settled, the oldest first; how many were counted."""
    stop_at = time.monotonic() + seconds
    until = health.settled_until(patience_seconds)
    if until is None:
        return 0
    hours = 0
    while time.monotonic() < stop_at and _count_next(until):
        hours += 1
    return hours


def wrong(organization_id: UUID) -> Iterator[tuple[str, str]]:
    """Subject and problem of each roll-up that contradicts its tasks."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG, _given(Span.HOUR, organization=organization_id))
        yield from cursor.fetchall()


@transaction.atomic
def _count_next(until: datetime) -> bool:
    """Count the hour at the mark. False when it is not before `until`, or another worker is counting it."""
    if not OutcomeMark.objects.exists():
        first = OutcomeMark(counted_until=health.first_hour(until))
        OutcomeMark.objects.bulk_create([first], ignore_conflicts=True)
    mark = OutcomeMark.objects.select_for_update(skip_locked=True, no_key=True).first()
    if mark is None or mark.counted_until >= until:
        return False
    for hour in (mark.counted_until, mark.counted_until - health.COUNTED_AGAIN_AFTER):
        count(hour, hour + HOUR)
    mark.counted_until += HOUR
    mark.save(update_fields=["counted_until"])
    return True


def count(since: datetime, until: datetime) -> None:
    """The rows of these whole hours and, from these, of their days."""
    first_day = since.astimezone(UTC).replace(hour=0)
    after_the_days = (until.astimezone(UTC) - HOUR).replace(hour=0) + DAY
    for span, start, end, add in (
        (Span.HOUR, since, until, ADD_HOUR),
        (Span.DAY, first_day, after_the_days, ADD_DAY),
    ):
        OutcomeRollUp.objects.filter(span=span, starts_at__gte=start, starts_at__lt=end).delete()
        with connection.cursor() as cursor:
            cursor.execute(add, _given(span, since=start, until=end))
    outcome_days.count(first_day, after_the_days)


def _given(span: Span, **others: Any) -> dict[str, Any]:
    return {"span": span.value, "bounds": list(histogram.BOUNDS), "by_input": sorted(BY_INPUT), **others}
