"""What providers charged us: rows that only grow, in the order of their wallet, and the sums that reports read.

A row gets the next number of its wallet (`Wallet.cost_seq`) under the wallet's lock. Work that ends well holds that
lock anyway: `ledger.capture` takes its row along, and writes it by the statement that moves the credits. What becomes
known at another moment comes in by `record`. Numbers have no gaps and commit in their order, so costs are rolled up
as transfers are (`billing.rolling`), and a figure is roll-up + tail:

    costs   1 2 3 4 5 | 6 7
    in the roll-ups   ^cursor   the tail

The wallet's chain of transfers knows nothing of it: costs are ours, no customer's credits.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Organization
from billing.locks import in_one_transaction, lock
from billing.models import CostCursor, CostRollUp, ProviderCost
from billing.one_statement import execute, insert, update
from billing.rolling import Rolling
from billing.rollups import Span
from billing.sums import columns, grouped, span_of

COLUMNS = {
    "organization": "wallet_id",
    "time": "starts_at",
    "kind": "kind",
    "provider": "provider",
    "account": "account_name",
    "account_id": "account_id",
    "model": "model",
    "user_group": "user_group",
    "is_estimate": "is_estimate",
}
"""What sums may be grouped by, and the column behind it."""
MEASURES = {"amount": "sum(amount)", "costs": "sum(costs)::bigint"}

ADD = """
    INSERT INTO billing_costrollup AS kept (wallet_id, span, starts_at, kind, provider, account_id, account_name, model,
        user_group, is_estimate, amount, costs)
    SELECT c.wallet_id, spans.span, date_trunc(spans.span, c.at, 'UTC'), c.kind, c.provider, c.account_id,
        c.account_name, c.model, c.user_group, c.is_estimate, sum(c.amount), count(*)
    FROM billing_providercost c CROSS JOIN (VALUES ('hour'), ('day')) AS spans(span)
    WHERE c.wallet_id = %(wallet)s AND c.seq > %(after)s AND c.seq <= %(last)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ON CONFLICT (wallet_id, span, starts_at, kind, provider, account_id, account_name, model, user_group, is_estimate)
    DO UPDATE SET amount = kept.amount + excluded.amount, costs = kept.costs + excluded.costs
"""
EXACT = """
    SELECT wallet_id, starts_at, kind, provider, account_id, account_name, model, user_group, is_estimate, amount, costs
    FROM billing_costrollup
    WHERE span = %(span)s AND starts_at >= %(since)s AND starts_at < %(until)s
        AND (%(wallet)s::uuid IS NULL OR wallet_id = %(wallet)s)
    UNION ALL
    SELECT w.organization_id, date_trunc(%(span)s, tail.at, 'UTC'), tail.kind, tail.provider, tail.account_id,
        tail.account_name, tail.model, tail.user_group, tail.is_estimate, tail.amount, 1
    FROM billing_wallet w LEFT JOIN billing_costcursor c ON c.wallet_id = w.organization_id
    CROSS JOIN LATERAL (
        SELECT * FROM billing_providercost t
        WHERE t.wallet_id = w.organization_id AND t.seq > coalesce(c.seq, 0) AND t.seq <= w.cost_seq
        ORDER BY t.seq OFFSET 0) AS tail
    WHERE w.cost_seq > coalesce(c.seq, 0) AND (%(wallet)s::uuid IS NULL OR w.organization_id = %(wallet)s)
        AND tail.at >= %(since)s AND tail.at < %(until)s
"""
"""Roll-up + tail, for a span, a time of whole spans and a wallet (null: all), in the form that `rollups.EXACT` has."""


@in_one_transaction
def record(organization: Organization, cost: ProviderCost, *, at: datetime | None = None) -> bool:
    """Write a cost down that is known outside of a capture; last step of a transaction, for it locks the wallet.

    False when its reference was recorded before, whatever the amount: the first word stands, and what is found out
    later is a correction.
    """
    wallet = lock(organization)
    if ProviderCost.objects.filter(reference=cost.reference).exists():
        return False
    wallet.cost_seq += 1
    cost.wallet, cost.seq, cost.at = wallet, wallet.cost_seq, at or timezone.now()
    execute([insert([cost]), update(wallet, "cost_seq")])
    return True


def sums(
    by: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    wallet_id: UUID | None = None,
    kinds: Sequence[str] = (),
    span: Span | None = None,
) -> list[dict[str, Any]]:
    """`{…by, "amount", "costs"}` for each group that has costs in `since <= at < until`, exactly; amounts in dollars.

    Both are whole hours. Whole days are read from the rows of days, and then `time` is a day, unless `span` says
    otherwise. Without `wallet_id`: of all wallets; without `kinds`: of every kind.
    """
    span = span_of(since, until, span)
    given = {"span": span.value, "since": since, "until": until, "wallet": wallet_id, "kinds": list(kinds)}
    chosen = "kind = ANY(%(kinds)s)" if kinds else "true"
    return grouped(EXACT, columns(by, COLUMNS), MEASURES, given, where=chosen)


ROLLING = Rolling(sums=CostRollUp, cursors=CostCursor, counter="cost_seq", add=ADD)
roll, roll_all, start_over = ROLLING.roll, ROLLING.roll_all, ROLLING.start_over
