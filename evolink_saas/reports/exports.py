"""A report's table as a file, CSV or XLSX; both are streamed.

Credits come with four decimals and stand beside their dollars; nothing is rounded but those, and margins to a
millionth. A text that a spreadsheet would take for a formula gets an apostrophe before it
(`accounts.spreadsheets.harmless`).
"""

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse

from accounts.spreadsheets import BYTE_ORDER_MARK, harmless
from evolink_saas.reports.tables import Cell, Column, Table, dollars, rounded

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LINES_AT_A_TIME = 500
TEN_THOUSANDTH, MILLIONTH = Decimal("0.0001"), Decimal("0.000001")
Values = list[Any]


def response(table: Table, name: str, kind: str) -> StreamingHttpResponse:
    """The table as a download; `kind` is one of FORMATS."""
    parts = _xlsx(table, name) if kind == "xlsx" else stream(table)
    answer = StreamingHttpResponse(parts, content_type=FORMATS[kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer


def _xlsx(table: Table, name: str) -> Iterator[bytes]:
    from evolink_saas.reports import workbook  # noqa: PLC0415  its library would slow every web process's start

    return workbook.stream(_rows(table), name)


def stream(table: Table) -> Iterator[str]:
    """The CSV, some hundred lines at a time."""
    yield BYTE_ORDER_MARK
    rows = iter(_rows(table))
    while some := list(islice(rows, LINES_AT_A_TIME)):
        file = StringIO(newline="")
        csv.writer(file).writerows([_spelled(value) for value in row] for row in some)
        yield file.getvalue()


def _rows(table: Table) -> Iterator[Values]:
    yield [name for column in table.columns for name in _names(column)]
    for line in chain(table.lines, [table.total] if table.total else []):
        yield [value for column, cell in zip(table.columns, line.cells, strict=True) for value in _values(column, cell)]


def _names(column: Column) -> list[str]:
    if column.unit == "credits":
        return [f"{column.name}_credits", f"{column.name}_usd"]
    return [f"{column.name}_usd" if column.unit == "dollars" else column.name]


def _values(column: Column, cell: Cell) -> Values:
    value = cell.value
    if column.unit == "credits":
        return [None, None] if value is None else [value, rounded(dollars(value), TEN_THOUSANDTH)]
    if column.unit == "dollars" and value is not None:
        return [rounded(value, MILLIONTH)]
    if column.unit == "share" and value is not None:
        return [rounded(Decimal(value), TEN_THOUSANDTH)]
    return [harmless(value) if isinstance(value, str) else value]


def _spelled(value: Any) -> str:
    """As CSV has it: a negative number is one, so it keeps its sign; nothing is empty."""
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
