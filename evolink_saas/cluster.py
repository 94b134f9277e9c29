"""django-q2's cluster, run crash-only in a process group of its own; the supervisor forks it.

django-q2 replaces a process that died, but one killed while it waited holds the lock of the shared queue, and then
nothing runs any more, silently. So here any unexpected death ends the whole process group; the supervisor starts it
anew. A worker that ends by itself, to be recycled or after a time-out, is replaced as usual.

The guard's every round (half a second) is a heartbeat on stdout: `i` while some worker is idle, `b` while all are busy.
"""

import logging
import os
import signal
import time
import uuid
from multiprocessing import Process
from types import FrameType

from django_q.cluster import Sentinel
from django_q.conf import Conf

from evolink_saas import die_with_parent

logger = logging.getLogger("evolink.worker")
IDLE, TIMED_OUT, RECYCLED = -1, 0, -2  # what a worker's timer says
SOME_IDLE, ALL_BUSY = b"i", b"b"


class Flag:
    """An event of one process, safe to set in a signal handler; being waited for is the guard's heartbeat."""

    def __init__(self) -> None:
        self.told = False

    def set(self) -> None:
        self.told = True

    def is_set(self) -> bool:
        return self.told

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self.told


class Heartbeat(Flag):
    sentinel: "CrashOnly"

    def __init__(self, output: int) -> None:
        super().__init__()
        self.output = output
        self.forker = 0

    def about_to_fork(self) -> None:
        self.forker = os.getpid()

    def forked(self) -> None:
        die_with_parent.bind(self.forker)

    def wait(self, seconds: float) -> bool:
        idle = any(process.timer.value == IDLE for process in self.sentinel.pool)
        os.write(self.output, SOME_IDLE if idle else ALL_BUSY)
        return super().wait(seconds)


class CrashOnly(Sentinel):
    def reincarnate(self, process: Process) -> None:
        """Replace a worker that ended by itself; end everything for any other death."""
        by_itself = process in self.pool and int(process.timer.value) in (TIMED_OUT, RECYCLED)  # type: ignore[attr-defined]
        process.join(2)
        if not by_itself or process.is_alive():
            logger.error("process %s of the worker died; starting all of it again", process.pid)
            os.killpg(0, signal.SIGKILL)
        super().reincarnate(process)

    def stop(self) -> None:
        """Tell the polling loop, which watches for SIGTERM, then stop as usual: jobs at work are finished."""
        for process in self.pool:
            process.terminate()
        super().stop()


def run_cluster() -> None:
    """Work until SIGTERM, in this process and those it forks; never returns."""
    output = os.dup(1)
    os.dup2(2, 1)  # what a job prints is no heartbeat
    stop = Heartbeat(output)
    stop.sentinel = CrashOnly(stop, Flag(), uuid.uuid4(), None, Conf.TIMEOUT, start=False)
    os.register_at_fork(before=stop.about_to_fork, after_in_child=stop.forked)

    def on_term(number: int, frame: FrameType | None) -> None:
        stop.set()  # in the forked workers this changes nothing: SIGTERM does not end them between jobs

    signal.signal(signal.SIGTERM, on_term)
    stop.sentinel.start()
    os._exit(0)
