"""The page of failures and refunds: how many tasks went well, how many were given back, and how soon."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.safestring import SafeString

from accounts.models import Organization
from evolink_saas.reports import behind, charts, outcomes
from evolink_saas.reports.asked import GROUPS, TIMES, Asked
from evolink_saas.reports.charts import Series
from evolink_saas.reports.outcomes import Outcomes
from evolink_saas.reports.shown import Card, Shown, days, group_cells, group_columns, summary, told
from evolink_saas.reports.shown_sales import IN_A_RANKING, heading
from evolink_saas.reports.tables import NOTHING, Cell, Column, Line, Lines, Table, shown

MIDDLE, SLOW = 0.5, 0.95
FIGURES = (
    Column(name="tasks", title="Tasks ended", unit="count", help="All that came to an end."),
    Column(name="completed", title="Completed", unit="count"),
    Column(name="failed", title="Failed", unit="count", help="Not by the customer's input."),
    Column(name="failed_by_input", title="Failed by input", unit="count", help="Something in the request was refused."),
    Column(name="cancelled", title="Cancelled", unit="count", help="By the customer."),
    Column(name="failure_share", title="Failure rate", unit="share", help="Failed, of completed and failed."),
    Column(name="refund_share", title="Refund rate", unit="share", help="Failed or cancelled, of all that ended."),
    Column(name="refund_p50", title="Refund time p50", unit="seconds", help="From the request to the credits' return."),
    Column(name="refund_p95", title="Refund time p95", unit="seconds", help="19 of 20 were back by then."),
)
NOTES = (
    "A task counts on the UTC day on which it ended. Sandbox organizations are left out.",
    "Refund times are read from buckets: a figure is at most 10 % away from the truth.",
)


def answer(asked: Asked, path: str, words: dict[str, str]) -> Shown:
    rows = outcomes.of(asked)
    whole, earlier = outcomes.added(rows), asked.before()
    before = outcomes.added(outcomes.of(replace(earlier, by=())))
    names = _names(rows, asked)

    def line(row: Outcomes) -> Line:
        group = behind.of(asked, row.group)
        return Line(cells=(*group_cells(asked, row.group, names, path, words), *_cells(row, group)))

    return Shown(
        summary=summary(asked),
        cards=tuple(_cards(whole, before)),
        charts=tuple(_charts(asked, rows, names)) if rows else (),
        tables={
            "outcomes": Table(
                columns=(*group_columns(asked), *FIGURES),
                lines=Lines(rows, line),
                total=Line(cells=(*heading("Total", asked), *_cells(whole, behind.of(asked))), tone="total"),
                more=(
                    Line(
                        cells=(*heading(f"Before: {days(earlier)}", asked), *_cells(before, behind.of(earlier))),
                        tone="quiet",
                    ),
                ),
                empty="No task ended in these days.",
            )
        },
        notes=NOTES,
    )


def _names(rows: list[Outcomes], asked: Asked) -> Mapping[UUID, Organization]:
    if "organization" not in asked.by:
        return {}
    return Organization.objects.in_bulk({row.group[asked.by.index("organization")] for row in rows})


def _cells(row: Outcomes, group: behind.Group) -> tuple[Cell, ...]:
    def counted(name: str, status: str, failed_by: str = "") -> Cell:
        count = getattr(row, name)
        return Cell(value=count, leads_to=partial(group.tasks, status, failed_by=failed_by) if count else "")

    return (
        Cell(value=row.tasks),
        counted("completed", "completed"),
        counted("failed", "failed", "us"),
        counted("failed_by_input", "failed", "input"),
        counted("cancelled", "cancelled"),
        Cell(value=row.failure_share),
        Cell(value=row.refund_share),
        Cell(value=row.refund_seconds(MIDDLE)),
        Cell(value=row.refund_seconds(SLOW)),
    )


def _cards(whole: Outcomes, before: Outcomes) -> list[Card]:
    found = (
        ("Failure rate", whole.failure_share, before.failure_share),
        ("Refund rate", whole.refund_share, before.refund_share),
    )
    cards = [Card(title=title, figure=_percent(now), note=f"{_percent(then)} before") for title, now, then in found]
    for name, part in (("Refund time, middle (p50)", MIDDLE), ("Refund time, 19 of 20 (p95)", SLOW)):
        now, then = whole.refund_seconds(part), before.refund_seconds(part)
        cards.append(Card(title=name, figure=_seconds(now), note=f"{_seconds(then)} before"))
    return cards


def _charts(asked: Asked, rows: list[Outcomes], names: Mapping[UUID, Organization]) -> list[tuple[str, SafeString]]:
    first = asked.by[0]
    groups: dict[Any, list[Outcomes]] = {}
    for row in rows:
        groups.setdefault(row.group[0], []).append(row)
    sums = {group: outcomes.added(found) for group, found in groups.items()}
    shown_groups = list(sums) if first in TIMES else list(sums)[:IN_A_RANKING]
    labels = [told(first, group, names) for group in shown_groups]
    chosen = [sums[group] for group in shown_groups]
    series = [
        Series(name="Failure rate", values=[100 * (one.failure_share or 0) for one in chosen], look="bad"),
        Series(name="Refund rate", values=[100 * (one.refund_share or 0) for one in chosen], look="cost"),
    ]
    title = f"Failure and refund rate by {GROUPS[first].lower()}"
    draw = charts.over_time if first in TIMES else charts.ranking
    return [(title, draw(title, "percent", labels, series))]


def _percent(value: Any) -> str:
    return NOTHING if value is None else f"{shown('share', value)}%"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:g} s"
