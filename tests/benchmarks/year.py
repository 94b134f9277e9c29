"""`python -m tests.benchmarks.year`: the operators' dashboard and report pages over a made-up year of 1,000,000 tasks.

Each page is asked for by a signed-in operator, whole: question, roll-ups, charts, HTML. The totals are compared with
sums over the rows themselves, by SQL that knows nothing of roll-ups; a figure that differs ends it.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import django

from evolink_saas import environment, postgres

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ.setdefault("DEBUG", "on")  # for the development secrets; the settings switch it off
environment.load()
postgres.provide()
django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import Organization, User  # noqa: E402
from evolink_saas.reports import asked, liabilities, outcomes, sales  # noqa: E402
from evolink_saas.reports.asked import Asked  # noqa: E402
from evolink_saas.year import growing  # noqa: E402
from tests.benchmarks import figures, place  # noqa: E402

TO_REACH = 0.3
LIVE = "JOIN accounts_organization o ON o.id = {} AND o.sandbox_of_id IS NULL"
RAW = {
    "captured": f"""SELECT sum(amount) FROM billing_transfer t {LIVE.format("t.wallet_id")}
        WHERE kind = 'capture' AND t.created_at >= %(since)s AND t.created_at < %(until)s""",
    "upstream": f"""SELECT sum(amount) FROM billing_providercost c {LIVE.format("c.wallet_id")}
        WHERE at >= %(since)s AND at < %(until)s""",
    "tasks": f"""SELECT count(*) FROM generations_task t {LIVE.format("t.organization_id")}
        WHERE finished_at >= %(since)s AND finished_at < %(until)s""",
    "owed": f"SELECT sum(balance) FROM billing_wallet w {LIVE.format('w.organization_id')}",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.year", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=11, help="each page is asked for (11)")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    with place.database():
        started = time.monotonic()
        plan = growing.planned(options.tasks)
        growing.grow(plan, told())
        took = time.monotonic() - started
        check(plan)
        client = Client()
        client.force_login(User.objects.create_superuser("olga@gateway.example"))
        client.get("/admin/reports/")  # loads what a process loads once
        gc.collect()
        gc.freeze()  # as the web server does
        lines = [line(client, name, path, options.times) for name, path in pages(plan)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(seq) FROM billing_wallet")
            (transfers,) = cursor.fetchone()
    text = "| Page | Median | Slowest | To reach |\n| --- | ---: | ---: | ---: |\n" + "".join(lines)
    sys.stdout.write(text)
    if options.write:
        how = f"{options.tasks:,} tasks of {plan.customers} organizations and {transfers:,} transfers in a year"
        how += f", grown in {took / 60:.0f} min; {options.times} times each, totals equal to the rows' own sums"
        figures.write("year", text, how, "python -m tests.benchmarks.year")


def told() -> Callable[[int, str], None]:
    """Says at each fiftieth thousand how far it is."""
    last = [""]

    def tell(done: int, what: str) -> None:
        if (now := f"{done // 50_000} {what}") != last[0]:
            last[0] = now
            sys.stderr.write(f"{done:,} tasks, {what}\n")

    return tell


def pages(plan: growing.Plan) -> Iterator[tuple[str, str]]:
    """Name and address of each, for the whole year where a page is about a time."""
    biggest = Organization.objects.filter(sandbox_of=None).order_by("-wallet__seq").first()
    assert biggest
    year = f"first={asked.day_of(plan.start)}&last={asked.day_of(plan.end)}"
    month = f"first={asked.day_of(plan.end) - 30 * asked.ONE_DAY}&last={asked.day_of(plan.end)}"
    base = "/admin/reports/"
    yield "dashboard of today", "/admin/"
    yield "revenue and margin by month", f"{base}?{year}&by=month"
    yield "… by day", f"{base}?{year}&by=day"
    yield "… by model and user group", f"{base}?{year}&by=model&then=user_group"
    yield "… by provider account and month", f"{base}?{year}&by=account&then=month"
    yield "… by organization", f"{base}?{year}&by=organization"
    yield "… by organization and day, 31 days", f"{base}?{month}&by=organization&then=day"
    yield "… of one organization by day", f"{base}?{year}&by=day&organization={biggest.public_id}"
    yield "top customers", f"{base}customers/?{year}"
    yield "liabilities", f"{base}liabilities/?{year}"
    yield "failures and refunds by month", f"{base}outcomes/?{year}&by=month"
    yield "… by day and model", f"{base}outcomes/?{year}&by=day&then=model"
    yield "… by organization", f"{base}outcomes/?{year}&by=organization"
    yield "revenue by day and model, as CSV", f"{base}?{year}&by=day&then=model&format=csv"
    yield "… as XLSX", f"{base}?{year}&by=day&then=model&format=xlsx"


def line(client: Client, name: str, path: str, times: int) -> str:
    def ask() -> None:
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
        if answer.streaming:
            b"".join(answer.streaming_content)
        elif b'class="figures"' not in answer.content:
            raise RuntimeError(f"{path}: there is no table on this page")

    ask()  # what a process does once
    took: list[float] = []
    for _ in range(times):
        with timed(took):
            ask()
    cells = (statistics.median(took), max(took), TO_REACH)
    return f"| {name} | {' | '.join(f'{seconds * 1000:.0f} ms' for seconds in cells)} |\n"


@contextmanager
def timed(took: list[float]) -> Iterator[None]:
    started = time.monotonic()
    yield
    took.append(time.monotonic() - started)


def check(plan: growing.Plan) -> None:
    """Compare the totals with the rows themselves. Raises RuntimeError."""
    year = Asked(first=asked.day_of(plan.start), last=asked.day_of(plan.end), by=())
    whole = sales.total(year)
    found: dict[str, Decimal | int] = {
        "captured": whole.captured,
        "upstream": whole.upstream,
        "tasks": outcomes.added(outcomes.of(year)).tasks,
        "owed": liabilities.at(year.until).all,
    }
    for name, sql in RAW.items():
        with connection.cursor() as cursor:
            cursor.execute(sql, {"since": year.since, "until": year.until})
            (wanted,) = cursor.fetchone()
        if found[name] != wanted:
            raise RuntimeError(f"{name}: the report says {found[name]}, the rows {wanted}")
        sys.stderr.write(f"{name}: {wanted:,} in the report and in the rows\n")


if __name__ == "__main__":
    main()
