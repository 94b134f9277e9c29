"""A statement as CSV: a row for the opening balance, one a line, one for the closing balance; streamed.

What comes in and what goes out stand in columns of their own, both positive, so no number begins with a sign.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice

from accounts.spreadsheets import BYTE_ORDER_MARK, harmless, written
from billing import statements
from billing.models import Transfer
from billing.statements import Statement

HEAD = (
    "seq",
    "time_utc",
    "type",
    "lot",
    "task_id",
    "model",
    "api_key",
    "reference",
    "credits_in",
    "credits_out",
    "balance",
)
ROWS_AT_A_TIME = 500
Row = tuple[str, ...]


def stream(statement: Statement) -> Iterator[str]:
    """The file, some hundred rows at a time."""
    yield BYTE_ORDER_MARK
    rows = chain([HEAD, _opening(statement)], map(_line, statements.lines(statement)), [_closing(statement)])
    while some := list(islice(rows, ROWS_AT_A_TIME)):
        yield written(some)


def _opening(statement: Statement) -> Row:
    return _balance("opening_balance", statement.starts_at, statement.opening_balance)


def _closing(statement: Statement) -> Row:
    if statement.provisional:
        return _balance("balance_so_far", statement.made_at, statement.closing_balance)
    return _balance("closing_balance", statement.ends_at, statement.closing_balance)


def _balance(kind: str, at: datetime, balance: Decimal) -> Row:
    return ("", _time(at), kind, "", "", "", "", "", "", "", f"{balance:.4f}")


def _line(transfer: Transfer) -> Row:
    change = statements.signed(transfer)
    texts = (
        transfer.reservation.task_id if transfer.reservation else "",
        transfer.reservation.model if transfer.reservation else "",
        transfer.api_key.name if transfer.api_key else "",
        transfer.reference,
    )
    came_in, went_out = (f"{change:.4f}", "") if change > 0 else ("", f"{-change:.4f}")
    numbers = (came_in, went_out, f"{transfer.balance_after:.4f}")
    return (
        str(transfer.seq),
        _time(transfer.created_at),
        transfer.kind,
        transfer.lot.kind,
        *map(harmless, texts),
        *numbers,
    )


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
