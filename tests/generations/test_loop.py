"""The polling loop never leaves a gap: one that ends rings for the next, and a second one beside it does nothing."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.signing import SignedPackage
from pytest_django import Settings

from generations import doorbell, jobs
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


def in_turn() -> list[tuple[str, Any]]:
    """The function and the argument of each queued job, as a worker takes them."""
    taken = []
    while OrmQ.objects.filter(lock__lt=timezone.now()).exists():
        taken += [SignedPackage.loads(payload) for _, payload in get_broker().dequeue()]
    return [(job["func"].removeprefix("generations.jobs."), *job["args"]) for job in taken]


def test_jobs_are_taken_in_the_order_in_which_they_were_rung() -> None:
    for number in range(20):
        doorbell.ring("fetch", number)
        OrmQ.objects.filter(pk=OrmQ.objects.earliest("pk").pk).update(key="evolink")  # its row moves to the end
    assert in_turn() == [("fetch", str(number)) for number in range(20)]


def test_the_ring_for_a_loop_comes_before_everything_that_waits() -> None:
    for number in range(10):
        doorbell.ring("fetch", number)
    doorbell.ring_first("loop", 0)
    doorbell.ring("fetch", 10)
    assert in_turn() == [("loop", 0), *(("fetch", str(number)) for number in range(11))]


def test_a_loop_whose_time_is_up_goes_on_until_the_next_one_is_there(settings: Settings) -> None:
    settings.POLL_INTERVAL_SECONDS = 0.05
    first, stopping = jobs._lease_loop(0), threading.Event()
    assert first is not None

    def run() -> None:
        jobs._poll_and_sweep(first, stopping, seconds=0.1)
        connections.close_all()

    polling = threading.Thread(target=run)
    polling.start()
    wait_for(lambda: LoopLease.objects.filter(shard=0, leased_until=None).exists())
    assert loops_queued() == 1
    polling.join(0.5)
    assert polling.is_alive()
    following = jobs._lease_loop(0)
    assert following is not None
    polling.join(10)
    assert not polling.is_alive()
    assert LoopLease.objects.get(shard=0).leased_until == following.leased_until
    assert loops_queued() == 1


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
