"""Revenue, refunds, promo cost, breakage, upstream cost and margin, by anything a report may be grouped by.

    captured     credits that completed tasks were charged
    - refunded   of these, credits given back later
    - promo      of what is left, credits that nobody had paid for (promo and goodwill lots)
    = revenue    credits that were paid for and used
    - upstream   what providers charged us, in dollars
    = margin     in dollars: revenue / 72 - upstream

Each counts on the UTC day on which it happened. Breakage, what expired unused of paid lots, stands beside it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from accounts.models import Organization
from billing import report_rollups
from evolink_saas.reports.asked import TIMES, Asked
from evolink_saas.reports.tables import dollars, share

CREDITS = {
    "captured": "coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0)",
    "refunded": "coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)",
    "promo": "coalesce(sum(CASE kind WHEN 'capture' THEN amount WHEN 'refund' THEN -amount END)"
    " FILTER (WHERE lot_kind <> 'paid'), 0)",
    "breakage": "coalesce(sum(amount) FILTER (WHERE kind = 'expire' AND lot_kind = 'paid'), 0)",
    "tasks": "coalesce(sum(counted) FILTER (WHERE kind = 'capture'), 0)::bigint",
}
COSTS = {
    "upstream": "coalesce(sum(amount), 0)",
    "estimated": "coalesce(sum(amount) FILTER (WHERE is_estimate), 0)",
}
MEASURED = {report_rollups.TRANSFERS: CREDITS, report_rollups.COSTS: COSTS}
NONE = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sales:
    """The figures of one group, or of all: credits, except `upstream` and of it `estimated`, which are dollars."""

    group: tuple[Any, ...] = ()
    captured: Decimal = NONE
    refunded: Decimal = NONE
    promo: Decimal = NONE
    breakage: Decimal = NONE
    tasks: int = 0
    upstream: Decimal = NONE
    estimated: Decimal = NONE

    @property
    def revenue(self) -> Decimal:
        return self.captured - self.refunded - self.promo

    @property
    def margin(self) -> Decimal:
        """In dollars."""
        return dollars(self.revenue) - self.upstream

    @property
    def margin_share(self) -> Decimal | None:
        return share(self.margin, dollars(self.revenue))

    @property
    def is_nothing(self) -> bool:
        return not any(figures_of(self))


FIGURES = tuple(one.name for one in fields(Sales) if one.name != "group")
figures_of = attrgetter(*FIGURES)


def of(asked: Asked) -> list[Sales]:
    """A row for each group in which anything happened: by time oldest first, otherwise by revenue."""
    rows = [row for row in _sums(asked, asked.by) if not row.is_nothing]
    if asked.by and asked.by[0] in TIMES:
        return sorted(rows, key=lambda row: (row.group[0], -row.revenue, row.group))
    return sorted(rows, key=lambda row: (-row.revenue, row.group))


def total(asked: Asked) -> Sales:
    """All of it as one row."""
    return next(_sums(asked, ()), Sales())


def added(rows: Iterable[Sales]) -> Sales:
    columns = zip(*map(figures_of, (Sales(), *rows)), strict=True)
    return Sales(**{name: sum(column) for name, column in zip(FIGURES, columns, strict=True)})


def names(rows: list[Sales], asked: Asked) -> dict[UUID, Organization]:
    """The organizations of these rows, where they are grouped by it."""
    if "organization" not in asked.by:
        return {}
    place = asked.by.index("organization")
    return Organization.objects.in_bulk({row.group[place] for row in rows})


def _sums(asked: Asked, by: tuple[str, ...]) -> Iterator[Sales]:
    where: dict[str, Any] = {
        "since": asked.since,
        "until": asked.until,
        "wallet_id": asked.wallet_id,
        "narrowed": asked.narrowed,
    }
    for row in report_rollups.sums(MEASURED, by, **where):
        yield Sales(group=tuple(row.pop(name) for name in by), **row)
