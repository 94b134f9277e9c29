"""Whatever is killed at whatever moment: no task is lost, charged twice or made twice, and work goes on in seconds.

CHAOS_KILLS, CHAOS_TASKS and CHAOS_ROUNDS make them larger, CHAOS_SEED draws other moments.
"""

import os
import random
import signal
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from generations.models import Task
from tests.system.notes import note
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong

pytestmark = pytest.mark.system

KILLS = int(os.environ.get("CHAOS_KILLS", "30"))
TASKS = int(os.environ.get("CHAOS_TASKS", "200"))
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "9"))
VICTIMS = ("an idle worker", "the group", "the supervisor")
RESUME_SECONDS = 10
RESUME_WITH_SUPERVISOR_SECONDS = 2 * RESUME_SECONDS  # two programs start, one after the other


def resumed(site: Site, before: set[str], *, seconds: float = RESUME_SECONDS) -> float:
    """Wait until a new worker claims something; how long that took."""
    killed_at = time.monotonic()
    site.until(lambda: site.worker_names() - before, seconds=seconds)
    return time.monotonic() - killed_at


def test_kills_under_load_lose_nothing_and_buy_nothing_twice(site: Site) -> None:
    """Customers go on buying while it is killed and starts again."""
    customer = Customer(site.url, PRICE * TASKS)
    site.simulator.do("settings", speed=15, rates={"slow-create 0.3": 0.5}, seed=SEED)
    dice = random.Random(SEED)
    pauses: list[float] = []
    with ThreadPoolExecutor(4) as buyers:
        asked: list[Future[str]] = []
        for kill in range(KILLS):
            share = TASKS * (kill + 1) // KILLS - len(asked)
            asked += [buyers.submit(customer.buy) for _ in range(share)]
            time.sleep(dice.uniform(0, 1))  # the kill falls into submit, poll or finish
            site.until(site.worker_names)
            before, cluster = site.worker_names(), site.cluster()
            dice.choice([cluster, *cluster.children()]).kill()
            pauses.append(resumed(site, before))
            sys.stderr.write(f"kill {kill + 1} of {KILLS}: at work again after {pauses[-1]:.1f} s\n")
    note(kills=KILLS, pauses=pauses)
    tasks = site.finished([bought.result() for bought in asked], seconds=120)
    assert len(tasks) == TASKS
    assert {task.status for task in tasks} == {Task.Status.COMPLETED}
    assert customer.remaining() == 0
    assert_nothing_is_wrong(site)


def test_a_killed_idle_worker_a_killed_group_and_a_killed_supervisor_are_replaced(site: Site) -> None:
    customer = Customer(site.url, PRICE * len(VICTIMS) * ROUNDS)
    asked: list[str] = []
    pauses: list[float] = []
    for victim in VICTIMS * ROUNDS:
        before, cluster = site.worker_names(), site.cluster()
        site.stack.deaths.clear()  # it gives up on what dies often by itself; here that is our doing
        if victim == "the group":
            os.killpg(cluster.pid, signal.SIGKILL)
        elif victim == "the supervisor":
            site.supervisor().kill()
        else:
            min(cluster.children(), key=lambda child: child.pid).kill()
        asked.append(customer.buy())
        seconds = RESUME_WITH_SUPERVISOR_SECONDS if victim == "the supervisor" else RESUME_SECONDS
        pauses.append(resumed(site, before, seconds=seconds))
        sys.stderr.write(f"{len(pauses)}: {victim} was killed, at work again after {pauses[-1]:.1f} s\n")
        site.finished(asked[-1:], seconds=30)
    note(kills=len(pauses), pauses=pauses)
    site.finished(asked, seconds=30)
    assert customer.remaining() == 0
    assert_nothing_is_wrong(site)
