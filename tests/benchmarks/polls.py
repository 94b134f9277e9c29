"""Thousands of running tasks at four upstreams, one of which hangs: how long a round takes and how late an end is seen.

The worker, the adapter, HTTP and the upstreams are the real ones. Works end there at a steady rate, at times that are
known beforehand, and are fetched and charged meanwhile. A round's length is what the worker logs; that an attempt has
left `running` is seen in the database, a tenth of a second late at most.
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from django.db.models import Min

from generations.models import Attempt, Task
from tests.benchmarks import place, upstreams, worker
from tests.benchmarks.figures import Fact
from tests.benchmarks.upstreams import Upstream

ACCOUNTS, CUSTOMERS = 4, 8
HANGS = {"poll-slow": "600"}
LOOK_SECONDS, WARM_UP_SECONDS, PATIENCE_SECONDS = 0.1, 10.0, 120.0
ROUND = re.compile(r"a round of (\S+) asked about (\d+) in ([\d.]+) s")


def measured(options: argparse.Namespace, folder: Path) -> Iterator[Fact]:
    ending = int(options.ending * options.polled_seconds)
    with ExitStack() as running:
        names = [f"upstream-{number}" for number in range(ACCOUNTS)]
        *healthy, hanging = [running.enter_context(upstreams.upstream(folder, name)) for name in names]
        _fill(healthy, hanging, options.running, ending)
        memory = running.enter_context(worker.at_work(folder / "worker"))
        _until_all_are_polled(healthy)
        started, lags = time.monotonic(), _lags(healthy, ending, options.ending)
        ended = time.monotonic()
        rounds = _rounds((folder / "worker" / "log").read_text(), [one.account.name for one in healthy])
        assert Attempt.objects.filter(account=hanging.account, state=Attempt.State.RUNNING).count() >= 1
        fetched = Task.objects.filter(status=Task.Status.COMPLETED).count()
    sys.stdout.write(f"{len(rounds)} rounds, {len(lags)} ended, {fetched} fetched and charged\n")
    size = f"{options.running:,} running at {ACCOUNTS} accounts, one of them hanging, {options.ending:g} end a second"
    yield Fact(f"a round of a healthy account, p50 / p95 ({size})", _seconds(rounds), "3 s")
    yield Fact("from the end upstream until it is seen, p50 / p95", _seconds(lags), "5 s (p95)")
    quarter = (ended - started) / 4
    warm, last = memory.between(started + quarter, started + 2 * quarter), memory.between(ended - quarter, ended)
    yield Fact(
        "the worker's memory over the run",
        f"{warm:.0f} MB, {last:.0f} MB ({last / warm:.2f}x), second and last quarter of {ended - started:.0f} s",
        "flat",
    )


def _fill(healthy: Sequence[Upstream], hanging: Upstream, count: int, ending: int) -> None:
    """`count` run until the end, in equal shares; those that end meanwhile come on top at the healthy ones."""
    customers = place.open_customers(CUSTOMERS)
    like = upstreams.template(place.open_customer("template"))
    for number, where in enumerate(healthy):
        share = count // ACCOUNTS + len(range(number, ending, len(healthy)))
        upstreams.fill(where, like, customers, share, faults={})
    upstreams.fill(hanging, like, customers, count // ACCOUNTS, faults=HANGS)
    Task.objects.filter(pk=like.pk).delete()


def _until_all_are_polled(healthy: Sequence[Upstream]) -> None:
    """Until each has been asked about once, and a little longer."""
    running = Attempt.objects.filter(account__in=[one.account for one in healthy], state=Attempt.State.RUNNING)
    filled, deadline = running.aggregate(last=Min("due_at"))["last"], time.monotonic() + PATIENCE_SECONDS
    newest = max(attempt.due_at for one in healthy for attempt in one.attempts.values() if attempt.due_at)
    while running.aggregate(first=Min("due_at"))["first"] <= max(filled, newest):
        if time.monotonic() > deadline:
            raise RuntimeError("The worker does not poll.")
        time.sleep(LOOK_SECONDS)
    time.sleep(WARM_UP_SECONDS)


def _lags(healthy: Sequence[Upstream], ending: int, rate: float) -> list[float]:
    """Let so many end, in turn at each upstream, and watch each leave `running`."""
    begin = time.time() + 1
    ends: dict[object, float] = {}
    for number, where in enumerate(healthy):
        ids = list(where.attempts)[: len(range(number, ending, len(healthy)))]
        times = [(upstream_id, begin + (number + len(healthy) * turn) / rate) for turn, upstream_id in enumerate(ids)]
        where.finish(times)
        ends |= {where.attempts[upstream_id].pk: at for upstream_id, at in times}
    lags: list[float] = []
    deadline = begin + ending / rate + PATIENCE_SECONDS
    while ends and time.time() < deadline:
        over = [key for key, at in ends.items() if at <= time.time()]
        seen = Attempt.objects.filter(pk__in=over).exclude(state=Attempt.State.RUNNING).values_list("pk", flat=True)
        lags += [time.time() - ends.pop(key) for key in list(seen)]
        time.sleep(LOOK_SECONDS)
    return lags + [PATIENCE_SECONDS] * len(ends)


def _rounds(log: str, names: Sequence[str]) -> list[float]:
    """How long each whole round of these accounts took."""
    said = (json.loads(line)["message"] for line in log.splitlines() if line.startswith("{"))
    found = (ROUND.search(message) for message in said)
    return [float(one[3]) for one in found if one and one[1] in names]


def _seconds(values: Sequence[float]) -> str:
    middle, *_, late = statistics.quantiles(values, n=20, method="inclusive")[9:19]
    return f"{middle:.1f} s / {late:.1f} s"
