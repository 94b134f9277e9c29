"""A workbook that is sent while it is made: what a spreadsheet reads in it, and that nothing of it is kept."""

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook

from evolink_saas.reports import workbook


def read(rows: list[list[Any]], title: str = "sales") -> Any:
    return load_workbook(io.BytesIO(b"".join(workbook.stream(rows, title)))).active


def test_numbers_stay_numbers_and_text_stays_text() -> None:
    sheet = read([["name", "count", "share"], ["1200", 1200, Decimal("0.1234")], ["<a> & 'b'\n 界 ", -3, 2.5]])
    assert [list(row) for row in sheet.iter_rows(values_only=True)] == [
        ["name", "count", "share"],
        ["1200", 1200, 0.1234],
        ["<a> & 'b'\n 界 ", -3, 2.5],
    ]
    assert (sheet.title, sheet.freeze_panes) == ("sales", "A2")


def test_a_cell_of_nothing_keeps_its_place() -> None:
    assert [cell.value for cell in read([["a", None, "c"]])[1]] == ["a", None, "c"]


def test_an_amount_is_written_digit_by_digit() -> None:
    parts = b"".join(workbook.stream([[Decimal("1E+3"), Decimal("0.0000001")]], "sales"))
    assert [cell.value for cell in load_workbook(io.BytesIO(parts)).active[1]] == [1000, 1e-7]


def test_what_no_spreadsheet_may_hold_is_left_out() -> None:
    sheet = read([["a\x00b\x1fc"]], title="a title that is longer than a spreadsheet allows")
    assert sheet["A1"].value == "abc"
    assert len(sheet.title) == workbook.LONGEST_TITLE


def test_the_first_rows_leave_before_the_last_are_made() -> None:
    asked_for = 0

    def rows() -> Iterator[list[int]]:
        nonlocal asked_for
        for asked_for in range(20 * workbook.ROWS_AT_A_TIME):
            yield [asked_for, asked_for * 7919]

    parts = workbook.stream(rows(), "sales")
    first = next(parts)
    assert first and asked_for < 2 * workbook.ROWS_AT_A_TIME
    sheet = load_workbook(io.BytesIO(first + b"".join(parts)), read_only=True).active
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == list(range(20 * workbook.ROWS_AT_A_TIME))
