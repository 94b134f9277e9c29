"""Statements: an organization's books of one month (UTC), as opening balance + lines = closing balance.

A line is a transfer that changes the balance; what only moves between available and reserved is none. A month's lines
are the transfers between two numbers, and both balances are what stands on a transfer, so nothing is ever added up, and
the closing balance of a month is the opening balance of the next by construction.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from accounts.errors import InvalidRequest, NotFound
from accounts.models import Organization
from billing import movements, rollups
from billing.amounts import ZERO
from billing.effects import on_wallet
from billing.models import IN_THE_BALANCE, Kind, Transfer
from billing.snapshots import one_snapshot

MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
SETTLED_AFTER = timedelta(minutes=10)
"""A posting is dated before it is committed, and no transaction takes longer than this."""
AT_A_TIME = 1_000
LABELS = {
    Kind.TOP_UP.value: "Top-up",
    Kind.GRANT.value: "Grant",
    Kind.CAPTURE.value: "Charge",
    Kind.REFUND.value: "Refund",
    Kind.EXPIRE.value: "Expired",
    Kind.ADJUST.value: "Adjustment",
}
"""What a kind of line is called towards a customer, in the order of a summary."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The lines of one day and kind together; `credits` are signed. Of a day, what came in stands first."""

    day: date
    kind: str
    credits: Decimal
    postings: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The month's lines are those with `after < seq <= last`; `sums` are what they make by day and kind."""

    organization: Organization
    month: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    after: int
    last: int
    opening_balance: Decimal
    closing_balance: Decimal
    sums: tuple[Sum, ...]

    @property
    def provisional(self) -> bool:
        """Whether lines may still be added."""
        return self.made_at < self.ends_at + SETTLED_AFTER

    @property
    def totals(self) -> dict[str, Decimal]:
        """The signed sum of each kind of line."""
        found = dict.fromkeys(LABELS, ZERO)
        for one in self.sums:
            found[one.kind] += one.credits
        return found


def of(organization: Organization, month: str, now: datetime) -> Statement:
    """The statement of a month such as `2026-11`. Raises InvalidRequest, or NotFound `statement_not_found`."""
    starts_at, ends_at = _span(organization, month, now)
    with one_snapshot():
        after = movements.last_before(organization.pk, starts_at)
        last = movements.last_before(organization.pk, ends_at)
        ends = Transfer.objects.filter(wallet_id=organization.pk, seq__in={after, last})
        balances = dict(ends.values_list("seq", "balance_after"))
        sums = _sums(organization, starts_at, ends_at)
    return Statement(
        organization=organization,
        month=month,
        starts_at=starts_at,
        ends_at=ends_at,
        made_at=now,
        after=after,
        last=last,
        opening_balance=balances.get(after, ZERO),
        closing_balance=balances.get(last, ZERO),
        sums=sums,
    )


def page(statement: Statement, after: int, size: int) -> tuple[list[Transfer], int | None]:
    """Up to `size` lines with a `seq` above `after`, oldest first; and what is `after` for the next page."""
    found = list(_lines(statement).filter(seq__gt=after)[: size + 1])
    return found[:size], found[size - 1].seq if len(found) > size else None


def lines(statement: Statement) -> Iterator[Transfer]:
    """All of its lines, oldest first, read a page at a time."""
    after: int | None = statement.after
    while after is not None:
        found, after = page(statement, after, AT_A_TIME)
        yield from found


def signed(transfer: Transfer) -> Decimal:
    """What the transfer changes the balance by."""
    return on_wallet(transfer.debit, transfer.credit)[0] * transfer.amount


def _lines(statement: Statement) -> QuerySet[Transfer]:
    rows = Transfer.objects.filter(
        wallet_id=statement.organization.pk, kind__in=[kind.value for kind in IN_THE_BALANCE]
    )
    chosen = rows.filter(seq__gt=statement.after, seq__lte=statement.last)
    return chosen.select_related("lot", "reservation", "api_key").order_by("seq")


def _span(organization: Organization, month: str, now: datetime) -> tuple[datetime, datetime]:
    written = MONTH.fullmatch(month)
    if not written:
        raise InvalidRequest("invalid_parameter", "The month is written like 2026-11.", param="month")
    starts_at = datetime(int(written[1]), int(written[2]), 1, tzinfo=UTC)
    if starts_at > now:
        raise _missing(f"There is no statement of {month}: that month has not begun.")
    ends_at = (starts_at + timedelta(days=31)).replace(day=1)
    if ends_at <= organization.created_at:
        opened = organization.created_at.astimezone(UTC)
        raise _missing(f"There is no statement of {month}: your organization was opened on {opened:%Y-%m-%d}.")
    return starts_at, ends_at


def _missing(message: str) -> NotFound:
    return NotFound("statement_not_found", message, param="month")


def _sums(organization: Organization, starts_at: datetime, ends_at: datetime) -> tuple[Sum, ...]:
    found = rollups.sums(
        ["time", "kind", "debit", "credit"],
        since=starts_at,
        until=ends_at,
        wallet_id=organization.pk,
        kinds=[kind.value for kind in IN_THE_BALANCE],
    )
    made = [
        Sum(
            day=row["time"].astimezone(UTC).date(),
            kind=row["kind"],
            credits=on_wallet(row["debit"], row["credit"])[0] * row["amount"],
            postings=row["postings"],
        )
        for row in found
    ]
    order = list(LABELS)
    return tuple(sorted(made, key=lambda one: (one.day, one.credits < 0, order.index(one.kind))))
