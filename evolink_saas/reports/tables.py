"""A report as a table: rows of figures with their units, each linked to what is behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from generations.margin import CREDITS_PER_DOLLAR

Unit = Literal["text", "credits", "dollars", "count", "share", "seconds"]
CENT, TENTH = Decimal("0.01"), Decimal("0.1")
NOTHING = "–"
ROWS_ON_A_PAGE = 400


@dataclass(frozen=True, kw_only=True)
class Column:
    """`name` is what exports call it, `title` what people read."""

    name: str
    title: str
    unit: Unit
    help: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """`unit`: where it is another than its column's. `leads_to` may make its address when it is asked for one, for a
    file needs none.
    """

    value: Any
    leads_to: str | Callable[[], str] = ""
    unit: Unit | None = None

    @property
    def link(self) -> str:
        return self.leads_to if isinstance(self.leads_to, str) else self.leads_to()


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line; `tone` is empty, total or quiet."""

    cells: tuple[Cell, ...]
    tone: str = ""


class Lines(Sequence[Line]):
    """Lines that are made when they are looked at: a page shows the first of perhaps very many."""

    def __init__(self, rows: Sequence[Any], make: Callable[[Any], Line]) -> None:
        self.rows, self.make = rows, make

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        found = self.rows[index]
        return [self.make(row) for row in found] if isinstance(index, slice) else self.make(found)


@dataclass(frozen=True, kw_only=True)
class Table:
    """`total` and `more` (such as the period before) stand at the end and in no chart."""

    columns: tuple[Column, ...]
    lines: Sequence[Line]
    total: Line | None = None
    more: tuple[Line, ...] = ()
    empty: str = "Nothing happened in these days."
    notes: tuple[str, ...] = field(default_factory=tuple)

    def html(self) -> SafeString:
        """The table as it stands on the page: its first lines, then the totals."""
        head = "".join(
            f'<th scope="col" class="{_side(column)}" title="{escape(column.help)}">'
            f"{escape(column.title)}<small>{UNIT_NAMES[column.unit]}</small></th>"
            for column in self.columns
        )
        shown = self.lines[:ROWS_ON_A_PAGE]
        body = "".join(self._line(line) for line in shown)
        if not shown:
            body = f'<tr><td class="empty" colspan="{len(self.columns)}">{escape(self.empty)}</td></tr>'
        foot = "".join(self._line(line) for line in (*([self.total] if self.total else []), *self.more))
        return mark_safe(
            f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>'
        )

    @property
    def file_lines(self) -> int:
        """How many lines it has as a file, the heading included."""
        return 1 + len(self.lines) + bool(self.total)

    @property
    def left_out(self) -> int:
        return max(0, len(self.lines) - ROWS_ON_A_PAGE)

    def _line(self, line: Line) -> str:
        cells = "".join(
            f'<td class="{_side(column)}">{_linked(cell, shown(cell.unit or column.unit, cell.value))}</td>'
            for column, cell in zip(self.columns, line.cells, strict=True)
        )
        return f'<tr class="{line.tone}">{cells}</tr>'


UNIT_NAMES = {
    "text": "",
    "credits": "credits · US$",
    "dollars": "US$",
    "count": "",
    "share": "%",
    "seconds": "seconds",
}


def dollars(credits: Decimal) -> Decimal:
    """What so many credits are worth, exactly."""
    return credits / CREDITS_PER_DOLLAR


def rounded(value: Decimal, step: Decimal = CENT) -> Decimal:
    """Half up; a rounded nothing has no sign."""
    made = value.quantize(step, ROUND_HALF_UP)
    return abs(made) if made == 0 else made


def money(dollars: Decimal) -> str:
    """Dollars and cents, the sign before the symbol: -$1,234.50."""
    cents = rounded(dollars)
    return f"{'-' if cents < 0 else ''}${abs(cents):,}"


def shown(unit: Unit, value: Any) -> SafeString:
    """A figure as people read it, with the exact one behind it. A number has nothing in it that must be escaped."""
    if value is None or value == "":
        return mark_safe(NOTHING)
    match unit:
        case "credits":
            figure = (
                f'<span title="{value:,.4f} credits">{rounded(value):,}</span><small>{money(dollars(value))}</small>'
            )
        case "dollars":
            figure = f'<span title="{value:,.6f} US$">{rounded(value):,}</span>'
        case "count":
            figure = f"{value:,}"
        case "seconds":
            figure = f"{value:,g}"
        case "share":
            figure = f"{rounded(100 * Decimal(value), TENTH):,}"
        case _:
            figure = escape(value)
    return mark_safe(figure)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """As a number from 0 to 1; None of nothing."""
    return Decimal(part) / Decimal(whole) if whole else None


def changed(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """By which share a figure grew; None where there was nothing before."""
    return None if now is None or not before else (now - before) / abs(before)


def _side(column: Column) -> str:
    return "text" if column.unit == "text" else "number"


def _linked(cell: Cell, text: SafeString) -> str:
    link = cell.link
    return f'<a href="{escape(link)}">{text}</a>' if link else text
