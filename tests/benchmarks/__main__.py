"""`python -m tests.benchmarks`: what the product costs above the bare minimum, written into docs/figures.md.

A row of the first table is a ratio of two measurements from the same run: baseline and product take turns, so that
whatever else the machine does meets both. Polling and memory are measured for themselves.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import django

from evolink_saas import environment, postgres

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ.setdefault("DEBUG", "on")  # for the development secrets; the settings switch it off
environment.load()
postgres.provide()
django.setup()

from tests.benchmarks import books, figures, grown, load, place, polls, processes  # noqa: E402
from tests.benchmarks.figures import Row  # noqa: E402

BODY = {"model": "kling-v3-text-to-video", "prompt": "A lighthouse at dusk", "duration": 5, "sound": "on"}
Measure = Callable[[], float]


def main() -> None:
    options = arguments().parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, place.database():
        pairs = {"http": over_http, "ledger": of_the_ledger}
        rows = [row for part in pairs if options.only in (None, part) for row in pairs[part](options, Path(folder))]
    if rows:
        how = f"{options.rounds} rounds of {options.seconds:g} s, {options.connections} connections"
        show("rates", figures.table(rows), how, options, whole=not options.only)
    alone = {"polls": polls.measured, "memory": grown.measured}
    for part in alone:
        if options.only in (None, part):
            with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, place.database():
                found = list(alone[part](options, Path(folder)))
            show(part, figures.facts(found), "one run", options)


def show(section: str, found: str, how: str, options: argparse.Namespace, *, whole: bool = True) -> None:
    sys.stdout.write(found)
    sys.stdout.flush()
    if options.write and whole:
        command = " ".join(["python -m tests.benchmarks", *sys.argv[1:]]) if sys.argv[1:] else "make bench"
        figures.write(section, found, how, command)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of baseline and product (5)")
    parser.add_argument("--seconds", type=float, default=3, help="for one HTTP measurement (3)")
    parser.add_argument(
        "--cycles", type=int, default=200, help="of each process in one measurement of the ledger (200)"
    )
    parser.add_argument("--connections", type=int, default=8, help="that ask at once (8)")
    parser.add_argument("--processes", type=int, default=4, help="that use the ledger at once (4)")
    parser.add_argument("--running", type=int, default=10_000, help="tasks that run while it is polled (10000)")
    parser.add_argument("--ending", type=float, default=20, help="of them that end each second, on top (20)")
    parser.add_argument("--polled-seconds", type=float, default=240, help="how long it is polled (240)")
    parser.add_argument("--tasks", type=int, default=10_000, help="after which the worker's memory is read (10000)")
    parts = ("http", "ledger", "polls", "memory")
    parser.add_argument("--only", choices=parts, help="measure one part; http and ledger then write nothing")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/figures.md as it is")
    return parser


def over_http(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    customers = place.open_customers(8 * options.connections)
    looks = [(customer.secret, customer.running_task().public_id) for customer in customers]
    with place.server(folder / "log") as port, processes.started(1) as pool:

        def rate(callers: list[tuple[str, str]], body: dict[str, object] | None = None) -> Measure:
            traffic = load.Traffic(port=port, callers=tuple(callers), body=body)
            size = {"connections": options.connections, "seconds": options.seconds}
            return lambda: pool.submit(load.requests_per_second, traffic, **size).result()

        def posts(path: str) -> Measure:
            return rate([(customer.secret, path) for customer in customers], BODY)

        def gets(path: str) -> Measure:
            return rate([(secret, path + task_id) for secret, task_id in looks])

        yield compare("POST a generation", posts("/v1/videos/generations"), posts("/baseline/insert"), 0.5, options)
        yield compare("GET a task", gets("/v1/tasks/"), gets("/baseline/read/"), 0.6, options)


def of_the_ledger(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    count = options.processes
    keys = [customer.key.pk for customer in place.open_customers(10 * count)]
    many, one = [keys[number::count] for number in range(count)], [keys[:1]] * count
    with place.twin() as twin, processes.started(count) as pool:
        for name, wallets in (("reserve + capture, many wallets", many), ("reserve + capture, one wallet", one)):
            shares = [
                books.Share(keys=wallet, cycles=options.cycles, transcript=folder / f"{number}", twin=twin)
                for number, wallet in enumerate(wallets)
            ]
            ledger = partial(cycles_per_second, pool, books.by_ledger, shares)
            raw = partial(cycles_per_second, pool, books.by_psycopg, shares)
            yield compare(name, ledger, raw, 0.6, options)


def cycles_per_second(pool: ProcessPoolExecutor, side: books.Side, shares: list[books.Share]) -> float:
    times = list(pool.map(side, shares))
    return sum(share.cycles for share in shares) / (max(ended for _, ended in times) - min(start for start, _ in times))


def compare(name: str, product: Measure, baseline: Measure, to_reach: float, options: argparse.Namespace) -> Row:
    """Measure both in turn; the first pair only warms up."""
    row = Row(name=name, product=[], baseline=[], to_reach=to_reach)
    for number in range(options.rounds + 1):
        ours, plain = product(), baseline()
        sys.stdout.write(f"{name:<32} {number}/{options.rounds}  {ours:8.0f} / {plain:.0f} a second\n")
        sys.stdout.flush()
        if number:
            row.product.append(ours)
            row.baseline.append(plain)
    return row


if __name__ == "__main__":
    main()
