"""Rows as one sheet of an XLSX file that is sent while it is made: nothing of it is kept, in memory or on a disk.

openpyxl makes the frame, a workbook whose sheet is empty, but writes a file only when it has every row. So the rows go
into that sheet's XML here (ECMA-376, part 1, 18.3.1: `row`, `c`, `is`, `v`).
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import BytesIO, RawIOBase
from itertools import islice
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

SHEET, EMPTY = "xl/worksheets/sheet1.xml", re.compile(rb"<sheetData ?/>|<sheetData></sheetData>")
LONGEST_TITLE = 31
ROWS_AT_A_TIME = 500


class _Outbox(RawIOBase):
    """What has been written and was not taken yet. It cannot seek, so the archive does not look back."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


def stream(rows: Iterable[list[Any]], title: str) -> Iterator[bytes]:
    """The file, some hundred rows at a time. Values are text, numbers, which stay numbers, or None; the first row stays
    in view when a reader scrolls.
    """
    frame, outbox, left = _frame(title), _Outbox(), iter(rows)
    with ZipFile(outbox, "w", ZIP_DEFLATED) as made:
        for name in frame.namelist():
            if name != SHEET:
                made.writestr(name, frame.read(name))
        before, after = EMPTY.split(frame.read(SHEET))
        with made.open(SHEET, "w") as sheet:
            sheet.write(before + b"<sheetData>")
            while some := list(islice(left, ROWS_AT_A_TIME)):
                sheet.write("".join(map(_row, some)).encode())
                if ready := outbox.take():
                    yield ready
            sheet.write(b"</sheetData>" + after)
    yield outbox.take()


def _frame(title: str) -> ZipFile:
    book, file = Workbook(write_only=True), BytesIO()  # such a sheet does not claim a size
    book.create_sheet(title[:LONGEST_TITLE]).freeze_panes = "A2"
    book.save(file)
    return ZipFile(file)


def _row(values: list[Any]) -> str:
    return f"<row>{''.join(map(_cell, values))}</row>"


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, Decimal):
        return f"<c><v>{value:f}</v></c>"
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    text = escape(ILLEGAL_CHARACTERS_RE.sub("", str(value)))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
