"""Owns the worker's cluster: starts it, watches it, and when in doubt kills all of it and starts anew (crash-only).

    wait for the database -> free what dead clusters held -> start -> watch -> end the group -> pause -> again

The cluster is ended when its process group's leader ended, when its heartbeat stopped, when the database went away, or
when rows could be claimed, a worker was idle, and nothing was claimed for a while. Progress counts, not age: rows that
wait for their time, or for an account that has tripped or rests, are not claimable, and busy workers have their own
time-outs.

A cluster is forked from this process, which has imported all it needs, so the next one is at work within a second.
"""

import logging
import os
import secrets
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import Error, close_old_connections, connection, connections
from django.utils import timezone

from evolink_saas import processes
from evolink_saas.cluster import run_cluster
from evolink_saas.processes import AlreadyRunning, Family
from generations import jobs

logger = logging.getLogger("evolink.worker")
LOOK_SECONDS, PROGRESS_SECONDS = 0.2, 2.0
FIRST_BEAT_SECONDS, BEAT_SECONDS, STALL_SECONDS, OUTAGE_SECONDS = 60.0, 6.0, 15.0, 4.0
STOP_SECONDS, HEALTHY_SECONDS = 25.0, 20.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
LONGEST_PAUSE_AFTER_WORK_SECONDS = 1.0  # kill after kill, work goes on within ten seconds
SOME_IDLE = b"i"


class Stop:
    """Counts the requests to stop; the second one does not wait for jobs at work."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, *_: object) -> None:
        self.count += 1

    def sleep(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.count and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)


class Cluster:
    """One start of the cluster, under a name that no other start has: its leases carry it."""

    def __init__(self, folder: Path) -> None:
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self.family = Family(record_of(folder, self.name))
        self.heart, beating = os.pipe()
        os.set_blocking(self.heart, False)
        connections.close_all()
        self.process = self.family.fork("cluster", self.run, {"EVOLINK_WORKER_ID": self.name}, output=beating)
        os.close(beating)
        self.started = self.database_seen = self.all_well = time.monotonic()
        self.beat: float | None = None

    def run(self) -> None:
        os.close(self.heart)  # else a heartbeat would find a listener after we are gone
        run_cluster()

    def listen(self) -> None:
        """Take in the heartbeats since the last look."""
        with suppress(BlockingIOError):
            if said := os.read(self.heart, 4096):
                if self.beat is None:
                    logger.info("the worker is at work as %s", self.name)
                self.beat = time.monotonic()
                if SOME_IDLE not in said:
                    self.all_well = self.beat

    def problem(self) -> str:
        """What is wrong with the processes, or nothing."""
        if self.process.poll() is not None:
            return "its process group ended"
        self.listen()
        since, patience = (self.started, FIRST_BEAT_SECONDS) if self.beat is None else (self.beat, BEAT_SECONDS)
        return "its heartbeat stopped" if time.monotonic() - since > patience else ""

    def stall(self) -> str:
        """What keeps it from making progress, or nothing."""
        now = time.monotonic()
        try:
            close_old_connections()
            claimable, claimed_at = jobs.progress()
        except Error:
            connection.close()
            return "the database went away" if now - self.database_seen > OUTAGE_SECONDS else ""
        self.database_seen = now
        if not claimable:
            self.all_well = now
        elif claimed_at:
            self.all_well = max(self.all_well, now - (timezone.now() - claimed_at).total_seconds())
        return f"{claimable} rows wait and none is claimed" if now - self.all_well > STALL_SECONDS else ""

    def end(self, stop: Stop) -> None:
        """Let it finish its jobs if we were told to stop, else and after a while kill the whole group."""
        if stop.count and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self.process.poll() is None and stop.count == 1 and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
        self.family.end(patience_seconds=0)
        os.close(self.heart)


def run(stop: Stop) -> None:
    """Keep a cluster at work until told to stop."""
    folder = Path(settings.VAR_DIR) / "run"
    folder.mkdir(parents=True, exist_ok=True)
    pause_seconds = SHORTEST_PAUSE_SECONDS
    while prepare(folder, stop):
        cluster = Cluster(folder)
        reason = watch(cluster, stop)
        cluster.end(stop)
        if reason:
            logger.error("the worker starts again: %s", reason)
            is_healthy = time.monotonic() - cluster.started > HEALTHY_SECONDS
            longest = LONGEST_PAUSE_SECONDS if cluster.beat is None else LONGEST_PAUSE_AFTER_WORK_SECONDS
            pause_seconds = SHORTEST_PAUSE_SECONDS if is_healthy else min(2 * pause_seconds, longest)
            stop.sleep(pause_seconds)
    with suppress(Error):
        bury(folder)


def prepare(folder: Path, stop: Stop) -> bool:
    """Get everything ready for a cluster, however long the database is away; False when told to stop."""
    pause_seconds = SHORTEST_PAUSE_SECONDS
    while not stop.count:
        try:
            close_old_connections()
            bury(folder)
            jobs.ensure_schedules()
        except Error as error:
            connection.close()
            logger.warning("the worker waits for the database: %s", str(error).strip().splitlines()[0])
            stop.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
        else:
            return True
    return False


def watch(cluster: Cluster, stop: Stop) -> str:
    """Why the cluster must be ended; empty when we were told to stop."""
    looked_at = time.monotonic()
    while not stop.count:
        time.sleep(LOOK_SECONDS)
        reason = cluster.problem()
        if not reason and time.monotonic() - looked_at > PROGRESS_SECONDS:
            reason, looked_at = cluster.stall(), time.monotonic()
        if reason:
            return reason
    return ""


def bury(folder: Path) -> None:
    """End what is left of clusters whose supervisor is gone, and free what they and our own dead ones held."""
    for record in folder.glob("worker-*.json"):
        try:
            processes.end_leftovers(record)
        except AlreadyRunning:
            continue
        jobs.release_leases(record.stem.removeprefix("worker-"))
        record.unlink(missing_ok=True)


def record_of(folder: Path, name: str) -> Path:
    return folder / f"worker-{name}.json"
