"""PostgreSQL stops at once under load and comes back: what was acknowledged is there, and the gap is a clean 503.

CHAOS_STOPS makes it more often.
"""

import itertools
import os
import sys
import threading
import time
from collections import Counter

import httpx
import pytest

from generations.models import Task
from tests.system.notes import note
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong

pytestmark = pytest.mark.system

STOPS = int(os.environ.get("CHAOS_STOPS", "1"))
CALLERS, AWAY_SECONDS = 4, 2.0
ALLOWED_PER_STOP = 60


class Caller:
    """A program that keeps buying, and repeats with the same key what was not acknowledged."""

    def __init__(self, site: Site, name: str, tasks: int) -> None:
        self.customer = Customer(site.url, PRICE * tasks)
        self.name, self.tasks = name, tasks
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.bad: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        for number in itertools.count():
            if self.stopping.is_set() or number == self.tasks:
                return
            while not self.buy(f"database-away-{self.name}-{number}"):
                time.sleep(0.1)

    def buy(self, key: str) -> bool:
        answer = self.customer.post(key)
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.acknowledged.append(answer.json()["id"])
        elif not is_clean_refusal(answer):
            self.bad.append(f"{answer.status_code} {answer.text[:200]}")
        return answer.status_code == 200


def is_clean_refusal(answer: httpx.Response) -> bool:
    has_shape = answer.headers.get("content-type") == "application/json" and "error" in answer.json()
    return answer.status_code == 503 and has_shape and int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("stop", range(STOPS))
def test_what_was_acknowledged_survives_a_stop_of_the_database_and_the_gap_is_a_clean_503(
    site: Site, stop: int
) -> None:
    callers = [Caller(site, f"{stop}-{number}", ALLOWED_PER_STOP) for number in range(CALLERS)]
    threads = [threading.Thread(target=caller.run) for caller in callers]
    for thread in threads:
        thread.start()
    site.until(lambda: sum(len(caller.acknowledged) for caller in callers) >= 12)
    site.stop_database()
    time.sleep(AWAY_SECONDS)  # the gap itself
    site.start_database()
    before = sum(len(caller.acknowledged) for caller in callers)
    site.until(lambda: sum(len(caller.acknowledged) for caller in callers) >= before + CALLERS)
    for caller, thread in zip(callers, threads, strict=True):
        caller.stopping.set()
        thread.join()
        sys.stderr.write(f"{caller.name}: {dict(caller.statuses)}\n")
    note(stops=1, acknowledged=sum(len(caller.acknowledged) for caller in callers))
    assert [caller.bad for caller in callers] == [[]] * CALLERS
    assert set().union(*(caller.statuses for caller in callers)) == {200, 503}
    for caller in callers:
        assert len(set(caller.acknowledged)) == len(caller.acknowledged)
        tasks = site.finished(caller.acknowledged, seconds=120)
        assert {task.status for task in tasks} == {Task.Status.COMPLETED}
        assert Task.objects.filter(organization=caller.customer.organization).count() == len(tasks)
        assert caller.customer.remaining() == PRICE * (ALLOWED_PER_STOP - len(tasks))
    assert_nothing_is_wrong(site)
