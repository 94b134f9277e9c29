"""`python -m tests.benchmarks.reports`: how long a customer waits for statements and usage of very full books.

The books are one wallet's year, the worst there is: every transfer in it, most of them rolled up, the newest not. Rows
are made by bulk SQL; the requests are whole ones, from the key to the JSON, without a socket.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import django
import psycopg

from evolink_saas import environment, postgres

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ.setdefault("DEBUG", "on")  # for the development secrets; the settings switch it off
environment.load()
postgres.provide()
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import ApiKey, Scope  # noqa: E402
from billing import rollups, statement_csv, statements  # noqa: E402
from generations import catalog, usage  # noqa: E402
from tests.benchmarks import figures, place  # noqa: E402
from tests.cast import give_key  # noqa: E402

COMMAND = "python -m tests.benchmarks.reports"
DAYS, KEYS, TAIL = 365, 5, 1_000
TABLES = ("billing_reservation", "billing_transfer", "generations_task")
FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])"""
TASK_ID = "(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || lpad(to_hex(n), 20, '0'))::uuid"
NUMBERED = f"""
    WITH numbered AS (SELECT n, at, {TASK_ID} AS id, (%(keys)s::uuid[])[1 + n %% {KEYS}] AS key,
            (%(models)s::text[])[1 + n %% %(count)s] AS model, n %% 7 <> 0 AS charged
        FROM (SELECT n, %(start)s::timestamptz + n * %(step)s::interval AS at
            FROM generate_series(%(first)s::int, %(last)s::int) AS n) AS times)
"""  # every seventh task fails
RESERVATIONS = f"""{NUMBERED}
    INSERT INTO billing_reservation (id, wallet_id, api_key_id, model, amount, captured, refunded, state, created_at,
        resolved_at)
    SELECT id, %(wallet)s, key, model, 27, CASE WHEN charged THEN 27 ELSE 0 END, 0,
        CASE WHEN charged THEN 'captured' ELSE 'released' END, at, at FROM numbered
"""
TRANSFERS = f"""{NUMBERED}
    INSERT INTO billing_transfer (wallet_id, seq, kind, debit, credit, amount, lot_id, reservation_id, api_key_id,
        balance_after, reserved_after, reference, line, reason, created_at, hash)
    SELECT %(wallet)s, seq, kind, debit, credit, 27, %(lot)s, id, key, %(balance)s - 27 * spent, reserved,
        kind || ':' || n, 1, '', at, '' FROM numbered CROSS JOIN LATERAL (VALUES
            (2 * n, 'reserve', 'available', 'reserved', 27, (n - 1) - (n - 1) / 7),
            (2 * n + 1, CASE WHEN charged THEN 'capture' ELSE 'release' END, 'reserved',
                CASE WHEN charged THEN 'revenue' ELSE 'available' END, 0, n - n / 7)
        ) AS moved(seq, kind, debit, credit, reserved, spent)
"""
TASKS = f"""{NUMBERED}
    INSERT INTO generations_task (id, organization_id, api_key_id, model, type, status, progress, inputs, metadata,
        callback_url, estimated_seconds, price, billing_rule, user_group, reserved_credits, charged_credits, error_code,
        error_message, error_param, error_retryable, created_at, deadline_at, finished_at, leased_by, lease_token,
        claims)
    SELECT id, %(wallet)s, key, model, 'video', CASE WHEN charged THEN 'completed' ELSE 'failed' END, 100, '{{}}',
        jsonb_build_object('project', 'project ' || n %% 40), '', 120, '{{}}', 'per_second', 'default', 27,
        CASE WHEN charged THEN 27 ELSE 0 END, '', '', '', false, at, at, at, '', 0, 0 FROM numbered
"""


@dataclass(frozen=True, kw_only=True)
class Books:
    """A wallet whose last task is number `tasks`; its first transfer is a grant."""

    customer: place.Customer
    tasks: int
    start: datetime

    def fill(self, owner: psycopg.Connection, first: int, last: int, *statements: str) -> None:
        wallet = self.customer.organization.wallet
        given = {
            "wallet": wallet.pk,
            "lot": wallet.lots.get().pk,
            "balance": place.PLENTY,
            "keys": list(ApiKey.objects.filter(organization=wallet.pk).values_list("pk", flat=True)),
            "models": [spec.id for spec in catalog.SPECS],
            "count": len(catalog.SPECS),
            "start": self.start,
            "step": timedelta(days=DAYS) / self.tasks,
            "first": first,
            "last": last,
        }
        for statement in statements:
            owner.execute(statement, given)
        owner.execute("UPDATE billing_wallet SET seq = %s WHERE organization_id = %s", [2 * last + 1, wallet.pk])
        owner.commit()


