"""Sums by any columns over rows that are roll-up + tail: what the readers of roll-ups share.

The rows come from one SELECT, so a figure is of one moment. A range is of whole hours or whole UTC days, because a
roll-up is the sum of one of these.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from billing.models import RollUp

Span = RollUp.Span


def span_of(since: datetime, until: datetime, wanted: Span | None = None) -> Span:
    """Days where the range is of whole ones, else hours, unless one is wanted. Raises ValueError for other ranges."""
    span = wanted or (Span.DAY if _is_whole(Span.DAY, since) and _is_whole(Span.DAY, until) else Span.HOUR)
    if not (_is_whole(span, since) and _is_whole(span, until)):
        raise ValueError(f"{since} to {until} is not a range of whole {span}s.")
    return span


def grouped(
    rows: str,
    by: Mapping[str, str],
    measures: Mapping[str, str],
    given: Mapping[str, Any],
    *,
    where: str = "true",
) -> list[dict[str, Any]]:
    """`{…by, …measures}` for each group of the SELECT `rows` that has any; all are SQL of ours, by the name to return.

    `given` holds the parameters. Sorted by the groups; without a group, one sum or none.
    """
    names = ", ".join(by.values())
    columns, group, order = (f"{names},", f"GROUP BY {names}", f"ORDER BY {names}") if by else ("", "", "")
    summed = ", ".join(measures.values())
    sql = f"SELECT {columns} {summed} FROM ({rows}) AS exact WHERE {where} {group} HAVING count(*) > 0 {order}"
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(given))
        return [dict(zip((*by, *measures), row, strict=True)) for row in cursor.fetchall()]


def columns(by: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The column behind each name. Raises KeyError for one that is not known."""
    return {name: known[name] for name in by}


def _is_whole(span: Span, moment: datetime) -> bool:
    """Whether a span of that kind begins at the moment, in UTC."""
    passed = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return not passed % timedelta(**{f"{span}s": 1})
