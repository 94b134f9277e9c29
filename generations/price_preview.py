"""What a drafted price change would have made of the last 30 days: task by task, added up by PostgreSQL.

Of each completed task of a live organization it takes what was captured, and what its frozen inputs and measured
seconds make with the drafted cell in place of theirs. An exact rate or a multiplier that the task was made with stays.
Equal tasks are priced once, so that a million of them are one pass over the table. Nothing is estimated: the sums are
those of `pricing.settle`, told in SQL, and a test compares the two.

The margin takes the provider costs booked for these tasks; they are the same before and after.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.utils import timezone

from billing.dollars import CREDITS_PER_DOLLAR
from billing.models import PriceDraft
from billing.pricing import ROUNDINGS
from billing.snapshots import one_snapshot

DAYS = 30
TENTH = Decimal("0.1")
Key = TypeVar("Key", bound=Hashable)

COMPLETED = """
    FROM generations_task t
    WHERE t.status = 'completed' AND t.finished_at >= %(since)s AND t.finished_at < %(until)s
        AND t.organization_id NOT IN (SELECT id FROM accounts_organization WHERE sandbox_of_id IS NOT NULL)
"""
ROUNDED = " ".join(
    f"WHEN '{name}' THEN {'round' if mode == ROUND_HALF_UP else 'ceil'}(measured_seconds * {1 / step}) / {1 / step}"
    for name, (step, mode) in ROUNDINGS.items()
)
CREDITS = f"""
    WITH made AS (
        SELECT t.organization_id, t.model, t.price - '{{version,user_group,override,quote}}'::text[] AS price,
            t.measured_seconds, count(*) AS tasks, sum(t.charged_credits) AS old
        {COMPLETED}
        GROUP BY 1, 2, 3, 4
    ), drafted AS (
        SELECT made.*, c.id IS NOT NULL AS is_drafted, c.minimum_seconds AS minimum,
            (price->>'seconds')::numeric AS seconds,
            coalesce((price->>'exact_rate')::numeric, c.rate * (price->>'multiplier')::numeric) * c.factor AS a_unit,
            CASE price->>'rounding' {ROUNDED} END AS measured
        FROM made LEFT JOIN billing_draftcell c ON c.draft_id = %(draft)s AND c.model = made.price->>'model'
            AND c.cell = made.price->>'cell' AND c.unit = made.price->>'unit'
    )
    SELECT organization_id, model, sum(tasks)::bigint, coalesce(sum(tasks) FILTER (WHERE NOT is_drafted), 0)::bigint,
        sum(old), sum(CASE
            WHEN NOT is_drafted THEN old
            WHEN price->>'unit' = 'call' THEN tasks * round(a_unit, 4)
            ELSE tasks * round(a_unit * greatest(least(seconds, coalesce(measured, seconds)), minimum), 4)
        END)
    FROM drafted GROUP BY 1, 2
"""
COSTS = f"""
    SELECT t.organization_id, t.model, sum(c.amount), coalesce(sum(c.amount) FILTER (WHERE c.is_estimate), 0)
    FROM (SELECT t.id, t.organization_id, t.model {COMPLETED}) AS t JOIN billing_providercost c ON c.task_id = t.id
    GROUP BY 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Credits as they were captured and as they would have been; dollars that providers took, and of them estimated.

    `unpriced` tasks have no cell in the draft any more: they count with their old credits on both sides.
    """

    tasks: int = 0
    unpriced: int = 0
    old: Decimal = Decimal(0)
    new: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    estimated: Decimal = Decimal(0)

    def __add__(self, other: "Effect") -> "Effect":
        return Effect(
            tasks=self.tasks + other.tasks,
            unpriced=self.unpriced + other.unpriced,
            old=self.old + other.old,
            new=self.new + other.new,
            cost=self.cost + other.cost,
            estimated=self.estimated + other.estimated,
        )

    @property
    def percent(self) -> Decimal | None:
        """How much more credits; None where there were none."""
        return (100 * (self.new - self.old) / self.old).quantize(TENTH, ROUND_HALF_UP) if self.old else None

    @property
    def old_margin(self) -> Decimal | None:
        return self._margin(self.old)

    @property
    def new_margin(self) -> Decimal | None:
        return self._margin(self.new)

    @property
    def points(self) -> Decimal | None:
        """By how much the margin changes, in percentage points."""
        old, new = _share(self.old, self.cost), _share(self.new, self.cost)
        return None if old is None or new is None else (new - old).quantize(TENTH, ROUND_HALF_UP)

    def _margin(self, credits: Decimal) -> Decimal | None:
        share = _share(credits, self.cost)
        return None if share is None else share.quantize(TENTH, ROUND_HALF_UP)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`organizations` by id and `models`, those whose credits change most first."""

    since: datetime
    until: datetime
    total: Effect
    organizations: list[tuple[UUID, Effect]]
    models: list[tuple[str, Effect]]


def preview(draft: PriceDraft, until: datetime | None = None) -> Preview:
    """In two statements that see one moment, whatever the number of tasks."""
    until = until or timezone.now()
    since = until - timedelta(days=DAYS)
    given: dict[str, int | datetime] = {"draft": draft.pk, "since": since, "until": until}
    with one_snapshot(), connection.cursor() as cursor:
        cursor.execute(CREDITS, given)
        effects = [
            (owner, model, Effect(tasks=tasks, unpriced=unpriced, old=old, new=new))
            for owner, model, tasks, unpriced, old, new in cursor.fetchall()
        ]
        cursor.execute(COSTS, given)
        effects += [
            (owner, model, Effect(cost=cost, estimated=estimated))
            for owner, model, cost, estimated in cursor.fetchall()
        ]
    return Preview(
        since=since,
        until=until,
        total=sum((effect for _, _, effect in effects), Effect()),
        organizations=_added_up((owner, effect) for owner, _, effect in effects),
        models=_added_up((model, effect) for _, model, effect in effects),
    )


def _added_up(effects: Iterable[tuple[Key, Effect]]) -> list[tuple[Key, Effect]]:
    sums: dict[Key, Effect] = defaultdict(Effect)
    for key, effect in effects:
        sums[key] += effect
    return sorted(sums.items(), key=lambda item: (-abs(item[1].new - item[1].old), str(item[0])))


def _share(credits: Decimal, cost: Decimal) -> Any:
    """What is left of the revenue after the cost, in percent of it; None without revenue."""
    return 100 * (1 - cost * CREDITS_PER_DOLLAR / credits) if credits else None
