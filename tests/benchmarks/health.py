"""`python -m tests.benchmarks.health`: how long the public figures take with 1,000,000 finished tasks.

The tasks ended over 30 days, evenly or (`--days 1`) all on the last one, so that the hours that are read from the tasks
themselves are full. Nothing is kept between two measurements.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import django

from evolink_saas import environment, postgres

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ.setdefault("DEBUG", "on")  # for the development secrets; the settings switch it off
environment.load()
postgres.provide()
django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from generations import catalog, estimates, health, standing  # noqa: E402
from tests.benchmarks import figures, place  # noqa: E402

TASKS = """
    INSERT INTO generations_task (id, organization_id, model, type, status, progress, inputs, metadata, callback_url,
        estimated_seconds, price, billing_rule, user_group, reserved_credits, charged_credits, error_code,
        error_message, error_param, error_retryable, created_at, accepted_at, deadline_at, finished_at, leased_by,
        lease_token, claims)
    SELECT gen_random_uuid(), %(organization)s, (%(models)s::text[])[1 + number %% %(kinds)s], 'video',
        CASE WHEN number %% 20 = 0 THEN 'failed' ELSE 'completed' END, 100,
        jsonb_build_object('prompt', repeat('A lighthouse at dusk. ', 20)), '{}', '', 300,
        jsonb_build_object('rate', '5.4', 'seconds', '5', 'cell', '720p_off'), 'per_second', 'default', 27, 0,
        CASE WHEN number %% 40 = 0 THEN 'service_error' WHEN number %% 20 = 0 THEN 'face_not_found' ELSE '' END,
        '', '', false, ended_at - made - interval '3 s', ended_at - made, ended_at, ended_at, '', 0, 0
    FROM (
        SELECT number, %(now)s::timestamptz - %(span)s::interval * (number::float8 / %(tasks)s) AS ended_at,
            interval '1 s' * (40 + 20 * (number %% 14) + 300 * random() ^ 3) AS made
        FROM generate_series(1, %(tasks)s) AS number
    ) AS made_up"""
MINUTES = """
    INSERT INTO generations_modelhour (model, hour, completed, failed, failed_by_input, looked, closed, refused)
    SELECT model, hour, 0, 0, 0, (1::bigint << 60) - 1, CASE WHEN random() < 0.02 THEN 255 ELSE 0 END, 0
    FROM unnest(%(models)s::text[]) AS model,
        generate_series(date_trunc('hour', %(now)s::timestamptz) - interval '720 h', %(now)s, interval '1 h') AS hour
    ON CONFLICT (hour, model) DO UPDATE SET looked = excluded.looked, closed = excluded.closed"""
TO_REACH_SECONDS = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.health", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30, help="over which they ended (30)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    with place.database():
        fill(options.tasks, timedelta(days=options.days))
        client = Client()
        lines = [
            line("`GET /v1/catalog/health`", lambda: ask(client, "/v1/catalog/health"), options.rounds),
            line("the page `/status`", lambda: ask(client, "/status"), options.rounds),
            line("the estimates that a POST asks for once a minute", estimates.medians, options.rounds),
        ]
    text = "| What | Median | Slowest | To reach |\n| --- | ---: | ---: | ---: |\n" + "".join(lines)
    sys.stdout.write(text)
    if options.write:
        how = f"{options.tasks:,} finished tasks over {options.days} days, {options.rounds} times each"
        figures.write("health", text, how, "python -m tests.benchmarks.health")


def fill(tasks: int, span: timedelta) -> None:
    now = timezone.now()
    models = [spec.id for spec in catalog.SPECS]
    given = {"models": models, "kinds": len(models), "now": now, "span": span, "tasks": tasks}
    given["organization"] = place.open_customer("acme").organization.pk
    steps: dict[str, Callable[[], object]] = {
        f"{tasks:,} tasks": lambda: run(TASKS, given),
        "the roll-up of their hours": lambda: health.roll_up(seconds=3600),
        "the minutes": lambda: run(MINUTES, given),
        "ANALYZE": lambda: run("ANALYZE", {}),
    }
    for name, step in steps.items():
        sys.stdout.write(f"{name}: {timed(step):.1f} s\n")
        sys.stdout.flush()


def run(statement: str, given: dict[str, int | list[str] | datetime | timedelta]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)


def ask(client: Client, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(answer.content.decode())


def line(name: str, step: Callable[[], object], rounds: int) -> str:
    times = []
    step()  # what a process does once
    for _ in range(rounds):
        standing.report.forget()
        estimates.medians.forget()
        times.append(timed(step))
    cells = (statistics.median(times), max(times), TO_REACH_SECONDS)
    return f"| {name} | {' | '.join(f'{seconds * 1000:.0f} ms' for seconds in cells)} |\n"


def timed(step: Callable[[], object]) -> float:
    started = time.monotonic()
    step()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
