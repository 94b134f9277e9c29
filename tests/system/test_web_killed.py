"""The web server dies in the middle of requests: what it did not answer never happened, and asking again is safe.

CHAOS_ROUNDS is how often.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from django.db import connection, transaction

from billing.models import Wallet
from generations.models import Task
from tests.system.notes import note
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong

pytestmark = pytest.mark.system

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
REQUESTS = 6  # fewer than the server's threads


def outcome(customer: Customer, key: str) -> str:
    """The task that a request got, or nothing when the connection broke."""
    try:
        answer = customer.post(key)
    except httpx.TransportError:
        return ""
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["id"]
    return task_id


def waiting() -> int:
    """How many connections wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        (count,) = cursor.fetchone()
    return int(count)


def kill_web(site: Site) -> None:
    """Server and worker processes of the web, at once."""
    site.stack.deaths.clear()  # it gives up on what dies often by itself; here that is our doing
    main = psutil.Process(site.family.children["web"].pid)
    for process in [*main.children(recursive=True), main]:
        process.kill()


@pytest.mark.parametrize("time", range(ROUNDS))
def test_a_request_that_dies_with_the_web_server_leaves_nothing_and_its_repetition_makes_one_task(
    site: Site, time: int
) -> None:
    customer = Customer(site.url, PRICE * REQUESTS)
    keys = [f"killed-mid-request-{time}-{number}" for number in range(REQUESTS)]
    with ThreadPoolExecutor(REQUESTS) as pool:
        with transaction.atomic():  # while we hold the wallet, every request waits at its last step
            Wallet.objects.select_for_update().get(pk=customer.organization.pk)
            pending = [pool.submit(outcome, customer, key) for key in keys]
            site.until(lambda: waiting() == REQUESTS)
            kill_web(site)
            note(kills=1, requests=REQUESTS)
            assert [asked.result() for asked in pending] == [""] * REQUESTS
        site.until(lambda: waiting() == 0)
        assert not Task.objects.filter(organization=customer.organization).exists()
        site.until(site.is_ready, seconds=60)
        tasks = list(pool.map(lambda key: outcome(customer, key), keys * 2))
    assert tasks[:REQUESTS] == tasks[REQUESTS:]
    assert len(set(tasks)) == REQUESTS
    assert {task.status for task in site.finished(set(tasks), seconds=60)} == {Task.Status.COMPLETED}
    assert customer.remaining() == 0
    assert_nothing_is_wrong(site)
