"""The page of top customers: who brings in how much, and how that changed."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from evolink_saas.reports import behind, charts, sales, shown_sales
from evolink_saas.reports.asked import Asked
from evolink_saas.reports.sales import Sales
from evolink_saas.reports.shown import Shown, days, group_cells, group_columns, summary
from evolink_saas.reports.tables import Cell, Column, Line, Table, changed, share

T = TypeVar("T")
IN_THE_CHART = 15
OF_CUSTOMERS = (
    Column(name="revenue_share", title="Share of revenue", unit="share", help="Of the revenue of all."),
    Column(name="revenue_before", title="Revenue before", unit="credits", help="In the period before."),
    Column(name="change", title="Change", unit="share", help="Of the revenue, to the period before."),
)


KEPT = ("tasks", "captured", "revenue", "upstream", "margin", "margin_share")
"""The figures of sales that stand here; the report of one organization has the others."""


def answer(asked: Asked, path: str, words: dict[str, str]) -> Shown:
    asked = replace(asked, by=("organization",))
    rows, earlier = sales.of(asked), asked.before()
    before = {row.group: row for row in sales.of(earlier)}
    whole, whole_before = sales.added(rows), sales.added(list(before.values()))
    organizations = sales.names(rows, asked)
    sales_path = path.removesuffix("customers/")
    lines = [
        Line(
            cells=(
                *group_cells(asked, row.group, organizations, sales_path, words),
                *_kept(shown_sales.cells(row, behind.of(asked, row.group))),
                *_more(row, whole, before.get(row.group, Sales())),
            )
        )
        for row in rows
    ]
    total = (
        *shown_sales.heading("Total", asked),
        *_kept(shown_sales.cells(whole, behind.of(asked))),
        *_more(whole, whole, whole_before),
    )
    best = rows[:IN_THE_CHART]
    title = f"Revenue and margin of the first {len(best)} of {len(rows)} organizations"
    names = [str(organizations.get(row.group[0], row.group[0])) for row in best]
    return Shown(
        summary=summary(asked),
        cards=shown_sales.cards(whole, whole_before),
        charts=((title, charts.ranking(title, "US$", names, shown_sales.series(best, line=False))),) if best else (),
        tables={
            "customers": Table(
                columns=(*group_columns(asked), *_kept(shown_sales.FIGURES), *OF_CUSTOMERS),
                lines=lines,
                total=Line(cells=total, tone="total"),
            )
        },
        notes=(*shown_sales.NOTES, f"Before is {days(earlier)}."),
    )


def _kept(figures: Sequence[T]) -> tuple[T, ...]:
    """Of what there is for each figure of sales."""
    return tuple(one for column, one in zip(shown_sales.FIGURES, figures, strict=True) if column.name in KEPT)


def _more(row: Sales, whole: Sales, before: Sales) -> tuple[Cell, ...]:
    return (
        Cell(value=share(row.revenue, whole.revenue)),
        Cell(value=before.revenue),
        Cell(value=changed(Decimal(row.revenue), Decimal(before.revenue))),
    )
