"""Report roll-ups: sums over all live organizations that a page of a whole year reads in a blink.

The roll-ups of a wallet (`billing.rollups`, `billing.provider_costs`) are as fine as its customer's questions: by hour
and API key. A year of all wallets is millions of them. These here are coarser, by model, user group and provider
account, and written with cursors of their own in the same way (`billing.rolling`), so they are exact:

    all live organizations in a month, and on a day
    each of them in a month, and on a day

A range reads its whole months as months and the days at both ends as days; by day it reads days.

A capture and what is refunded of it belong to the user group and the provider account of the cost that was written
with it, in the same statement: that of the same task and moment. What no such cost is behind has empty ones.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from billing.models import CostReportCursor, CostReportRollUp, ReportCursor, ReportRollUp
from billing.rolling import Rolling
from billing.sums import grouped

GRAINS = "(VALUES ('day', false), ('month', false), ('day', true), ('month', true)) AS grain(span, own)"
MOVED = """
    SELECT t.seq, t.created_at AS at,
        coalesce((SELECT r.model FROM billing_reservation r WHERE r.id = t.reservation_id), '') AS model,
        coalesce(cost.user_group, '') AS user_group, coalesce(cost.account_name, '') AS account, t.kind, t.debit,
        t.credit, (SELECT l.kind FROM billing_creditlot l WHERE l.id = t.lot_id) AS lot_kind, t.amount,
        (t.line = 1)::int AS counted
    FROM billing_transfer t LEFT JOIN LATERAL (
        SELECT c.user_group, c.account_name FROM billing_providercost c
        JOIN billing_reservation r ON r.id = c.task_id AND r.resolved_at = c.at
        WHERE c.task_id = t.reservation_id AND t.kind IN ('capture', 'refund') LIMIT 1) AS cost ON true
    WHERE t.wallet_id = {wallet} AND t.seq > {after} {up_to} AND t.kind NOT IN ('reserve', 'release')
    ORDER BY t.seq OFFSET 0"""
"""A wallet's transfers behind a number as reports see them, in a form that is read by the index of `seq`.

What only moves between available and reserved changes no figure of theirs.
"""
CHARGED = """
    SELECT c.seq, c.at, c.model, c.user_group, c.account_name AS account, c.kind, c.is_estimate, c.amount, 1 AS counted
    FROM billing_providercost c WHERE c.wallet_id = {wallet} AND c.seq > {after} {up_to}
    ORDER BY c.seq OFFSET 0"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of report roll-ups: `own` are its columns beside the grain, `counted` the one that counts."""

    rows: type[models.Model]
    cursors: type[models.Model]
    counter: str
    tail: str
    own: tuple[str, ...]
    counted: str

    @property
    def name(self) -> str:
        return self.rows._meta.db_table

    @property
    def group(self) -> str:
        return ", ".join(("model", "user_group", "account", *self.own))

    def add(self) -> str:
        """Rows are written in one order by all, so that two at once never wait for each other crosswise."""
        moved = self.tail.format(wallet="%(wallet)s", after="%(after)s", up_to="AND seq <= %(last)s")
        unique = f"wallet_id, span, starts_at, {self.group}"
        return f"""
            INSERT INTO {self.name} AS kept ({unique}, amount, {self.counted})
            SELECT CASE WHEN grain.own THEN %(wallet)s::uuid END AS wallet_id, grain.span,
                date_trunc(grain.span, at, 'UTC') AS starts_at, {self.group}, sum(amount), sum(counted)
            FROM ({moved}) AS moved CROSS JOIN {GRAINS}
            WHERE seq <= %(last)s AND EXISTS (
                SELECT FROM accounts_organization o WHERE o.id = %(wallet)s AND o.sandbox_of_id IS NULL)
            GROUP BY {unique} ORDER BY {unique}
            ON CONFLICT ({unique}) DO UPDATE SET amount = kept.amount + excluded.amount,
                {self.counted} = kept.{self.counted} + excluded.{self.counted}
        """

    def exact(self, *, by_wallet: bool) -> str:
        """Roll-up + tail of `since <= at < until` and perhaps one wallet; of whole days, as rows of days and months."""
        columns = f"wallet_id, starts_at, {self.group}, amount, {self.counted} AS counted"
        whose = f"wallet_id IS NOT NULL AND {ONE_WALLET.format('wallet_id')}" if by_wallet else "wallet_id IS NULL"
        own = f"SELECT {columns} FROM {self.name} WHERE {whose}"
        kept = f"""
            {own} AND span = 'month' AND starts_at >= %(first_month)s AND starts_at < %(end_of_months)s
            UNION ALL {own} AND span = 'day' AND starts_at >= %(since)s AND starts_at < %(first_month)s
            UNION ALL {own} AND span = 'day' AND starts_at >= %(end_of_months)s AND starts_at < %(until)s"""
        moved = self.tail.format(wallet="w.organization_id", after="coalesce(passed.seq, 0)", up_to="")
        return f"""
            {kept}
            UNION ALL
            SELECT w.organization_id, date_trunc('day', tail.at, 'UTC'), {self.group}, amount, counted
            FROM billing_wallet w JOIN accounts_organization o ON o.id = w.organization_id AND o.sandbox_of_id IS NULL
            LEFT JOIN {self.cursors._meta.db_table} passed ON passed.wallet_id = w.organization_id
            CROSS JOIN LATERAL ({moved}) AS tail
            WHERE w.{self.counter} > coalesce(passed.seq, 0) AND {ONE_WALLET.format("w.organization_id")}
                AND tail.at >= %(since)s AND tail.at < %(until)s
        """


