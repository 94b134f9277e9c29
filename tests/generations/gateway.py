"""The whole gateway in one process: alice with credits, the simulator as her provider, and a worker that is stepped.

`Steps` does what the queue and the loop would do, one job after the other, so that a test says what happens when. It
runs the very functions that django-q2 runs; only the waiting is left out.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any, TypeVar

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings

from accounts import ids
from accounts.models import Organization
from billing import audit, ledger
from billing.models import PriceCell, Wallet
from billing.replay import Finding
from generations import files, jobs, leases, media, polling, provider_accounts
from generations.models import Alert, Attempt, ProviderAccount, StoredFile, Task
from generations.providers.base import query_client
from tests.cast import Person
from tests.generations.simulator import RunningSimulator, wait_for

T = TypeVar("T")
TEXT_TO_VIDEO = {"model": "kling-v3-text-to-video", "prompt": "A lighthouse at dusk"}


def ask(person: Person, **changes: Any) -> Task:
    """A task as this person's key made it: the default text to video, with these fields changed."""
    answer = person.client.post("/v1/videos/generations", TEXT_TO_VIDEO | changes)
    assert answer.status_code == 200, answer.content
    return task(answer.json()["id"])


def ask_element(person: Person, *, frontal: str = "", others: Sequence[str] = (), **params: Any) -> Task:
    """An element as this person's key asked for it: from a frontal image and other angles, or as `params` say."""
    images = {"frontal_image": frontal, "refer_images": [{"image_url": url} for url in others]}
    how = {"reference_type": "image_refer", "element_image_list": images} if frontal else {}
    about = {"element_name": "Mia", "element_description": "A woman in an orange suit"}
    return ask(person, model="kling-custom-element", model_params=about | how | params)


def upload(organization: Organization, path: Path) -> str:
    """The link of a file that the organization has uploaded."""
    is_video = path.suffix in (".mp4", ".mov")
    facts = media.read_video(path) if is_video else media.read_image(path)
    kept = files.keep(organization, path, facts, purpose=StoredFile.Purpose.UPLOAD, file_name=path.name)
    return files.public_url(kept)


def task(task_id: str) -> Task:
    return Task.objects.select_related("organization__user_group").get(pk=ids.decode(Task.PREFIX, task_id))


def seen(person: Person, one: Task) -> dict[str, Any]:
    """The task as the API shows it now."""
    answer: dict[str, Any] = person.client.get(f"/v1/tasks/{one.public_id}").json()
    return answer


def money(organization: Organization) -> tuple[Decimal, Decimal]:
    """(balance, reserved)"""
    wallet = Wallet.objects.get(pk=organization.pk)
    return wallet.balance, wallet.reserved


def findings() -> list[Finding]:
    """What the auditor finds, in the books and where they meet the tasks."""
    return [found for wallet in Wallet.objects.all() for check in audit.all_checks() for found in check(wallet)]


def alerts() -> set[str]:
    """The kinds of what the operators were told."""
    return set(Alert.objects.values_list("kind", flat=True))


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Start all calls at the same moment, each with a connection of its own; their results in order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


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
            async with query_client() as client:
                await polling.poll_account(threads, client, account)
            threads.submit(connections.close_all).result()

    def until(self, one: Task, *statuses: str, seconds: float = 20) -> Task:
        """Work until the task has one of these states."""

        def there() -> Task | None:
            self.work()
            one.refresh_from_db()
            return one if one.status in statuses else None

        return wait_for(there, seconds=seconds)

    def sent(self, one: Task, *, state: str = Attempt.State.RUNNING, seconds: float = 20) -> Attempt:
        """Run due jobs, without polling, until the task's last attempt is in `state`."""

        def there() -> Attempt | None:
            self.due()
            return one.attempts.filter(state=state).order_by("-number").first()

        return wait_for(there, seconds=seconds)

    @contextmanager
    def loop(self) -> Iterator[None]:
        """The polling loop itself, in a thread."""
        stopping = Event()
        polls = Thread(target=lambda: asyncio.run(polling.run(0, keep_going=lambda: not stopping.is_set())))
        polls.start()
        try:
            yield
        finally:
            stopping.set()
            polls.join()

    def work(self) -> None:
        self.due()
        self.poll()


@pytest.fixture
def prices(db: None) -> None:
    """The price book as it is shipped."""
    call_command("load_price_book", verbosity=0)


@pytest.fixture
def gateway(
    alice: Person, prices: None, simulator: RunningSimulator, settings: Settings, tmp_path: Path
) -> Iterator[Steps]:
    """Alice has 1,000 credits, the simulator serves her keys, waiting times are scaled down, files are the test's."""
    on_disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = settings.STORAGES | {"default": on_disk}
    settings.POLL_INTERVAL_SECONDS = 0.001  # one that has just been sent is due
    settings.LOOKUP_DELAYS_SECONDS = [0.05, 0.1, 0.2]
    settings.LOOKUP_ABSENT_GAP_SECONDS = 0.1
    settings.ELEMENT_DELETE_AFTER_SECONDS = 0
    settings.ELEMENT_DELETE_RETRY_SECONDS = [0.05, 0.1]
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8"]
    provider_accounts.ensure_simulator_accounts(simulator.url, simulator.account.credentials["api_key"])
    simulator.do("settings", speed=400)
    ledger.top_up(alice.organization, Decimal(1000), reference="test")
    yield Steps()


def everything_costs(rate: str) -> dict[str, dict[str, str]]:
    """The costs of an account that offers all our models, each for so many dollars a second or call."""
    costs: dict[str, dict[str, str]] = {}
    for model, cell in PriceCell.objects.values_list("model", "cell"):
        costs.setdefault(model, {})[cell] = rate
    return costs


@pytest.fixture
def second_account(gateway: Steps, simulator: RunningSimulator) -> str:
    """Another account at the provider, asked after the first, which is free; its name."""
    simulator.do("accounts", api_key="second")
    account = ProviderAccount(
        name="second", alias="two", provider="kling", base_url=simulator.url, simulator=True, serves="live"
    )
    account.costs = everything_costs("0.0001")
    account.set_credentials({"api_key": "second"})
    account.save()
    return account.name
