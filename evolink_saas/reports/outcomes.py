"""How well it went: tasks by what became of them, what was given back, and how soon.

A task counts on the UTC day on which it ended. All live organizations together are read from rows of days
(`generations.outcome_days`), the same by organization from its own (`generations.outcomes`), each with what ended
since.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
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
MEASURES = {"tasks": "sum(tasks)::bigint"}
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


@dataclass(kw_only=True)
class Outcomes:
    """The tasks of one group, or of all, that ended; `given_back` counts their refund times by bucket."""

    group: tuple[Any, ...] = ()
    completed: int = 0
    failed: int = 0
    failed_by_input: int = 0
    cancelled: int = 0
    given_back: Counter[int] = field(default_factory=Counter)

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
        return histogram.percentile(self.given_back, part) if self.given_back else None

    def add(self, outcome: str, bucket: int | None, tasks: int) -> None:
        setattr(self, outcome, getattr(self, outcome) + tasks)
        if bucket is not None:
            self.given_back[bucket] += tasks


def of(asked: Asked) -> list[Outcomes]:
    """By time oldest first, otherwise by the number of tasks."""
    found: dict[tuple[Any, ...], Outcomes] = {}
    for row in _sums(asked):
        group = tuple(row[name] for name in asked.by)
        one = found.setdefault(group, Outcomes(group=group))
        one.add(row["outcome"], row["refund_bucket"], row["tasks"])
    if asked.by and asked.by[0] in TIMES:
        return sorted(found.values(), key=lambda one: (one.group[0], -one.tasks, str(one.group)))
    return sorted(found.values(), key=lambda one: (-one.tasks, str(one.group)))


def added(rows: list[Outcomes]) -> Outcomes:
    whole = Outcomes()
    for row in rows:
        for name in ("completed", "failed", "failed_by_input", "cancelled"):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
        whole.given_back.update(row.given_back)
    return whole


def _sums(asked: Asked) -> Iterator[dict[str, Any]]:
    each = "organization" in asked.by or asked.wallet_id is not None
    by = {name: COLUMNS[name] for name in asked.by} | {"outcome": "outcome", "refund_bucket": "refund_bucket"}
    given: dict[str, Any] = {
        "since": asked.since,
        "until": asked.until,
        "wallet": asked.wallet_id,
        "span": "day",
        "bounds": list(histogram.BOUNDS),
        "by_input": sorted(BY_INPUT),
    } | {f"is_{name}": value for name, value in asked.narrowed.items()}
    where = " AND ".join(f"{COLUMNS[name]} = %(is_{name})s" for name in asked.narrowed) or "true"
    yield from grouped(f"{OF_EACH if each else OF_ALL} UNION ALL {TAIL}", by, MEASURES, given, where=where)
