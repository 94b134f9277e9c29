"""The polling loop never leaves a gap: one that ends rings for the next, and a second one beside it does nothing."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from django_q.models import OrmQ, Schedule

from generations import jobs
from generations.models import LoopLease
from tests.generations.gateway import at_once
from tests.generations.simulator import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def told_to_stop_when_at_work() -> Iterator[None]:
    """SIGTERM, as the supervisor sends it, once the loop holds its lease."""

    def tell() -> None:
        wait_for(lambda: LoopLease.objects.filter(leased_until__isnull=False).exists())
        connections.close_all()
        os.kill(os.getpid(), signal.SIGTERM)

    telling = threading.Thread(target=tell)
    telling.start()
    yield
    telling.join()


def loops_queued() -> int:
    return sum(queued.task["func"] == "generations.jobs.loop" for queued in OrmQ.objects.all())


def test_a_loop_that_ends_frees_its_lease_and_rings_for_the_next() -> None:
    with told_to_stop_when_at_work():
        jobs.loop(0)
    assert LoopLease.objects.filter(shard=0, leased_until=None, leased_by="").count() == 1
    assert loops_queued() == 1


def test_a_loop_beside_one_at_work_does_nothing() -> None:
    held = jobs._lease_loop(0)
    assert held is not None
    jobs.loop(0)
    assert LoopLease.objects.get(shard=0).lease_token == held.lease_token
    assert loops_queued() == 0


def test_workers_that_start_at_once_write_each_schedule_once() -> None:
    at_once([jobs.ensure_schedules] * 6)
    names = list(Schedule.objects.values_list("name", flat=True))
    assert {"loop 0", "housekeeping", "roll-ups"} <= set(names)
    assert len(names) == len(set(names))


def test_a_schedule_that_is_there_twice_is_made_one() -> None:
    Schedule.objects.bulk_create([Schedule(name="housekeeping", func="generations.jobs.housekeeping")] * 2)
    jobs.ensure_schedules()
    assert Schedule.objects.filter(name="housekeeping").count() == 1