ONE_WALLET = "(%(wallet)s::uuid IS NULL OR {} = %(wallet)s)"
TRANSFERS = Table(
    rows=ReportRollUp,
    cursors=ReportCursor,
    counter="seq",
    tail=MOVED,
    own=("kind", "debit", "credit", "lot_kind"),
    counted="postings",
)
COSTS = Table(
    rows=CostReportRollUp,
    cursors=CostReportCursor,
    counter="cost_seq",
    tail=CHARGED,
    own=("kind", "is_estimate"),
    counted="costs",
)
TABLES = (TRANSFERS, COSTS)
ROLLINGS = tuple(
    Rolling(sums=table.rows, cursors=table.cursors, counter=table.counter, add=table.add()) for table in TABLES
)
COLUMNS = {
    "day": "starts_at",
    "month": "date_trunc('month', starts_at, 'UTC')",
    "organization": "wallet_id",
    "model": "model",
    "user_group": "user_group",
    "account": "account",
}
"""What a report may be grouped by, and the SQL behind it."""
EQUAL = {"model": "model", "user_group": "user_group", "account": "account"}
"""What a report may be narrowed to, besides one organization."""


def roll_all(*, seconds: float = math.inf) -> int:
    """Add every tail, for so long, and say how many rows that was."""
    until = time.monotonic() + seconds
    return sum(rolling.roll_all(seconds=max(0.0, until - time.monotonic())) for rolling in ROLLINGS)


@transaction.atomic
def start_over() -> None:
    """Forget all of them, should the auditor find them wrong: a report is slow until they are rolled up again."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"LOCK TABLE {table.cursors._meta.db_table} IN EXCLUSIVE MODE")
            cursor.execute(f"DELETE FROM {table.name}")
            cursor.execute(f"DELETE FROM {table.cursors._meta.db_table}")


def sums(
    measured: Mapping[Table, Mapping[str, str]],
    by: tuple[str, ...],
    *,
    since: datetime,
    until: datetime,
    wallet_id: UUID | None = None,
    narrowed: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """`{…by, …measures}` of each group in `since <= at < until`, both midnights of UTC, by one statement.

    `measured` says what to add up of which table, in SQL of ours; a group that a table does not know has 0 of its
    measures. By day, an organization's own rows of days are read: keep such a range short, or name one wallet.
    """
    by_wallet = "organization" in by or wallet_id is not None
    first_month, end_of_months = (until, until) if "day" in by else whole_months(since, until)
    given: dict[str, Any] = {"since": since, "until": until, "wallet": wallet_id}
    given |= {"first_month": first_month, "end_of_months": end_of_months}
    narrow = narrowed or {}
    where = " AND ".join(f"{EQUAL[name]} = %(is_{name})s" for name in narrow) or "true"
    given |= {f"is_{name}": value for name, value in narrow.items()}
    groups = {name: COLUMNS[name] for name in by}
    names = [name for measures in measured.values() for name in measures]
    selects = []
    for table, measures in measured.items():
        columns = {**groups, **dict.fromkeys(names, "0"), **measures}
        shown = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        ending = f"GROUP BY {', '.join(groups.values())}" if by else "HAVING count(*) > 0"
        selects.append(f"SELECT {shown} FROM ({table.exact(by_wallet=by_wallet)}) AS exact WHERE {where} {ending}")
    summed = {name: f"sum({name})" for name in names}
    return grouped(" UNION ALL ".join(selects), {name: name for name in by}, summed, given)


def whole_months(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The first and the last beginning of a month between which whole months lie; both `until` where none does."""
    first = next_month(since) if since.day != 1 else since
    last = until.replace(day=1)
    return (first, last) if first < last else (until, until)


def next_month(moment: datetime) -> datetime:
    """Midnight of the first of the next month."""
    year, month = divmod(moment.year * 12 + moment.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)
