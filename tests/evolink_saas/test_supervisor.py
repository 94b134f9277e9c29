"""The worker under kill -9: whatever dies, stops or hangs, work goes on within seconds."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dj_database_url
import psutil
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from evolink_saas.processes import ROOT
from generations.models import LoopLease, StoredFile, WorkerPulse
from tests.cast import Person
from tests.patience import PATIENCE

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


class Worker:
    """`manage.py worker` on the test database."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.log = folder / "worker.log"
        self.environment = os.environ | {"VAR_DIR": str(folder), "LOG_FORMAT": "line", **environment}
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "worker"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def names(self) -> list[str]:
        """Of the clusters that were at work so far."""
        return re.findall(r"at work as (\S+)", self.log.read_text())

    def cluster(self) -> psutil.Process:
        return psutil.Process(self.process.pid).children()[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(40)


def database_url() -> str:
    at = dj_database_url.parse(settings.DATABASE_URL)
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{connection.settings_dict['NAME']}"


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds * PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited for {seconds} seconds"
        time.sleep(0.05)


def works_as(worker: Worker) -> str:
    """The name under which the polling loop is at work; empty when it is not."""
    names = worker.names()
    leased_by = LoopLease.objects.filter(leased_until__gt=timezone.now()).values_list("leased_by", flat=True).first()
    return names[-1] if names and names[-1] == leased_by else ""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    started = Worker(tmp_path, DATABASE_URL=database_url())
    until(lambda: works_as(started))
    yield started
    if started.process.poll() is None:
        cluster = started.cluster()
        started.kill()
        until(lambda: not cluster.is_running() or cluster.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("victim", ["the leader", "a worker", "the last worker", "the monitor", "the pusher"])
def test_work_goes_on_within_ten_seconds_of_a_kill(worker: Worker, victim: str) -> None:
    before, cluster = works_as(worker), worker.cluster()
    children = sorted(cluster.children(), key=lambda process: process.pid)  # the workers, the monitor, the pusher
    places = {"a worker": 0, "the last worker": -3, "the monitor": -2, "the pusher": -1}
    process = cluster if victim == "the leader" else children[places[victim]]
    process.kill()
    until(lambda: works_as(worker) not in ("", before), seconds=10)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_worker_that_claims_nothing_is_started_again(worker: Worker, alice: Person) -> None:
    before = works_as(worker)
    pusher = max(worker.cluster().children(), key=lambda process: process.pid)
    pusher.suspend()
    file = StoredFile.objects.create(
        organization=alice.organization,
        purpose=StoredFile.Purpose.UPLOAD,
        storage_name="missing",
        file_name="missing.png",
        mime_type="image/png",
        format="png",
        size_bytes=1,
        due_at=timezone.now(),
    )
    until(lambda: works_as(worker) not in ("", before), seconds=40)
    until(lambda: WorkerPulse.objects.exists())
    file.refresh_from_db()
    assert file.lease_token > 0
    assert "rows wait and none is claimed" in worker.log.read_text()


def test_a_cluster_dies_with_its_killed_supervisor_and_the_next_one_frees_its_leases(
    worker: Worker, alice: Person
) -> None:
    before, cluster = works_as(worker), worker.cluster()
    held = StoredFile.objects.create(
        organization=alice.organization,
        purpose=StoredFile.Purpose.RESULT,
        storage_name="held",
        file_name="held.mp4",
        mime_type="video/mp4",
        format="mp4",
        size_bytes=1,
        leased_by=before,
        leased_until=timezone.now() + timedelta(hours=1),
    )
    processes = [cluster, *cluster.children()]
    worker.kill()
    until(lambda: not any(found.is_running() and found.status() != psutil.STATUS_ZOMBIE for found in processes))
    worker.start()
    until(lambda: works_as(worker) not in ("", before), seconds=15)
    held.refresh_from_db()
    assert held.leased_until is None or held.leased_by != before


def test_sigterm_ends_everything_and_frees_the_leases(worker: Worker, tmp_path: Path) -> None:
    processes = [worker.cluster(), *worker.cluster().children()]
    assert worker.stop() == 0
    assert not any(found.is_running() and found.status() != psutil.STATUS_ZOMBIE for found in processes)
    assert not LoopLease.objects.exclude(leased_by="").exists()
    assert list((tmp_path / "run").iterdir()) == []


def test_two_workers_share_one_database(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Worker(tmp_path / "other", DATABASE_URL=database_url())
    until(lambda: other.names())
    first = works_as(worker)
    worker.cluster().kill()
    until(lambda: works_as(other) or works_as(worker) not in ("", first), seconds=15)
    assert other.stop() == 0


def test_without_a_database_the_worker_waits_and_can_be_stopped(tmp_path: Path) -> None:
    waiting = Worker(tmp_path, DATABASE_URL="postgres://nobody:nothing@127.0.0.1:9/nowhere")
    until(lambda: waiting.log.read_text().count("the worker waits for the database") >= 2)
    assert waiting.process.poll() is None
    os.kill(waiting.process.pid, signal.SIGINT)
    assert waiting.process.wait(20) == 0
