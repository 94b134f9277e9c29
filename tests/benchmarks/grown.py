"""The worker's memory after its first hundred tasks and after thousands: made, polled, fetched, probed and charged.

The tasks are short videos of a simulated upstream in which a video takes a second; a few dozen are open at once.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from generations import creation
from generations.models import Task
from tests.benchmarks import place, upstreams, worker
from tests.benchmarks.figures import Fact
from tests.benchmarks.place import Customer
from tests.benchmarks.worker import Memory

FIRST, OPEN_AT_ONCE = 100, 60
LOOKED_SECONDS, LOOK_SECONDS, STUCK_SECONDS = 10.0, 0.2, 120.0
MAX_GROWTH = "1.2x"


def measured(options: argparse.Namespace, folder: Path) -> Iterator[Fact]:
    customer = place.open_sandbox_customer("many-tasks")
    with upstreams.upstream(folder, "many-tasks") as where:
        where.simulator.do("settings", speed=120)
        with worker.at_work(folder / "memory") as memory:
            few = min(FIRST, options.tasks)
            first = _held_after(few, customer, memory)
            last = _held_after(options.tasks, customer, memory)
    growth = f"{last:.0f} MB / {first:.0f} MB = {last / first:.2f}x"
    yield Fact(f"memory of the worker after {options.tasks:,} tasks / after {few}", growth, MAX_GROWTH)


def _held_after(tasks: int, customer: Customer, memory: Memory) -> float:
    """Make tasks until so many are done, and see what the worker holds then."""
    made = Task.objects.filter(organization=customer.organization)
    asked, done, moved_at = made.count(), 0, time.monotonic()
    while done < tasks:
        open_now = made.filter(status__in=Task.OPEN).count()
        for _ in range(min(tasks - asked, OPEN_AT_ONCE - open_now)):
            creation.create(customer.organization, customer.key, upstreams.BODY, None)
            asked += 1
        before, done = done, made.filter(status=Task.Status.COMPLETED).count()
        moved_at = time.monotonic() if done > before else moved_at
        if time.monotonic() - moved_at > STUCK_SECONDS:
            raise RuntimeError(f"After {done} tasks the worker does no more.")
        if done // 500 > before // 500:
            sys.stdout.write(f"{done} tasks done, the worker holds {memory.samples[-1][1]:.0f} MB\n")
            sys.stdout.flush()
        time.sleep(LOOK_SECONDS)
    since = time.monotonic()
    time.sleep(LOOKED_SECONDS)
    return memory.between(since, time.monotonic())
