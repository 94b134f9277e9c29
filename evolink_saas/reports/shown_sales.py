"""The page of revenue and margin."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Organization
from evolink_saas.reports import behind, charts, sales
from evolink_saas.reports.asked import GROUPS, TIMES, Asked
from evolink_saas.reports.charts import Series
from evolink_saas.reports.sales import Sales
from evolink_saas.reports.shown import Card, Shown, days, group_cells, group_columns, summary, told
from evolink_saas.reports.tables import Cell, Column, Line, Lines, Table, changed, dollars, money, rounded, shown

IN_A_RANKING = 12
FIGURES = (
    Column(name="tasks", title="Tasks charged", unit="count", help="Tasks whose credits were captured."),
    Column(name="captured", title="Captured", unit="credits", help="What completed tasks were charged."),
    Column(name="refunded", title="Refunded", unit="credits", help="Given back later, of what was captured."),
    Column(
        name="promo", title="Promo cost", unit="credits", help="Captured less refunded, of credits nobody paid for."
    ),
    Column(name="revenue", title="Revenue", unit="credits", help="Captured - refunded - promo cost."),
    Column(name="breakage", title="Breakage", unit="credits", help="Paid credits that expired unused."),
    Column(name="upstream", title="Upstream cost", unit="dollars", help="What providers charged us."),
    Column(name="margin", title="Margin", unit="dollars", help="Revenue in dollars - upstream cost."),
    Column(name="margin_share", title="Margin", unit="share", help="Margin as a share of revenue."),
)
NOTES = (
    "1 US$ is 72 credits. Days are of UTC. Sandbox organizations are left out.",
    "Figures are shown to two decimals and summed up exactly; point at one to see all of it.",
)


def answer(asked: Asked, path: str, words: dict[str, str]) -> Shown:
    rows = sales.of(asked)
    whole, before = sales.added(rows), sales.total(asked.before())
    organizations = sales.names(rows, asked)
    return Shown(
        summary=summary(asked),
        cards=cards(whole, before),
        charts=tuple(_charts(asked, rows, organizations)) if rows else (),
        tables={"sales": table(asked, rows, whole, before, organizations, path, words)},
        notes=(*NOTES, *([_estimated(whole)] if whole.estimated else [])),
    )


def cards(whole: Sales, before: Sales) -> tuple[Card, ...]:
    """The figures of all of it, and how they changed."""
    refunds = dollars(whole.refunded), dollars(before.refunded)
    found = (
        ("Revenue", dollars(whole.revenue), dollars(before.revenue), f"{rounded(whole.revenue):,} credits"),
        ("Upstream cost", whole.upstream, before.upstream, ""),
        ("Margin", whole.margin, before.margin, _percent(whole.margin_share, "of revenue")),
        ("Refunds", *refunds, f"{rounded(whole.refunded):,} credits"),
        ("Promo cost", dollars(whole.promo), dollars(before.promo), f"{rounded(whole.promo):,} credits"),
        ("Breakage", dollars(whole.breakage), dollars(before.breakage), f"{rounded(whole.breakage):,} credits"),
    )
    return tuple(Card(title=title, figure=money(now), note=_note(now, then, more)) for title, now, then, more in found)


def table(
    asked: Asked,
    rows: list[Sales],
    whole: Sales,
    before: Sales,
    organizations: Mapping[UUID, Organization],
    path: str,
    words: Mapping[str, str],
) -> Table:

    def line(row: Sales) -> Line:
        group = behind.of(asked, row.group)
        return Line(cells=(*group_cells(asked, row.group, organizations, path, words), *cells(row, group)))

    earlier = asked.before()
    return Table(
        columns=(*group_columns(asked), *FIGURES),
        lines=Lines(rows, line),
        total=Line(cells=(*heading("Total", asked), *cells(whole, behind.of(asked))), tone="total"),
        more=(
            Line(cells=(*heading(f"Before: {days(earlier)}", asked), *cells(before, behind.of(earlier))), tone="quiet"),
            Line(cells=(*heading("Change (%)", asked), *_changes(whole, before)), tone="quiet"),
        ),
    )


def cells(row: Sales, group: behind.Group) -> tuple[Cell, ...]:
    return (
        Cell(value=row.tasks, leads_to=group.tasks if row.tasks else ""),
        *(
            Cell(value=getattr(row, name), leads_to=_behind(row, name, group))
            for name in ("captured", "refunded", "promo")
        ),
        Cell(value=row.revenue),
        Cell(value=row.breakage, leads_to=_behind(row, "breakage", group)),
        Cell(value=row.upstream, leads_to=group.costs if row.upstream else ""),
        Cell(value=row.margin),
        Cell(value=row.margin_share),
    )


def heading(text: str, asked: Asked) -> tuple[Cell, ...]:
    """The first cells of a line that is about no group."""
    return (Cell(value=text), *(Cell(value="", unit="text") for _ in asked.by[1:]))


def _behind(row: Sales, name: str, group: behind.Group) -> str | Callable[[], str]:
    return partial(group.transfers, name) if getattr(row, name) else ""


def _changes(now: Sales, before: Sales) -> list[Cell]:
    names = [column.name for column in FIGURES if column.name != "margin_share"]
    pairs = ((getattr(now, name), getattr(before, name)) for name in names)
    return [*(Cell(value=changed(*map(Decimal, pair)), unit="share") for pair in pairs), Cell(value=None)]


def _charts(
    asked: Asked, rows: list[Sales], organizations: Mapping[UUID, Organization]
) -> list[tuple[str, SafeString]]:
    first = asked.by[0]
    groups: dict[Any, list[Sales]] = {}
    for row in rows:
        groups.setdefault(row.group[0], []).append(row)
    sums = {group: sales.added(found) for group, found in groups.items()}
    if first in TIMES:
        title = f"Revenue, upstream cost and margin by {first}"
        labels = [told(first, group, organizations) for group in sums]
        return [(title, charts.over_time(title, "US$", labels, series(list(sums.values()), line=True)))]
    best = dict(sorted(sums.items(), key=lambda item: -item[1].revenue)[:IN_A_RANKING])
    title = f"Revenue and margin by {GROUPS[first].lower()}"
    title += f": the first {IN_A_RANKING} of {len(sums)}" if len(sums) > len(best) else ""
    names = [told(first, group, organizations) for group in best]
    return [(title, charts.ranking(title, "US$", names, series(list(best.values()), line=False)))]


def series(rows: list[Sales], *, line: bool) -> list[Series]:
    return [
        Series(name="Revenue", values=[dollars(row.revenue) for row in rows], look="revenue"),
        Series(name="Upstream cost", values=[row.upstream for row in rows], look="cost"),
        Series(name="Margin", values=[row.margin for row in rows], look="margin", is_line=line),
    ]


def _note(now: Decimal, before: Decimal, more: str) -> SafeString:
    change = changed(now, before)
    told_change = (
        f"{rounded(100 * change, Decimal('0.1')):+,}% to the period before" if change is not None else "nothing before"
    )
    return format_html("{}{}{}", more, " · " if more else "", told_change)


def _percent(share: Decimal | None, of_what: str) -> str:
    return "" if share is None else f"{shown('share', share)}% {of_what}"


def _estimated(whole: Sales) -> str:
    return (
        f"Of the upstream cost, {money(whole.estimated)} are estimates from our own tables, "
        "where the provider did not say what it charged."
    )
