"""The invariants that one SQL statement can check: each selects what breaks it, as (subject, problem), for one wallet.

The numbers are those of `docs/billing.md`. What needs the order of the transfers is checked by `replay`.
"""

from collections.abc import Iterator

from django.db import connection

from billing.models import Wallet
from billing.replay import Finding

BROKEN: tuple[tuple[str, str], ...] = (
    (
        "I1",
        """
        SELECT 'wallet', 'its debt is ' || debt || ', its adjustments say ' || said
        FROM (SELECT debt, (SELECT coalesce(sum(debt_change), 0) FROM billing_adjustment WHERE wallet_id = %(wallet)s)
                AS said FROM billing_wallet WHERE organization_id = %(wallet)s) AS debts
        WHERE debt <> said
        """,
    ),
    (
        "I1",
        """
        SELECT 'adjustment ' || a.reference, 'moved ' || a.moved || ', its transfers say ' || coalesce(sum(
            CASE t.credit WHEN 'available' THEN t.amount ELSE -t.amount END), 0)
        FROM billing_adjustment a
        LEFT JOIN billing_transfer t ON t.wallet_id = a.wallet_id AND t.reference = a.reference AND t.kind = 'adjust'
        WHERE a.wallet_id = %(wallet)s GROUP BY a.id
        HAVING a.moved <> coalesce(sum(CASE t.credit WHEN 'available' THEN t.amount ELSE -t.amount END), 0)
        """,
    ),
    (
        "I3",
        """
        SELECT 'wallet', 'reserved ' || reserved || ', open reservations ' || promised || ', lots ' || held
        FROM (SELECT w.reserved,
                (SELECT coalesce(sum(amount), 0) FROM billing_reservation r
                    WHERE r.wallet_id = w.organization_id AND r.state = 'reserved') AS promised,
                (SELECT coalesce(sum(reserved), 0) FROM billing_creditlot l
                    WHERE l.wallet_id = w.organization_id) AS held
            FROM billing_wallet w WHERE w.organization_id = %(wallet)s) AS sums
        WHERE reserved <> promised OR reserved <> held
        """,
    ),
    (
        "I3",
        """
        SELECT 'lot ' || l.id, 'its reservations do not add up to what it has reserved, captured and refunded'
        FROM billing_creditlot l
        LEFT JOIN (SELECT p.lot_id, sum(p.amount) FILTER (WHERE r.state = 'reserved') AS reserved,
                sum(p.captured) AS captured, sum(p.refunded) AS refunded
            FROM billing_reservationlot p JOIN billing_reservation r ON r.id = p.reservation_id
            WHERE r.wallet_id = %(wallet)s GROUP BY p.lot_id) AS parts ON parts.lot_id = l.id
        WHERE l.wallet_id = %(wallet)s AND (l.reserved, l.captured, l.refunded)
            <> (coalesce(parts.reserved, 0), coalesce(parts.captured, 0), coalesce(parts.refunded, 0))
        """,
    ),
    (
        "I4",
        """
        SELECT 'lot ' || id, 'its amounts do not add up' FROM billing_creditlot
        WHERE wallet_id = %(wallet)s AND (remaining + reserved > granted
            OR granted + adjusted <> remaining + reserved + captured - refunded + expired)
        UNION ALL
        SELECT 'wallet', 'its lots have ' || remaining || ' remaining, but ' || available || ' are available'
        FROM (SELECT balance - reserved AS available, (SELECT coalesce(sum(remaining), 0) FROM billing_creditlot
                WHERE wallet_id = %(wallet)s) AS remaining
            FROM billing_wallet WHERE organization_id = %(wallet)s) AS sums
        WHERE remaining <> available
        """,
    ),
    (
        "I6",
        """
        SELECT 'reservation ' || r.id, 'its transfers, its parts or its state do not fit its amounts'
        FROM billing_reservation r
        LEFT JOIN (SELECT reservation_id, sum(amount) FILTER (WHERE kind = 'reserve') AS reserve,
                sum(amount) FILTER (WHERE kind = 'capture') AS capture,
                sum(amount) FILTER (WHERE kind = 'release') AS release,
                sum(amount) FILTER (WHERE kind = 'refund') AS refund,
                count(DISTINCT reference) FILTER (WHERE kind IN ('capture', 'release')) AS resolutions
            FROM billing_transfer WHERE wallet_id = %(wallet)s AND reservation_id IS NOT NULL
            GROUP BY reservation_id) AS t ON t.reservation_id = r.id
        LEFT JOIN (SELECT p.reservation_id, sum(p.amount) AS amount, sum(p.captured) AS captured,
                sum(p.refunded) AS refunded
            FROM billing_reservationlot p JOIN billing_reservation o ON o.id = p.reservation_id
            WHERE o.wallet_id = %(wallet)s GROUP BY p.reservation_id) AS parts ON parts.reservation_id = r.id
        WHERE r.wallet_id = %(wallet)s AND (
            (r.amount, r.captured, r.refunded)
                <> (coalesce(parts.amount, 0), coalesce(parts.captured, 0), coalesce(parts.refunded, 0))
            OR (r.amount, r.captured, r.refunded)
                <> (coalesce(t.reserve, 0), coalesce(t.capture, 0), coalesce(t.refund, 0))
            OR coalesce(t.release, 0) <> CASE r.state WHEN 'reserved' THEN 0 ELSE r.amount - r.captured END
            OR coalesce(t.resolutions, 0) > 1)
        """,
    ),
    (
        "I7",
        """
        SELECT 'reservation ' || r.id, 'is released, but lot ' || t.lot_id || ' did not get its credits back'
        FROM billing_reservation r JOIN billing_transfer t ON t.reservation_id = r.id
        WHERE r.wallet_id = %(wallet)s AND r.state = 'released' GROUP BY r.id, t.lot_id
        HAVING sum(CASE t.kind WHEN 'reserve' THEN t.amount WHEN 'release' THEN -t.amount ELSE 'NaN' END) <> 0
        """,
    ),
    (
        "I11",
        """
        WITH counted AS (
            SELECT budget_id, budget_day, sum(amount) FILTER (WHERE state = 'reserved') AS reserved,
                sum(captured - refunded) AS captured
            FROM billing_reservation WHERE wallet_id = %(wallet)s AND budget_id IS NOT NULL
            GROUP BY GROUPING SETS ((budget_id), (budget_id, budget_day))),
        kept AS (
            SELECT w.budget_id, w.day AS budget_day, w.reserved, w.captured FROM billing_budgetwindow w
            JOIN accounts_keybudget b ON b.id = w.budget_id WHERE b.organization_id = %(wallet)s)
        SELECT 'budget ' || coalesce(kept.budget_id, counted.budget_id) || ' '
                || coalesce(kept.budget_day::text, counted.budget_day::text, 'total'),
            'its window does not equal the sum of its reservations'
        FROM kept FULL JOIN counted ON (kept.budget_id, coalesce(kept.budget_day, '-infinity'))
            = (counted.budget_id, coalesce(counted.budget_day, '-infinity'))
        WHERE (coalesce(kept.reserved, 0), coalesce(kept.captured, 0))
            <> (coalesce(counted.reserved, 0), coalesce(counted.captured, 0))
        UNION ALL
        SELECT 'wallet', 'its window of the month ' || w.month || ' does not equal the sum of its reservations'
        FROM billing_wallet w CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount) FILTER (WHERE state = 'reserved'), 0) AS reserved,
                coalesce(sum(captured - refunded), 0) AS captured
            FROM billing_reservation r WHERE r.wallet_id = w.organization_id
                AND r.created_at >= w.month::timestamp AT TIME ZONE 'UTC'
                AND r.created_at < (w.month + interval '1 month') AT TIME ZONE 'UTC') AS counted
        WHERE w.organization_id = %(wallet)s AND w.month_seq = w.seq
            AND (w.month_reserved, w.month_captured) <> (counted.reserved, counted.captured)
        """,
    ),
    (
        "I12",
        """
        SELECT 'transfer ' || t.seq, 'its lot, reservation or API key belongs to another organization'
        FROM billing_transfer t JOIN billing_creditlot l ON l.id = t.lot_id
        LEFT JOIN billing_reservation r ON r.id = t.reservation_id
        LEFT JOIN accounts_apikey k ON k.id = t.api_key_id
        WHERE t.wallet_id = %(wallet)s AND (l.wallet_id <> t.wallet_id OR r.wallet_id <> t.wallet_id
            OR k.organization_id <> t.wallet_id)
        UNION ALL
        SELECT 'reservation ' || r.id, 'its API key or budget belongs to another organization'
        FROM billing_reservation r LEFT JOIN accounts_apikey k ON k.id = r.api_key_id
        LEFT JOIN accounts_keybudget b ON b.id = r.budget_id
        WHERE r.wallet_id = %(wallet)s AND (k.organization_id <> r.wallet_id OR b.organization_id <> r.wallet_id)
        """,
    ),
    (
        "I16",
        """
        WITH rolled_up AS (
            SELECT coalesce((SELECT seq FROM billing_rollupcursor WHERE wallet_id = %(wallet)s), 0) AS seq),
        raw AS (
            SELECT spans.span, date_trunc(spans.span, t.created_at, 'UTC') AS starts_at, t.api_key_id,
                coalesce(r.model, '') AS model, t.kind, t.debit, t.credit, l.kind AS lot_kind, sum(t.amount) AS amount,
                count(*) AS transfers, count(*) FILTER (WHERE t.line = 1) AS postings
            FROM billing_transfer t JOIN billing_creditlot l ON l.id = t.lot_id
            LEFT JOIN billing_reservation r ON r.id = t.reservation_id
            CROSS JOIN (VALUES ('hour'), ('day')) AS spans(span)
            WHERE t.wallet_id = %(wallet)s AND t.seq <= (SELECT seq FROM rolled_up)
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
        kept AS (
            SELECT span, starts_at, api_key_id, model, kind, debit, credit, lot_kind, amount, transfers, postings
            FROM billing_rollup WHERE wallet_id = %(wallet)s)
        SELECT DISTINCT 'roll-up of the ' || span || ' ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
            'its rows are not the sums of its transfers'
        FROM ((TABLE kept EXCEPT TABLE raw) UNION ALL (TABLE raw EXCEPT TABLE kept)) AS differing
        UNION ALL
        SELECT 'wallet', 'is rolled up to ' || rolled_up.seq || ', but has ' || w.seq || ' transfers'
        FROM rolled_up, billing_wallet w WHERE w.organization_id = %(wallet)s AND rolled_up.seq > w.seq
        """,
    ),
    (
        "I24",
        """
        WITH rolled_up AS (
            SELECT coalesce((SELECT seq FROM billing_costcursor WHERE wallet_id = %(wallet)s), 0) AS seq),
        raw AS (
            SELECT spans.span, date_trunc(spans.span, c.at, 'UTC') AS starts_at, c.kind, c.provider, c.account_id,
                c.account_name, c.model, c.user_group, c.is_estimate, sum(c.amount) AS amount, count(*) AS costs
            FROM billing_providercost c CROSS JOIN (VALUES ('hour'), ('day')) AS spans(span)
            WHERE c.wallet_id = %(wallet)s AND c.seq <= (SELECT seq FROM rolled_up)
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9),
        kept AS (
            SELECT span, starts_at, kind, provider, account_id, account_name, model, user_group, is_estimate, amount,
                costs
            FROM billing_costrollup WHERE wallet_id = %(wallet)s)
        SELECT DISTINCT 'costs of the ' || span || ' ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
            'its rows are not the sums of its provider costs'
        FROM ((TABLE kept EXCEPT TABLE raw) UNION ALL (TABLE raw EXCEPT TABLE kept)) AS differing
        UNION ALL
        SELECT 'wallet', 'its provider costs go from ' || first || ' to ' || last || ', there are ' || there
            || ', its counter says ' || cost_seq || ' and its roll-ups hold ' || rolled_up.seq
        FROM (SELECT coalesce(min(c.seq), 1) AS first, coalesce(max(c.seq), 0) AS last, count(c.seq) AS there
            FROM billing_providercost c WHERE c.wallet_id = %(wallet)s) AS numbers, rolled_up, billing_wallet w
        WHERE w.organization_id = %(wallet)s
            AND (first <> 1 OR last <> there OR last <> cost_seq OR rolled_up.seq > cost_seq)
        """,
    ),
)
UNGUARDED = """
    WITH guarded(name) AS (VALUES ('billing_transfer'), ('billing_providercost'), ('accounts_auditentry'))
    SELECT guarded.name, 'no enabled trigger refuses ' || operation.name
    FROM guarded, (VALUES ('UPDATE', 16), ('DELETE', 8), ('TRUNCATE', 32)) AS operation(name, bit)
    WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = guarded.name::regclass AND NOT tgisinternal
        AND tgenabled IN ('O', 'A') AND tgtype & bit > 0)
    UNION ALL
    SELECT guarded.name, 'the run-time role may ' || operation.name
    FROM guarded, (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS operation(name)
    WHERE has_table_privilege(guarded.name, operation.name) AND NOT pg_has_role(
        (SELECT relowner FROM pg_class WHERE oid = guarded.name::regclass), 'USAGE')
"""


def broken(wallet: Wallet) -> Iterator[Finding]:
    """What breaks an invariant in this wallet's rows."""
    with connection.cursor() as cursor:
        for invariant, sql in BROKEN:
            cursor.execute(sql, {"wallet": wallet.pk})
            for subject, problem in cursor.fetchall():
                yield Finding(invariant=invariant, subject=subject, problem=problem)


def unguarded() -> list[Finding]:
    """Whether transfers, provider costs or audit entries could be changed or removed (I13)."""
    with connection.cursor() as cursor:
        cursor.execute(UNGUARDED)
        return [Finding(invariant="I13", subject=subject, problem=problem) for subject, problem in cursor.fetchall()]
