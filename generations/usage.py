"""Usage: what an organization's tasks reserved, cost and gave back, by day, model, API key or their metadata.

A movement counts on the UTC day on which it happened, so a task may be reserved on one day and charged on the next.
Without metadata the figures are roll-up + tail (`billing.rollups`); with it they are the transfers themselves, each
under the metadata of its task. Both add up to the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.errors import InvalidRequest
from accounts.models import Organization
from billing import movements, rollups
from billing.amounts import ZERO

MOST_DAYS = 366
MOST_ROWS = 10_000
MOST_MOVEMENTS = 100_000
"""Transfers that are read one by one for metadata."""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9998, 12, 31)
ONE_DAY = timedelta(days=1)
GROUP = re.compile(r"(?P<plain>day|model|key)(?:,|$)|metadata\[(?P<metadata>.{1,40}?)\](?:,|$)", re.DOTALL)
TASKS_OWN = "('reserve', 'capture', 'release', 'refund')"
COLUMNS = {"day": "starts_at", "model": "model", "key": "api_key_id"}
FIGURES = """
    coalesce(sum(amount) FILTER (WHERE kind = 'reserve'), 0),
    coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0),
    coalesce(sum(amount) FILTER (WHERE kind IN ('release', 'refund')), 0),
    coalesce(sum(CASE kind WHEN 'capture' THEN amount WHEN 'refund' THEN -amount END), 0),
    coalesce(sum(postings) FILTER (WHERE kind = 'reserve'), 0)::bigint,
    coalesce(sum(postings) FILTER (WHERE kind = 'capture'), 0)::bigint,
    coalesce(sum(postings) FILTER (WHERE kind = 'release'), 0)::bigint
"""
WITH_METADATA = """
    SELECT date_trunc('day', t.created_at, 'UTC') AS starts_at, t.api_key_id, r.model, t.kind, t.amount,
        (t.line = 1)::int AS postings, task.metadata
    FROM billing_transfer t JOIN billing_reservation r ON r.id = t.reservation_id
    LEFT JOIN generations_task task ON task.id = t.reservation_id
    WHERE t.wallet_id = %(wallet)s AND t.seq > %(after)s AND t.seq <= %(last)s
"""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One of the things to group by; `metadata` is a key of it, and then `name` is `metadata`."""

    name: str
    metadata: str = ""


@dataclass(frozen=True)
class Figures:
    """Credits and numbers of tasks. `refunded` is all that was given back: released, or refunded after the charge."""

    group: tuple[Any, ...] = ()
    reserved: Decimal = ZERO
    charged: Decimal = ZERO
    refunded: Decimal = ZERO
    used: Decimal = ZERO
    tasks: int = 0
    tasks_charged: int = 0
    tasks_refunded: int = 0


@dataclass(frozen=True, kw_only=True)
class Usage:
    since: date
    until: date
    by: tuple[Group, ...]
    rows: list[Figures]
    total: Figures
    keys: dict[UUID, str] = field(default_factory=dict)


def of(
    organization: Organization, since: date, until: date, by: Sequence[Group], *, most: int = MOST_MOVEMENTS
) -> Usage:
    """From the first day to the last one, both included. Raises InvalidRequest; `most` is for metadata."""
    _check_days(since, until)
    given = {"wallet": organization.pk, "span": "day", "since": _midnight(since), "until": _midnight(until + ONE_DAY)}
    rows = _summed_up(WITH_METADATA if any(group.metadata for group in by) else rollups.EXACT, given, by, most)
    if len(rows) > MOST_ROWS:
        message = f"That makes more than {MOST_ROWS} rows; ask for fewer days or group by less."
        raise InvalidRequest("invalid_parameter", message, param="group_by")
    names = dict(organization.api_keys.values_list("pk", "name")) if Group(name="key") in by else {}
    return Usage(since=since, until=until, by=tuple(by), rows=rows, total=_total(rows), keys=names)


def groups(text: str) -> tuple[Group, ...]:
    """`model,key,day` or `day,metadata[project]` in any order; empty: none. Raises InvalidRequest."""
    found, place = [], 0
    while place < len(text):
        match = GROUP.match(text, place)
        if match is None or "\0" in match[0]:
            raise _wrong_group("Group by day, model, key or metadata[name], separated by commas.")
        metadata = match["metadata"] or ""
        found.append(Group(name=match["plain"] or "metadata", metadata=metadata))
        place = match.end()
    if text.endswith(","):
        raise _wrong_group("Group by day, model, key or metadata[name], separated by commas.")
    if len(set(found)) < len(found):
        raise _wrong_group("Group by each of them once.")
    return tuple(found)


def _wrong_group(message: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter", message, param="group_by")


def _check_days(since: date, until: date) -> None:
    for name, day in (("from", since), ("to", until)):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise InvalidRequest("invalid_parameter", f"`{name}` is too far from today.", param=name)
    if until < since:
        raise InvalidRequest("invalid_parameter", "`to` must not be before `from`.", param="to")
    if (until - since).days >= MOST_DAYS:
        raise InvalidRequest("invalid_parameter", f"Ask for {MOST_DAYS} days at most.", param="from")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _summed_up(source: str, given: dict[str, Any], by: Sequence[Group], most: int) -> list[Figures]:
    """The movements of `source` in groups; those with metadata are read one by one, so there may not be too many."""
    if source is WITH_METADATA:
        after, last = (movements.last_before(given["wallet"], given[name]) for name in ("since", "until"))
        if last - after > most:
            message = f"There are more than {most} movements in this time; with metadata, ask for fewer days."
            raise InvalidRequest("invalid_parameter", message, param="from")
        given |= {"after": after, "last": last}
    given |= {f"metadata_{number}": group.metadata for number, group in enumerate(by)}
    columns = "".join(f"{_column(group, number)}, " for number, group in enumerate(by))
    groups = ", ".join(str(number) for number in range(1, len(by) + 1))
    grouped = f"GROUP BY {groups} HAVING count(*) > 0 ORDER BY {groups}" if by else "HAVING count(*) > 0"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {FIGURES} FROM ({source}) AS m WHERE kind IN {TASKS_OWN} {grouped}", given)
        return [Figures(row[: len(by)], *row[len(by) :]) for row in cursor.fetchall()]


def _column(group: Group, number: int) -> str:
    return f"metadata ->> %(metadata_{number})s" if group.metadata else COLUMNS[group.name]


def _total(rows: Sequence[Figures]) -> Figures:
    names = [column.name for column in fields(Figures) if column.name != "group"]
    return Figures((), *(sum((getattr(row, name) for row in rows), getattr(Figures(), name)) for name in names))
