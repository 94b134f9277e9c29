"""Roll-ups: what reports read instead of the transfers themselves, and exact at any moment all the same.

Each wallet has a cursor. Rolling up adds the transfers with `seq > cursor` to the rows of their hour and of their UTC
day, and moves the cursor, in one transaction that holds the cursor's lock. `seq` has no gaps and is committed in its
order, so nothing is skipped and nothing counts twice, whoever rolls up and however many at once. What lies behind the
cursor is the tail. A figure is roll-up + tail, read by one statement, so from one moment:

    transfers   1 2 3 4 5 6 7 8 | 9 10 11
                 in the roll-ups^cursor   the tail
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.models import RollUp, RollUpCursor
from billing.rolling import Rolling
from billing.sums import columns, grouped, span_of

Span = RollUp.Span
COLUMNS = {
    "organization": "wallet_id",
    "time": "starts_at",
    "key": "api_key_id",
    "model": "model",
    "kind": "kind",
    "debit": "debit",
    "credit": "credit",
    "lot_kind": "lot_kind",
}
"""What sums may be grouped by, and the column behind it."""
MEASURES = {"amount": "sum(amount)", "postings": "sum(postings)::bigint"}

ADD = """
    INSERT INTO billing_rollup AS kept (wallet_id, span, starts_at, api_key_id, model, kind, debit, credit, lot_kind,
        amount, transfers, postings)
    SELECT t.wallet_id, spans.span, date_trunc(spans.span, t.created_at, 'UTC'), t.api_key_id, coalesce(r.model, ''),
        t.kind, t.debit, t.credit, l.kind, sum(t.amount), count(*), count(*) FILTER (WHERE t.line = 1)
    FROM billing_transfer t JOIN billing_creditlot l ON l.id = t.lot_id
    LEFT JOIN billing_reservation r ON r.id = t.reservation_id
    CROSS JOIN (VALUES ('hour'), ('day')) AS spans(span)
    WHERE t.wallet_id = %(wallet)s AND t.seq > %(after)s AND t.seq <= %(last)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    ON CONFLICT (wallet_id, span, starts_at, api_key_id, model, kind, debit, credit, lot_kind) DO UPDATE SET
        amount = kept.amount + excluded.amount,
        transfers = kept.transfers + excluded.transfers,
        postings = kept.postings + excluded.postings
"""
EXACT = """
    SELECT wallet_id, starts_at, api_key_id, model, kind, debit, credit, lot_kind, amount, postings
    FROM billing_rollup
    WHERE span = %(span)s AND starts_at >= %(since)s AND starts_at < %(until)s
        AND (%(wallet)s::uuid IS NULL OR wallet_id = %(wallet)s)
    UNION ALL
    SELECT w.organization_id, date_trunc(%(span)s, tail.created_at, 'UTC'), tail.api_key_id,
        coalesce((SELECT r.model FROM billing_reservation r WHERE r.id = tail.reservation_id), ''), tail.kind,
        tail.debit, tail.credit, (SELECT l.kind FROM billing_creditlot l WHERE l.id = tail.lot_id), tail.amount,
        (tail.line = 1)::int
    FROM billing_wallet w LEFT JOIN billing_rollupcursor c ON c.wallet_id = w.organization_id
    CROSS JOIN LATERAL (
        SELECT * FROM billing_transfer t
        WHERE t.wallet_id = w.organization_id AND t.seq > coalesce(c.seq, 0) AND t.seq <= w.seq
        ORDER BY t.seq OFFSET 0) AS tail
    WHERE w.seq > coalesce(c.seq, 0) AND (%(wallet)s::uuid IS NULL OR w.organization_id = %(wallet)s)
        AND tail.created_at >= %(since)s AND tail.created_at < %(until)s
"""
"""Roll-up + tail, for a span, a time of whole spans and a wallet (null: all). Whoever sums it up reads one moment.

Nobody can tell the planner that tails are short. In this form it must read each one by the index of `seq`, choose by
time from what it has read, and look up what belongs to each row, whatever it expects.
"""


def sums(
    by: Sequence[str],
    *,
    since: datetime,
    until: datetime,
    wallet_id: UUID | None = None,
    kinds: Sequence[str] = (),
    span: Span | None = None,
) -> list[dict[str, Any]]:
    """`{…by, "amount", "postings"}` for each group that has transfers in `since <= created_at < until`, exactly.

    Both are whole hours. Whole days are read from the rows of days, and then `time` is a day, unless `span` says
    otherwise. Without `wallet_id`: of all wallets; without `kinds`: of every kind.
    """
    span = span_of(since, until, span)
    given: dict[str, Any] = {
        "span": span.value,
        "since": since,
        "until": until,
        "wallet": wallet_id,
        "kinds": list(kinds),
    }
    chosen = "kind = ANY(%(kinds)s)" if kinds else "true"
    return grouped(EXACT, columns(by, COLUMNS), MEASURES, given, where=chosen)


ROLLING = Rolling(sums=RollUp, cursors=RollUpCursor, counter="seq", add=ADD)
roll, roll_all, start_over = ROLLING.roll, ROLLING.roll_all, ROLLING.start_over
