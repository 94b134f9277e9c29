"""A key as its list shows it: how it stands, and what is left of its budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import ApiKey
from billing import budgets

SOON = timedelta(days=3)


@dataclass(frozen=True, kw_only=True)
class Row:
    """`spent` are the credits that its budget has captured and holds, in total."""

    key: ApiKey
    state: str
    spent: Decimal
    can_roll: bool


def rows(keys: Sequence[ApiKey], now: datetime) -> list[Row]:
    return [row(key, now) for key in keys]


def row(key: ApiKey, now: datetime) -> Row:
    total = budgets.windows(key.budget, budgets.day_of(now)).total
    state = state_of(key, now)
    return Row(
        key=key,
        state=state,
        spent=total.reserved + total.captured,
        can_roll=state in ("active", "paused") and not key.rolled_into.exists(),
    )


def state_of(key: ApiKey, now: datetime) -> str:
    """A word of `wording.BADGES["key"]`."""
    if key.has_expired(now):
        return "expired"
    if not key.enabled:
        return "disabled"
    if key.paused_at is not None:
        return "paused"
    return "expiring" if key.expires_at is not None and key.expires_at - now < SOON else "active"
