"""The whole gateway in one process: alice with credits, the simulator as her provider, and a worker that is stepped.

`Steps` does what the queue and the loop would do, one job after the other, so that a test says what happens when. It
runs the very functions that django-q2 runs; only the waiting is left out.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from billing import ledger
from generations import jobs, leases, polling, routing
from generations.models import Attempt, Task
from tests.cast import Person
from tests.generations.simulator import RunningSimulator, wait_for

TEXT_TO_VIDEO = {"model": "kling-v3-text-to-video", "prompt": "A lighthouse at dusk"}


class Steps:
    """A worker without a clock of its own."""

    def due(self) -> int:
        """Run every job that is due now; how many were."""
        found = 0
        for job, model, states in jobs.DUE:
            rows = model._default_manager.filter(states, leases.free(timezone.now()), due_at__lte=timezone.now())
            for identifier in list(rows.values_list("pk", flat=True)):
                getattr(jobs, job)(str(identifier))
                found += 1
        return found

    def poll(self) -> None:
        """One round for every account that has work running."""
        accounts = Attempt.objects.filter(state=Attempt.State.RUNNING).values_list("account", flat=True).distinct()
        for account in list(accounts):
            asyncio.run(self._poll(account))

    async def _poll(self, account: int) -> None:
        with ThreadPoolExecutor(1) as threads:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                await polling.poll_account(threads, client, account)
            threads.submit(connections.close_all).result()

    def until(self, task_id: str, *statuses: str, seconds: float = 20) -> dict[str, Any]:
        """Work until the task has one of these states."""

        def there() -> Task | None:
            self.due()
            self.poll()
            task = Task.objects.get(pk=_uuid(task_id))
            return task if task.status in statuses else None

        return wait_for(there, seconds=seconds)


def _uuid(task_id: str) -> Any:
    from accounts import ids

    return ids.decode(Task.PREFIX, task_id)


@pytest.fixture
def prices(db: None) -> None:
    """The price book as it is shipped."""
    call_command("load_price_book", verbosity=0)


@pytest.fixture
def gateway(alice: Person, prices: None, simulator: RunningSimulator, settings: Settings) -> Iterator[Steps]:
    """Alice has 1,000 credits, the simulator serves her keys, waiting times are scaled down."""
    settings.POLL_INTERVAL_SECONDS = 0.02
    settings.LOOKUP_DELAYS_SECONDS = [0.05, 0.1, 0.2]
    settings.LOOKUP_ABSENT_GAP_SECONDS = 0.1
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8"]
    routing.ensure_simulator_accounts(simulator.url, simulator.account.credentials["api_key"])
    ledger.top_up(alice.organization, Decimal(1000), reference="test")
    yield Steps()
