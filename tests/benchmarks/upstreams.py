"""Simulated upstreams with thousands of tasks at work, each a process of its own with a provider account of ours.

What runs there is written into its memory and our tables at once, not posted one by one: the same rows as by the API.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from accounts import ids
from billing import ledger
from generations import creation, requests
from generations.models import Attempt, ProviderAccount, Task
from generations.providers import adapter
from generations.sandbox import store
from tests.benchmarks.place import Customer
from tests.generations.simulator import RunningSimulator

BODY = {"model": "kling-v3-text-to-video", "prompt": "A lighthouse at dusk", "duration": 3, "sound": "on"}
RESERVED_AT_ONCE = 100
FAR_SECONDS = 86_400.0
_numbers = itertools.count(1)


@dataclass(kw_only=True)
class Upstream:
    """One of them. `attempts` are ours by its ids, in the order in which they were made."""

    account: ProviderAccount
    simulator: RunningSimulator
    attempts: dict[str, Attempt]

    def finish(self, times: Sequence[tuple[str, float]]) -> None:
        """Let these ids end at these Unix times."""
        memory = store.Store(self.simulator.folder)
        with memory.transaction():
            values = [(at, upstream_id) for upstream_id, at in times]
            memory.database.executemany("UPDATE tasks SET finish_at = ? WHERE id = ?", values)
        memory.database.close()


@contextmanager
def upstream(folder: Path, name: str) -> Iterator[Upstream]:
    simulator = RunningSimulator(folder / name)
    account = ProviderAccount(name=name, alias=name, provider="kling", base_url=simulator.url)
    account.simulator, account.serves = True, ProviderAccount.Serves.SANDBOX
    account.set_credentials({"api_key": store.API_KEY})
    account.save()
    simulator.start()
    try:
        yield Upstream(account=account, simulator=simulator, attempts={})
    finally:
        simulator.kill()


def template(customer: Customer) -> Task:
    """A task as a request makes it, its ring taken back."""
    creation.create(customer.organization, customer.key, BODY, None)
    OrmQ.objects.all().delete()
    return Task.objects.select_related("organization").get(organization=customer.organization)


def fill(where: Upstream, like: Task, customers: Sequence[Customer], count: int, *, faults: dict[str, str]) -> None:
    """So many tasks like this one at work there, with their credits reserved; none ends before it is told to."""
    pairs = [_running(where, like, customer) for customer in itertools.islice(itertools.cycle(customers), count)]
    for start in range(0, count, RESERVED_AT_ONCE):
        part = pairs[start : start + RESERVED_AT_ONCE]
        with transaction.atomic():
            Task.objects.bulk_create([task for task, _ in part])
            Attempt.objects.bulk_create([attempt for _, attempt in part])
            for task, _ in part:
                reserved = {"api_key": task.api_key, "model": task.model}
                ledger.reserve(task.organization, task.pk, like.reserved_credits, **reserved)
    where.attempts |= {attempt.upstream_id: attempt for _, attempt in pairs}
    _write_upstream(where, like, faults)


def _running(where: Upstream, like: Task, customer: Customer) -> tuple[Task, Attempt]:
    now = timezone.now()
    same = {field.attname: getattr(like, field.attname) for field in Task._meta.concrete_fields}
    task = Task(**same)
    task.pk, task.organization, task.api_key = ids.new(), customer.organization, customer.key
    task.status, task.accepted_at, task.deadline_at = Task.Status.PROCESSING, now, now + timedelta(hours=1)
    task.due_at = task.rung_until = None
    attempt = Attempt(task=task, account=where.account, number=1, state=Attempt.State.RUNNING, accepted_at=now)
    attempt.model = task.model
    attempt.upstream_id, attempt.due_at = f"{int(time.time() * 1000)}{next(_numbers):06}", now
    return task, attempt


def _write_upstream(where: Upstream, like: Task, faults: dict[str, str]) -> None:
    """The works themselves: each like one that was posted in earnest."""
    request = requests.order(like).request(where.account, reference=ids.encode(Attempt.PREFIX, ids.new()))
    caller, provider = where.account.caller(), adapter(where.account.provider)
    posted = provider.submit(caller, request)
    Attempt.objects.filter(account=where.account).update(route=posted.route, state_word="processing")
    memory = store.Store(where.simulator.folder)
    (made,) = memory.tasks("id = ?", posted.upstream_id)
    now = datetime.now(UTC).timestamp()
    same = replace(made, state="processing", start_at=now, finish_at=now + FAR_SECONDS, faults=faults)
    with memory.transaction():
        memory.database.execute("DELETE FROM tasks WHERE id = ?", (made.id,))
        for upstream_id, attempt in where.attempts.items():
            memory.save(replace(same, id=upstream_id, external_id=attempt.reference))
    memory.database.close()
