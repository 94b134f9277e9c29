"""How well it went: tasks by what became of them, what was given back, and how soon.

A task counts on the UTC day on which it ended. All live organizations together are read from rows of days
(`generations.outcome_days`), the same by organization from its own (`generations.outcomes`), each with what ended
since.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from billing.sums import grouped
from evolink_saas.reports.asked import TIMES, Asked
from evolink_saas.reports.tables import share
from generations import histogram, outcomes
from generations.figures import BY_INPUT

COLUMNS = {
    "day": "starts_at",
    "month": "date_trunc('month', starts_at, 'UTC')",
    "organization": "organization_id",
    "model": "model",
    "user_group": "user_group",
    "account": "coalesce((SELECT a.name FROM generations_provideraccount a WHERE a.id = account_id), '')",
}
OUTCOMES = ("completed", "failed", "failed_by_input", "cancelled")
GIVEN_BACK = "FILTER (WHERE refund_bucket IS NOT NULL)"
MEASURES = {
    **{name: f"coalesce(sum(tasks) FILTER (WHERE outcome = '{name}'), 0)::bigint" for name in OUTCOMES},
    "buckets": f"coalesce(array_agg(refund_bucket) {GIVEN_BACK}, '{{}}')",
    "counts": f"coalesce(array_agg(tasks) {GIVEN_BACK}, '{{}}')",
}
"""Of a group: one row, its refund times as two lists beside each other."""
ROWS = "model, user_group, account_id, outcome, error_code, refund_bucket, tasks"
LIVE = "(SELECT o.id FROM accounts_organization o WHERE o.sandbox_of_id IS NULL)"
OF_ALL = f"""
    SELECT NULL::uuid AS organization_id, starts_at, {ROWS} FROM generations_outcomeday
    WHERE starts_at >= %(since)s AND starts_at < %(until)s"""
OF_EACH = f"""
    SELECT organization_id, starts_at, {ROWS} FROM generations_outcomerollup
    WHERE span = 'day' AND starts_at >= %(since)s AND starts_at < %(until)s AND organization_id IN {LIVE}
        AND (%(wallet)s::uuid IS NULL OR organization_id = %(wallet)s)"""
TAIL = f"""
    {outcomes.ENDED}
        t.finished_at >= greatest(%(since)s, (SELECT counted_until FROM generations_outcomemark))
        AND t.finished_at < %(until)s AND t.organization_id IN {LIVE}
        AND (%(wallet)s::uuid IS NULL OR t.organization_id = %(wallet)s)"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """The tasks of one group, or of all, that ended; `counts` of those given back are in `buckets` of time."""

    group: tuple[Any, ...] = ()
    completed: int = 0
    failed: int = 0
    failed_by_input: int = 0
    cancelled: int = 0
    buckets: Sequence[int] = ()
    counts: Sequence[int] = ()

    @property
    def tasks(self) -> int:
        return self.completed + self.failed + self.failed_by_input + self.cancelled

    @property
    def refunded(self) -> int:
        """All that was not completed: its credits went back in full."""
        return self.tasks - self.completed

    @property
    def failure_share(self) -> Any:
        """Of what was judged: neither cancelled nor failed by the customer's input."""
        return share(self.failed, self.completed + self.failed)

    @property
    def refund_share(self) -> Any:
        return share(self.refunded, self.tasks)

    def refund_seconds(self, part: float) -> float | None:
        return histogram.percentile(given_back([self]), part) if self.buckets else None


def of(asked: Asked) -> list[Outcomes]:
    """By time oldest first, otherwise by the number of tasks."""
    found = [Outcomes(group=tuple(row.pop(name) for name in asked.by), **row) for row in _sums(asked)]
    if asked.by and asked.by[0] in TIMES:
        return sorted(found, key=lambda one: (one.group[0], -one.tasks, one.group))
    return sorted(found, key=lambda one: (-one.tasks, one.group))


def added(rows: Iterable[Outcomes]) -> Outcomes:
    rows = list(rows)
    sums = {name: sum(getattr(row, name) for row in rows) for name in OUTCOMES}
    buckets = given_back(rows)
    return Outcomes(**sums, buckets=list(buckets), counts=list(buckets.values()))


def given_back(rows: Iterable[Outcomes]) -> Counter[int]:
    """How many were given back, by bucket."""
    found: Counter[int] = Counter()
    for row in rows:
        for bucket, count in zip(row.buckets, row.counts, strict=True):
            found[bucket] += count
    return found


def _sums(asked: Asked) -> list[dict[str, Any]]:
    each = "organization" in asked.by or asked.wallet_id is not None
    given: dict[str, Any] = {
        "since": asked.since,
        "until": asked.until,
        "wallet": asked.wallet_id,
        "span": "day",
        "bounds": list(histogram.BOUNDS),
        "by_input": sorted(BY_INPUT),
    } | {f"is_{name}": value for name, value in asked.narrowed.items()}
    where = " AND ".join(f"{COLUMNS[name]} = %(is_{name})s" for name in asked.narrowed) or "true"
    names = "".join(f"{COLUMNS[name]} AS {name}, " for name in asked.by)
    groups = ", ".join((*(COLUMNS[name] for name in asked.by), "outcome", "refund_bucket"))
    by_bucket = f"""
        SELECT {names} outcome, refund_bucket, sum(tasks)::bigint AS tasks
        FROM ({OF_EACH if each else OF_ALL} UNION ALL {TAIL}) AS exact WHERE {where} GROUP BY {groups}"""
    return grouped(by_bucket, {name: name for name in asked.by}, MEASURES, given)
