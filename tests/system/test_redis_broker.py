"""Redis as the queue's broker: everything in it may get lost, and no work does."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker
from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

from evolink_saas import ports
from generations.models import Task
from tests.generations.simulator import wait_for
from tests.system.site import PRICE, Customer, assert_nothing_is_wrong, site_in

pytestmark = pytest.mark.system
TASKS = 20


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A server of its own that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    port = ports.find_free()
    server = subprocess.Popen([program, "--port", str(port), "--bind", ports.HOST, "--save", "", "--appendonly", "no"])
    client = Redis(host=ports.HOST, port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except NoConnection:
            return False

    try:
        wait_for(answers)
        yield client
    finally:
        server.kill()
        server.wait()


def test_a_broker_that_forgets_everything_loses_no_task(redis: Redis, django_db_blocker: DjangoDbBlocker) -> None:
    port = redis.connection_pool.connection_kwargs["port"]
    settings = {"Q_BROKER": "redis", "REDIS_URL": f"redis://{ports.HOST}:{port}/0"}
    with tempfile.TemporaryDirectory(prefix="evolink-redis-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        with django_db_blocker.unblock(), site_in(Path(folder), **settings) as site:
            customer = Customer(site.url, PRICE * TASKS)
            bought = []
            for number in range(TASKS):
                bought.append(customer.buy())
                if number % 5 == 0:
                    redis.flushall()
            tasks = site.finished(bought, seconds=120)
            assert {task.status for task in tasks} == {Task.Status.COMPLETED}
            assert customer.remaining() == 0
            assert_nothing_is_wrong(site)