def main() -> None:
    options = arguments().parse_args()
    with place.database():
        books, rolled = full_books(options.transfers // 2)
        rows = measured(books, options.times)
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
    sys.stdout.write(table)
    if options.write:
        how = f"{options.transfers:,} transfers of one wallet in a year, {2 * TAIL:,} of them not rolled up yet, "
        how += f"{options.times} times each; {rolled:,.0f} transfers a second are rolled up"
        figures.write("reports", table, how, COMMAND)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--transfers", type=int, default=10_000_000, help="in all (10,000,000)")
    parser.add_argument("--times", type=int, default=15, help="that each is measured (15)")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/figures.md as it is")
    return parser


def full_books(tasks: int) -> tuple[Books, float]:
    """The books, and how many transfers a second were rolled up."""
    customer = place.open_customer("Full")
    for _ in range(KEYS - 1):
        give_key(customer.organization, [Scope.GENERATE])
    books = Books(customer=customer, tasks=tasks, start=datetime.now(UTC) - timedelta(days=DAYS))
    place.on_database("UPDATE accounts_organization SET created_at = %s", books.start)
    place.on_database("UPDATE accounts_apikey SET scopes = '{read,billing}' WHERE digest = %s", customer.key.digest)
    customer.organization.refresh_from_db()
    named = min(usage.MOST_MOVEMENTS // 2, tasks) - 1
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner:
        for table, name in owner.execute(FOREIGN_KEYS, [list(TABLES)]).fetchall():
            owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        owner.commit()
        step = 250_000
        for first in range(1, tasks - TAIL + 1, step):
            books.fill(owner, first, min(first + step - 1, tasks - TAIL), RESERVATIONS, TRANSFERS)
        began = time.monotonic()
        rolled = rollups.roll(customer.organization.pk)
        seconds = time.monotonic() - began
        books.fill(owner, tasks - TAIL + 1, tasks, RESERVATIONS, TRANSFERS)
        books.fill(owner, tasks - named + 1, tasks, TASKS)
        owner.execute("ANALYZE")
    return books, rolled / seconds


def measured(books: Books, times: int) -> list[tuple[str, ...]]:
    client = Client(headers={"authorization": f"Bearer {books.customer.secret}"})
    now = datetime.now(UTC)
    middle, year_ago = now - timedelta(days=DAYS // 2), (now - timedelta(days=DAYS - 1)).date()
    month, running = f"/v1/statements/{middle:%Y-%m}", f"/v1/statements/{now:%Y-%m}"
    statement = statements.of(books.customer.organization, f"{middle:%Y-%m}", now)
    deep = statement.after + (statement.last - statement.after) * 9 // 10
    year = f"/v1/usage?from={year_ago}&to={now:%Y-%m-%d}&group_by="
    share = timedelta(days=DAYS) * min(1.0, usage.MOST_MOVEMENTS / 2 / books.tasks)
    recent = max((now - share).date() + timedelta(days=1), year_ago)
    asked = (
        ("a page of a statement: 20 lines of a month", f"{month}?page_size=20", 20),
        ("the same, deep in the month", f"{month}?page_size=20&cursor={deep}", 20),
        ("the same of the running month", f"{running}?page_size=20", 20),
        ("100 lines", month, 20),
        ("usage of a year", year, 300),
        ("usage of a year by day", f"{year}day", 300),
        ("usage of a year by model and key", f"{year}model,key", 300),
        ("usage of a year by day and model", f"{year}day,model", 300),
        ("usage by metadata of some 100,000 transfers", f"/v1/usage?from={recent}&group_by=metadata[project]", 300),
        ("the ledger's newest page", "/v1/ledger", 20),
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [("What", "Median", "Slowest", "To reach"), ("---", "---:", "---:", "---:")]
    for name, path, to_reach in asked:
        taken = [seconds(lambda path=path: answered(client, path)) for _ in range(times + 1)][1:]  # the first warms up
        rows.append(timed(name, taken, to_reach))
    by_day = partial(rollups.sums, ["time", "model", "kind", "lot_kind"], span=rollups.Span.DAY)
    since = books.start.replace(hour=0, minute=0, second=0, microsecond=0)
    house = [seconds(partial(by_day, since=since, until=since + timedelta(days=DAYS + 1))) for _ in range(times)]
    rows.append(timed("sums over all organizations, a year by day, model and kind", house, 300))
    lines = books.tasks * 6 // 7 // 12
    whole = seconds(lambda: sum(map(len, statement_csv.stream(statement))))
    rows.append((f"the CSV of a month, some {lines:,} lines", f"{whole:.1f} s", "", ""))
    return rows


def timed(name: str, taken: list[float], to_reach: int) -> tuple[str, ...]:
    return (name, *(f"{1000 * one:.0f} ms" for one in (statistics.median(taken), max(taken))), f"{to_reach} ms")


def answered(client: Client, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.content.decode()}")


def seconds(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
