"""A statement as PDF, for people who keep books: what it is of, what it comes to, and every line with page numbers.

Source Sans is embedded; Noto Sans SC is as well where a text has characters that Source Sans has not. A month of more
lines than `MAX_LINES` shows one line a day and kind, because nobody reads a thousand pages: the CSV has them all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from billing import statements
from billing.models import Transfer
from billing.statements import LABELS, Statement

MAX_LINES = 1_000
LATIN, CHINESE = "source", "noto"
INK, QUIET, RULE, BAND, ACCENT = (28, 33, 40), (104, 112, 122), (214, 219, 225), (246, 247, 249), (32, 74, 135)
MARGIN, WIDTH, LINE = 16.0, 178.0, 5.4  # mm
BOTTOM = 20.0
SUMMARY = {kind: label if label.endswith("ed") else f"{label}s" for kind, label in LABELS.items()}
COLUMNS = (
    ("Time (UTC)", 25.0, "L"),
    ("Movement", 51.0, "L"),
    ("Reference", 58.0, "L"),
    ("Credits", 20.0, "R"),
    ("Balance", 24.0, "R"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    time: str
    movement: str
    reference: str
    change: Decimal
    balance: Decimal

    def cells(self) -> tuple[str, ...]:
        return (self.time, self.movement, self.reference, signed(self.change), shown(self.balance))


def render(statement: Statement, *, most: int = MAX_LINES) -> bytes:
    found = list(islice(statements.lines(statement), most + 1))
    by_day = len(found) > most
    rows = _days(statement) if by_day else [_row(transfer) for transfer in found]
    texts = [statement.organization.name, *(row.reference for row in rows)]
    paper = Paper(statement, texts)
    paper.add_page()
    paper.head(by_day=by_day)
    paper.totals()
    paper.lines(rows)
    return bytes(paper.output())


def shown(amount: Decimal) -> str:
    """12,345.6000: always with 4 decimals, so that columns line up."""
    return f"{amount:,.4f}"


def signed(change: Decimal) -> str:
    return f"{'+' if change > 0 else '−'} {shown(abs(change))}"


class Paper(FPDF):
    """A4 pages of one statement."""

    def __init__(self, statement: Statement, texts: Iterable[str]) -> None:
        super().__init__(format="A4")
        self.statement = statement
        self.in_table = False
        folder = _folder("font_source_sans_pro") / "files"
        self.add_font(LATIN, "", folder / "SourceSansPro-Regular.ttf")
        self.add_font(LATIN, "B", folder / "SourceSansPro-Semibold.ttf")
        if any(ord(character) not in _characters() for text in texts for character in text):
            self.add_font(CHINESE, "", _folder("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf")
            self.set_fallback_fonts([CHINESE], exact_match=False)
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=BOTTOM)
        self.set_title(f"Statement {statement.month}")
        self.set_author(statement.organization.name)
        self.set_creation_date(statement.made_at)
        self.alias_nb_pages()

    def header(self) -> None:
        if self.page_no() > 1:
            self._say(f"{self.statement.organization.name} · {_month(self.statement)}", 8.5, colour=QUIET)
            self.ln(3)
            self._titles()

    def footer(self) -> None:
        self.set_y(-14)
        made = f"{self.statement.made_at.astimezone(UTC):%d %b %Y %H:%M} UTC"
        self._font(8, colour=QUIET)
        self.cell(WIDTH / 2, 5, f"{self.statement.organization.public_id} · made {made}")
        self.cell(WIDTH / 2, 5, f"Page {self.page_no()} of {{nb}}", align="R")

    def head(self, *, by_day: bool) -> None:
        statement = self.statement
        self._say("Statement of credits", 10, bold=True, colour=ACCENT)
        self._say(_month(statement), 22, bold=True, height=11)
        self.ln(2)
        self.set_draw_color(*RULE)
        first, last = statement.starts_at, statement.ends_at
        facts = [
            ("Organization", statement.organization.name),
            ("Organization id", statement.organization.public_id),
            ("Period", f"{first:%d %b %Y} 00:00 to {last:%d %b %Y} 00:00 (exclusive)"),
            ("Time zone", "UTC"),
        ]
        if statement.provisional:
            facts.append(("Status", "Provisional: this month is not over, and lines may still be added."))
        if by_day:
            facts.append(("Lines", "One a day and kind of movement. The CSV of this statement has every movement."))
        for name, value in facts:
            self._font(9.5, colour=QUIET)
            self.cell(28, LINE, name)
            self._font(9.5, bold=name == "Organization")
            self.multi_cell(WIDTH - 28, LINE, value, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(4)

    def totals(self) -> None:
        """The box: opening balance, what each kind of line makes, closing balance."""
        statement = self.statement
        rows = [
            ("Opening balance", shown(statement.opening_balance), True),
            *((SUMMARY[kind], signed(change), False) for kind, change in statement.totals.items() if change),
            ("Balance so far" if statement.provisional else "Closing balance", shown(statement.closing_balance), True),
        ]
        top, inner = self.get_y(), 5.0
        height = len(rows) * 6.2 + 2 * 3.5
        self.set_fill_color(*BAND)
        self.rect(MARGIN, top, WIDTH, height, style="F", round_corners=True, corner_radius=2)
        self.set_y(top + 3.5)
        for number, (label, amount, bold) in enumerate(rows):
            if number == len(rows) - 1:
                self.line(MARGIN + inner, self.get_y(), MARGIN + WIDTH - inner, self.get_y())
            self.set_x(MARGIN + inner)
            self._font(10.5 if bold else 9.5, bold=bold)
            self.cell(WIDTH / 2, 6.2, label)
            self.cell(WIDTH / 2 - 2 * inner, 6.2, amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_y(top + height + 7)

    def lines(self, rows: Sequence[Row]) -> None:
        self._titles()
        for number, row in enumerate(rows):
            if self.will_page_break(LINE):
                self.add_page()
            self.set_fill_color(*BAND)
            self._cells(row.cells(), fill=number % 2 == 1)
        if not rows:
            self._font(9.5, colour=QUIET)
            self.cell(WIDTH, 9, "Nothing changed the balance in this month.", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _titles(self) -> None:
        self._font(8, bold=True, colour=QUIET)
        for title, width, align in COLUMNS:
            self.cell(width, LINE, title, align=align)
        self.ln(LINE + 0.6)
        self.set_draw_color(*RULE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.ln(0.8)

    def _cells(self, cells: Sequence[str], *, fill: bool) -> None:
        self._font(8)
        for (_, width, align), text in zip(COLUMNS, cells, strict=True):
            self.cell(width, LINE, self._cut(text, width), align=align, fill=fill)
        self.ln(LINE)

    def _cut(self, text: str, width: float) -> str:
        """The text, with its end left out where it does not fit."""
        room = width - 2 * self.c_margin
        if self.get_string_width(text) <= room:
            return text
        while text and self.get_string_width(f"{text}…") > room:
            text = text[:-1]
        return f"{text}…"

    def _say(self, text: str, size: float, *, bold: bool = False, colour: Any = INK, height: float = LINE) -> None:
        self._font(size, bold=bold, colour=colour)
        self.cell(WIDTH, height, self._cut(text, WIDTH), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _font(self, size: float, *, bold: bool = False, colour: Any = INK) -> None:
        self.set_font(LATIN, "B" if bold else "", size)
        self.set_text_color(*colour)


def _row(transfer: Transfer) -> Row:
    label, task = LABELS[transfer.kind], transfer.reservation
    return Row(
        time=f"{transfer.created_at.astimezone(UTC):%d %b %H:%M:%S}",
        movement=f"{label} · {task.model}" if task and task.model else label,
        reference=task.task_id if task else transfer.reference,
        change=statements.signed(transfer),
        balance=transfer.balance_after,
    )


def _days(statement: Statement) -> list[Row]:
    """One row for the lines of a day and kind; what came in and what went out are apart."""
    balance, rows = statement.opening_balance, []
    for one in statement.sums:
        balance += one.credits
        about = f"{one.postings:,} movements" if one.postings != 1 else "1 movement"
        label = SUMMARY[one.kind]
        rows.append(Row(time=f"{one.day:%d %b}", movement=label, reference=about, change=one.credits, balance=balance))
    return rows


def _month(statement: Statement) -> str:
    return f"{statement.starts_at:%B %Y}"


def _folder(package: str) -> Path:
    """Where a package's files lie. It is not imported: it brings nothing but files."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"The fonts of {package} are not installed.")
    return Path(spec.submodule_search_locations[0])


@cache
def _characters() -> frozenset[int]:
    """What Source Sans can show."""
    with TTFont(_folder("font_source_sans_pro") / "files" / "SourceSansPro-Regular.ttf") as font:
        return frozenset(font.getBestCmap())
