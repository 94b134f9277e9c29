"""Usage: what an organization's tasks reserved, cost and gave back, by day, model, API key or their metadata.

A movement counts on the UTC day on which it happened, so a task may be reserved on one day and charged on the next.
Without metadata the figures are roll-up + tail (`billing.rollups`); with it they are the transfers themselves, each
under the metadata of its task. Both add up to the same.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.errors import InvalidRequest
from accounts.models import Organization
from billing import movements, rollups
from billing.amounts import ZERO
from billing.models import Kind

MOST_DAYS = 366
MOST_ROWS = 10_000
MOST_MOVEMENTS = 100_000
"""Transfers that are read one by one for metadata."""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9998, 12, 31)
ONE_DAY = timedelta(days=1)
GROUP = re.compile(r"(?P<plain>day|model|key)(?:,|$)|metadata\[(?P<metadata>.{1,40}?)\](?:,|$)", re.DOTALL)
KINDS = (Kind.RESERVE, Kind.CAPTURE, Kind.RELEASE, Kind.REFUND)
ROLLED_UP = {"day": "time", "model": "model", "key": "key"}
RAW = {"day": "date_trunc('day', t.created_at, 'UTC')", "model": "coalesce(r.model, '')", "key": "t.api_key_id"}
BY_METADATA = """
    SELECT {columns}, t.kind, sum(t.amount), count(*) FILTER (WHERE t.line = 1)
    FROM billing_transfer t JOIN billing_reservation r ON r.id = t.reservation_id
    LEFT JOIN generations_task task ON task.id = t.reservation_id
    WHERE t.wallet_id = %s AND t.seq > %s AND t.seq <= %s GROUP BY {groups} ORDER BY {groups}
"""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One of the things to group by; `metadata` is a key of it, and then `name` is `metadata`."""

    name: str
    metadata: str = ""


@dataclass(kw_only=True)
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

    def add(self, kind: str, amount: Decimal, postings: int) -> None:
        if kind == Kind.RESERVE:
            self.reserved += amount
            self.tasks += postings
        elif kind == Kind.CAPTURE:
            self.charged += amount
            self.used += amount
            self.tasks_charged += postings
        else:
            self.refunded += amount
            self.used -= amount if kind == Kind.REFUND else ZERO
            self.tasks_refunded += postings if kind == Kind.RELEASE else 0


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
    start, end = _midnight(since), _midnight(until + ONE_DAY)
    if any(group.metadata for group in by):
        found = _from_transfers(organization, start, end, by, most)
    else:
        found = _from_rollups(organization, start, end, by)
    rows: dict[tuple[Any, ...], Figures] = {}
    total = Figures()
    for group, kind, amount, postings in found:
        rows.setdefault(group, Figures(group=group)).add(kind, amount, postings)
        total.add(kind, amount, postings)
    if len(rows) > MOST_ROWS:
        message = f"That makes more than {MOST_ROWS} rows; ask for fewer days or group by less."
        raise InvalidRequest("invalid_parameter", message, param="group_by")
    names = dict(organization.api_keys.values_list("pk", "name")) if Group(name="key") in by else {}
    return Usage(since=since, until=until, by=tuple(by), rows=list(rows.values()), total=total, keys=names)


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


Movement = tuple[tuple[Any, ...], str, Decimal, int]


def _from_rollups(
    organization: Organization, start: datetime, end: datetime, by: Sequence[Group]
) -> Iterable[Movement]:
    names = [ROLLED_UP[group.name] for group in by]
    sums = rollups.sums(
        [*names, "kind"], since=start, until=end, wallet_id=organization.pk, kinds=[kind.value for kind in KINDS]
    )
    for row in sums:
        yield tuple(row[name] for name in names), row["kind"], row["amount"], row["postings"]


def _from_transfers(
    organization: Organization, start: datetime, end: datetime, by: Sequence[Group], most: int
) -> Iterable[Movement]:
    after, last = (movements.last_before(organization.pk, moment) for moment in (start, end))
    if last - after > most:
        message = f"There are more than {most} movements in this time; with metadata, ask for fewer days."
        raise InvalidRequest("invalid_parameter", message, param="from")
    columns = [RAW.get(group.name, "task.metadata ->> %s") for group in by]
    numbers = [str(number) for number in range(1, len(by) + 2)]
    sql = BY_METADATA.format(columns=", ".join(columns), groups=", ".join(numbers))
    keys = [group.metadata for group in by if group.metadata]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*keys, organization.pk, after, last])
        for row in cursor.fetchall():
            yield tuple(row[: len(by)]), *row[len(by) :]
