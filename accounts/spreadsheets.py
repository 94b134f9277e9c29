"""Rows as CSV that spreadsheets read as it is meant.

A text that a spreadsheet would take for a formula gets an apostrophe before it
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
from collections.abc import Iterable
from io import StringIO

BYTE_ORDER_MARK = "\ufeff"  # spreadsheets take the text for UTF-8 by it
FORMULA_BEGINS = tuple("=+-@\t\r\n＝＋－＠")


def harmless(text: str) -> str:
    """The text as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def written(rows: Iterable[tuple[str, ...]]) -> str:
    file = StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()
