"""What we owe: credits that customers paid for and have not used, at the end of a day. Promo and goodwill stand apart.

    opening balance + sold + granted - captured + refunded - expired +/- adjusted = closing balance

The balance of a day's end is the sum of everything that changed it since the first day, so it is exact for any day.
Reserved credits are owed as well: a task that fails gives them back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing import report_rollups
from billing.snapshots import one_snapshot
from evolink_saas.reports.asked import FIRST_DAY, Asked, midnight

SIGN = "((credit IN ('available', 'reserved'))::int - (debit IN ('available', 'reserved'))::int)"
LOT_KINDS = ("paid", "promo", "goodwill")
BALANCES = {kind: f"coalesce(sum(amount * {SIGN}) FILTER (WHERE lot_kind = '{kind}'), 0)" for kind in LOT_KINDS}
STEPS: Mapping[str, str] = {
    "top_up": "Sold: top-ups",
    "grant": "Granted",
    "capture": "Used: captured by tasks",
    "refund": "Refunded after a capture",
    "expire": "Expired (breakage)",
    "adjust": "Adjusted (disputes)",
}
"""What changes a balance, in the order in which it is told."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Of one organization, or of all, at the end of a day."""

    group: tuple[Any, ...] = ()
    paid: Decimal = Decimal(0)
    promo: Decimal = Decimal(0)
    goodwill: Decimal = Decimal(0)

    @property
    def unpaid(self) -> Decimal:
        """Promo and goodwill: no money was taken for it."""
        return self.promo + self.goodwill

    @property
    def all(self) -> Decimal:
        return self.paid + self.unpaid


@dataclass(frozen=True, kw_only=True)
class RollForward:
    """How the balance came from the end of the day before `since` to the end of the last day, by kind of lot."""

    opening: Balance
    steps: dict[str, Balance]
    closing: Balance


def roll_forward(asked: Asked) -> RollForward:
    with one_snapshot():
        opening = at(asked.since, asked.wallet_id)
        closing = at(asked.until, asked.wallet_id)
        rows = report_rollups.sums(
            {report_rollups.TRANSFERS: {f"{step}_{kind}": _step(step, kind) for step in STEPS for kind in LOT_KINDS}},
            (),
            since=asked.since,
            until=asked.until,
            wallet_id=asked.wallet_id,
        )
    sums = rows[0] if rows else {}
    steps = {step: Balance(**{kind: sums.get(f"{step}_{kind}", Decimal(0)) for kind in LOT_KINDS}) for step in STEPS}
    return RollForward(opening=opening, steps=steps, closing=closing)


def at(moment: datetime, wallet_id: UUID | None = None) -> Balance:
    """What is left at this midnight (UTC), of all live organizations or of one."""
    rows = _sums((), midnight(FIRST_DAY), moment, wallet_id)
    return Balance(**rows[0]) if rows else Balance()


def by_organization(moment: datetime) -> list[Balance]:
    """Those that have anything left, who has most paid credits first."""
    rows = _sums(("organization",), midnight(FIRST_DAY), moment, None)
    found = [Balance(group=(row.pop("organization"),), **row) for row in rows]
    left = [balance for balance in found if balance.paid or balance.promo or balance.goodwill]
    return sorted(left, key=lambda balance: (-balance.paid, -balance.unpaid, str(balance.group)))


def day_by_day(asked: Asked) -> list[Balance]:
    """The balance at the end of each day on which something changed it, with the day as its group."""
    with one_snapshot():
        balance = at(asked.since, asked.wallet_id)
        rows = _sums(("day",), asked.since, asked.until, asked.wallet_id)
    found = []
    for row in rows:
        moved = {kind: getattr(balance, kind) + row[kind] for kind in LOT_KINDS}
        balance = replace(balance, group=(row["day"],), **moved)
        found.append(balance)
    return found


def _sums(by: tuple[str, ...], since: datetime, until: datetime, wallet_id: UUID | None) -> list[dict[str, Any]]:
    return report_rollups.sums({report_rollups.TRANSFERS: BALANCES}, by, since=since, until=until, wallet_id=wallet_id)


def _step(step: str, kind: str) -> str:
    return f"coalesce(sum(amount * {SIGN}) FILTER (WHERE kind = '{step}' AND lot_kind = '{kind}'), 0)"
