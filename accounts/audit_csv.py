"""Entries of the audit log as CSV, oldest first; streamed, so that any number of them can be taken away."""

import json
from collections.abc import Iterator
from datetime import UTC

from django.db.models import QuerySet

from accounts.models import AuditEntry
from accounts.spreadsheets import BYTE_ORDER_MARK, harmless, written

HEAD = (
    "entry",
    "time_utc",
    "actor_kind",
    "actor_id",
    "actor",
    "action",
    "organization_id",
    "organization",
    "target_type",
    "target_id",
    "target",
    "changes",
    "reason",
    "request_id",
    "address",
)
ROWS_AT_A_TIME = 500


def stream(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """The file, some hundred rows at a time, each read by a look-up of its own."""
    yield BYTE_ORDER_MARK + written([HEAD])
    after = 0
    while some := list(entries.filter(pk__gt=after).order_by("pk")[:ROWS_AT_A_TIME]):
        yield written(map(_row, some))
        after = some[-1].pk


def _row(entry: AuditEntry) -> tuple[str, ...]:
    texts = (
        entry.actor_kind,
        entry.actor_id,
        entry.actor,
        entry.action,
        entry.organization_public_id,
        entry.organization_name,
        entry.target_type,
        entry.target_id,
        entry.target,
        json.dumps(entry.changes, ensure_ascii=False) if entry.changes else "",
        entry.reason,
        entry.request_id,
        entry.address or "",
    )
    return (str(entry.pk), f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", *map(harmless, texts))
