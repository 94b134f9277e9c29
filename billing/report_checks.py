"""I26: the report roll-ups are what the rows behind their cursors add up to, of each organization and of all.

Each organization's own rows are compared with its transfers and costs, and the rows of all with those of each. The
first is asked for a wallet at a time; the second once a run that looks at all wallets, for it adds up every row.
"""

from collections.abc import Iterator

from django.db import connection

from billing.models import Wallet
from billing.replay import Finding
from billing.report_rollups import TABLES, Table

OF_ONE = """
    WITH kept AS (SELECT span, starts_at, {group}, amount, {counted}::bigint
        FROM {table} WHERE wallet_id = %(wallet)s),
    raw AS (
        SELECT grain.span, date_trunc(grain.span, at, 'UTC') AS starts_at, {group}, sum(amount), sum(counted)::bigint
        FROM ({moved}) AS moved CROSS JOIN (VALUES ('day'), ('month')) AS grain(span)
        WHERE seq <= (SELECT seq FROM {cursors} WHERE wallet_id = %(wallet)s) AND EXISTS (
            SELECT FROM accounts_organization o WHERE o.id = %(wallet)s AND o.sandbox_of_id IS NULL)
        GROUP BY grain.span, starts_at, {group})
    SELECT DISTINCT 'report rows of the ' || span || ' ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
        'those of {table} are not the sums of its own rows'
    FROM ((TABLE kept EXCEPT TABLE raw) UNION ALL (TABLE raw EXCEPT TABLE kept)) AS differing
    UNION ALL
    SELECT 'wallet', '{cursors} is at ' || c.seq || ', but its counter at ' || w.{counter}
    FROM {cursors} c JOIN billing_wallet w ON w.organization_id = c.wallet_id
    WHERE c.wallet_id = %(wallet)s AND c.seq > w.{counter}"""
OF_ALL = """
    SELECT DISTINCT 'report rows of the ' || span || ' ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
        'those of all in {table} are not the sums of those of each'
    FROM (SELECT span, starts_at FROM {table} GROUP BY span, starts_at, {group}
        HAVING coalesce(sum(amount) FILTER (WHERE wallet_id IS NULL), 0)
                <> coalesce(sum(amount) FILTER (WHERE wallet_id IS NOT NULL), 0)
            OR coalesce(sum({counted}) FILTER (WHERE wallet_id IS NULL), 0)
                <> coalesce(sum({counted}) FILTER (WHERE wallet_id IS NOT NULL), 0)) AS differing"""


def of_one(wallet: Wallet) -> Iterator[Finding]:
    """Where this wallet's report rows differ from what they are the sums of."""
    for table in TABLES:
        yield from _found(OF_ONE, table, wallet)


def of_all() -> list[Finding]:
    """Where the rows of all organizations together differ from those of each."""
    return [finding for table in TABLES for finding in _found(OF_ALL, table, None)]


def _found(sql: str, table: Table, wallet: Wallet | None) -> Iterator[Finding]:
    names = {
        "table": table.name,
        "cursors": table.cursors._meta.db_table,
        "group": table.group,
        "counted": table.counted,
        "counter": table.counter,
        "moved": table.tail.format(wallet="%(wallet)s", after="0", up_to=""),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**names), {"wallet": None if wallet is None else wallet.pk})
        for subject, problem in cursor.fetchall():
            yield Finding(invariant="I26", subject=subject, problem=problem)
