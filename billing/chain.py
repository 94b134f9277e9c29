"""The hash chain: each transfer's hash covers its own content and the hash of the wallet's transfer before it.

    hash(0) = 32 zero bytes
    hash(n) = SHA-256(hash(n-1) + content(n))

`content` is a JSON array without white space, non-ASCII characters escaped as \\uXXXX, of the COVERED columns, in that
order. Ids are lower-case UUIDs with hyphens; amounts strings with exactly 4 decimals; times ISO 8601 in UTC with
microseconds and `+00:00`; seq and line numbers; what is missing is null.
"""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from billing.models import Transfer

START = bytes(32)
COVERED = (
    "wallet_id",
    "seq",
    "kind",
    "debit",
    "credit",
    "amount",
    "lot_id",
    "reservation_id",
    "api_key_id",
    "balance_after",
    "reserved_after",
    "lot_expires_at",
    "reference",
    "line",
    "reason",
    "created_at",
)


def spelled(value: object) -> str | int | None:
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID | str):
        return str(value)
    if value is None or isinstance(value, int):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical spelling.")


def content(transfer: Transfer) -> bytes:
    values = [spelled(getattr(transfer, name)) for name in COVERED]
    return json.dumps(values, separators=(",", ":"), ensure_ascii=True).encode()


def link(before: bytes, transfer: Transfer) -> bytes:
    """The hash of a transfer that follows the one whose hash is `before`."""
    return hashlib.sha256(before + content(transfer)).digest()
