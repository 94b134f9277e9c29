"""A whole gateway of real processes, with a database, ports and a folder of its own, and what it must never have done.

The tests' own Django works on the same database meanwhile: it opens organizations, looks at rows and runs the auditor.
Customers come by HTTP, with real keys. Waiting times are scaled down by settings.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import dj_database_url
import httpx
import psutil
from django.db import connection

from accounts import ids
from accounts.models import Organization
from billing import opening
from evolink_saas import ports, postgres, stack
from evolink_saas.postgres import place, postmaster
from evolink_saas.processes import ROOT, Family
from evolink_saas.stack import Stack
from generations import provider_accounts
from generations.models import Alert, Breaker, Task, WorkerPulse
from tests.cast import give_key
from tests.generations.gateway import TEXT_TO_VIDEO, findings
from tests.generations.simulator import RunningSimulator
from tests.patience import PATIENCE
from tests.system.notes import note

T = TypeVar("T")
PRICE = Decimal("16.2")  # of three seconds in 720p without sound
REQUEST = TEXT_TO_VIDEO | {"duration": 3, "quality": "720p", "sound": "off"}
SCALED = {
    "POLL_INTERVAL_SECONDS": "0.5",
    "LOOKUP_DELAYS_SECONDS": "0.5,1,2",
    "LOOKUP_ABSENT_GAP_SECONDS": "1",
    "CALLBACK_RETRY_SECONDS": "0.1,0.2,0.4",
    # Upstreams that get a lot wrong, each in a share of its calls, are no reason here to leave them alone.
    "BREAKER_MIN_FAULTS": "10",
    "BREAKER_FAULT_SHARE": "0.9",
    "SAFE_HTTP_EXTRA_NETWORKS": "127.0.0.0/8",
}
_numbers = itertools.count(1)


class Customer:
    """An organization with credits, and a program of its that calls with a key."""

    def __init__(self, url: str, credits: Decimal) -> None:
        number = next(_numbers)
        self.organization: Organization = opening.open_organization(
            f"Customer {number}", f"owner{number}@customer.example", credits
        )
        self.secret = give_key(self.organization)[1]
        self.http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {self.secret}"},
            trust_env=False,
            timeout=60,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def post(self, idempotency_key: str | None = None, **changes: Any) -> httpx.Response:
        """Ask for a video."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self.http.post("/v1/videos/generations", json=REQUEST | changes, headers=headers)

    def buy(self, **changes: Any) -> str:
        """Ask for a video and be given a task; its id."""
        answer = self.post(**changes)
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["id"]
        return task_id

    def see(self, task_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get(f"/v1/tasks/{task_id}").raise_for_status().json()
        return answer

    def remaining(self) -> Decimal:
        user = self.http.get("/v1/credits").raise_for_status().json()["data"]["user"]
        return Decimal(str(user["remaining_credits"]))


def story_of(task: Task) -> dict[str, Any]:
    """What keeps an open task from its end, for whoever reads that a test failed."""
    of_the_row = ("status", "due_at", "rung_until", "claims", "leased_by", "leased_until")
    attempts = task.attempts.values("number", "state", "outcome", "looks", "absent_looks", "claims", "due_at")
    return {name: str(getattr(task, name)) for name in of_the_row} | {"attempts": [*attempts]}


class Site:
    """Web server, worker, simulated upstream and PostgreSQL; `tend` starts again what has died, as `up` does."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.log = folder / "log"
        self.database_folder = folder / "postgres"
        self.urls = postgres.urls(self.database_folder)
        self.port = ports.find_free()
        self.url = f"http://{ports.HOST}:{self.port}"
        self.simulator = RunningSimulator(folder / "kling", speed=60)
        self.environment = SCALED | {
            "DATABASE_URL": self.urls.app,
            "DATABASE_OWNER_URL": self.urls.owner,
            "DJANGO_SETTINGS_MODULE": "evolink_saas.settings",
            "VAR_DIR": str(folder),
            "PUBLIC_URL": self.url,
            "DEBUG": "on",
            **settings,
        }
        self.family = Family(folder / "run" / "site.json")
        self.stack = Stack(self.family, environment=self.environment, on_line=self._note)

    def start(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.manage("load_price_book")
        self.simulator.start()
        provider_accounts.ensure_simulator_accounts(self.simulator.url, self.simulator.account.credentials["api_key"])
        self.stack.start("web", stack.web(self.port))
        self.stack.start("worker", stack.worker())
        self.until(self.is_ready, seconds=60)

    def end(self) -> None:
        self.family.end(patience_seconds=1)
        self.simulator.kill()
        postmaster.stop(self.data())

    def manage(self, *words: str) -> str:
        """What a command of manage.py says."""
        command = [sys.executable, "-W", "ignore", "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_ready(self) -> bool:
        return stack.answers(self.port, "/readyz", '"worker": true')

    def be_well(self) -> None:
        """Nothing is scripted, paused or told any more, and everything is at work."""
        self.simulator.do("settings", rates={}, speed=60)
        Breaker.objects.all().delete()
        Alert.objects.all().delete()
        self.until(self.is_ready, seconds=60)

    def until(self, holds: Callable[[], T], *, seconds: float = 30, story: Callable[[], object] = str) -> T:
        """What `holds` says first that is true; whatever dies meanwhile is started again. `story` says why not."""
        deadline = time.monotonic() + seconds * PATIENCE
        while not (value := holds()):
            assert time.monotonic() < deadline, f"waited for {seconds} seconds; {story()}"
            self.stack.tend()
            time.sleep(0.1)
        return value

    def finished(self, task_ids: Iterable[str], *, seconds: float) -> list[Task]:
        """These tasks, each in a terminal state."""
        keys = [ids.decode(Task.PREFIX, task_id) for task_id in task_ids]
        rows = Task.objects.filter(pk__in=keys)
        note(lost=len(keys) - rows.count())
        assert rows.count() == len(keys), "an acknowledged task is lost"
        still = rows.filter(status__in=Task.OPEN)
        self.until(lambda: not still.exists(), seconds=seconds, story=lambda: [story_of(task) for task in still])
        return list(rows.order_by("pk"))

    def supervisor(self) -> psutil.Process:
        return psutil.Process(self.family.children["worker"].pid)

    def cluster(self) -> psutil.Process:
        """The leader of the worker's process group."""
        return self.until(lambda: next(iter(self.supervisor().children()), None))

    def worker_names(self) -> set[str]:
        """Of the workers that have claimed something and are not known to be dead."""
        return set(WorkerPulse.objects.values_list("worker", flat=True))

    def data(self) -> Path:
        return place.of(self.database_folder).data

    def stop_database(self) -> None:
        """At once, as in a power cut: every connection breaks."""
        server = postmaster.find(self.data())
        assert server
        server.send_signal(signal.SIGQUIT)
        assert not postmaster.still_there([server], 20)
        connection.close()  # ours is broken, too

    def start_database(self) -> None:
        assert postgres.urls(self.database_folder) == self.urls

    def _note(self, name: str, line: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{name:<9} {line}\n")


@contextmanager
def site_in(folder: Path, **settings: str) -> Iterator[Site]:
    """A site at work, and this process's Django on its database. `settings` are further environment variables."""
    before = connection.settings_dict.copy()
    site = Site(folder, settings)
    connection.close()
    connection.settings_dict.update({**dj_database_url.parse(site.urls.app)})
    try:
        site.start()
        yield site
    finally:
        connection.close()
        connection.settings_dict.update(before)
        site.end()


def together(calls: Iterable[Callable[[], T]], *, threads: int) -> list[T]:
    """The results of all calls, made by so many threads, in order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda call: call(), calls))


def assert_nothing_is_wrong(site: Site) -> None:
    """No open task, clean books, and by the upstream's own log nothing was bought twice."""
    unfinished = Task.objects.filter(status__in=Task.OPEN).count()
    wrong, twice = findings(), bought_twice(site)
    note(tasks=Task.objects.count(), lost=unfinished, wrong=len(wrong), twice=len(twice))
    assert (unfinished, wrong, twice) == (0, [], [])


def bought_twice(site: Site) -> list[str]:
    """Attempts that were sent twice, and tasks with two works upstream of which the first was not certainly dead."""
    twice = [f"{reference} was sent {count}" for reference, count in site.simulator.creates().items() if many(count)]
    states = {made["external_id"]: made["state"] for made in site.simulator.see("tasks")["tasks"]}
    for task in Task.objects.prefetch_related("attempts"):
        made = [states.get(attempt.reference, "") for attempt in task.attempts.order_by("number")]
        if sum(state not in ("", "failed") for state in made) > 1:
            twice.append(f"{task} was made twice: {made}")
    return twice


def many(count: dict[str, int]) -> bool:
    return count["requests"] > 1 or count["tasks"] > 1
