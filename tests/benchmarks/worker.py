"""The worker as `make run` starts it, and the memory of its processes."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from evolink_saas import stack

SAMPLE_SECONDS = 2.0
SHOWN_BYTES = 5_000
MEGABYTE = 1024**2


@dataclass(kw_only=True)
class Memory:
    """What all processes of the worker held together, each page counted once, every few seconds."""

    pid: int
    samples: list[tuple[float, float]] = field(default_factory=list)

    def look(self) -> None:
        main = psutil.Process(self.pid)
        held = 0
        for process in [main, *main.children(recursive=True)]:
            try:
                held += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended meanwhile
                continue
        self.samples.append((time.monotonic(), held / MEGABYTE))

    def between(self, since: float, until: float) -> float:
        """The median in megabytes."""
        return statistics.median(held for at, held in self.samples if since <= at <= until)


@contextmanager
def at_work(folder: Path) -> Iterator[Memory]:
    """A worker on the benchmarks' database; its log is `folder`/log. Yields its memory, sampled all the while."""
    folder.mkdir(parents=True)
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "VAR_DIR": str(folder),
        "LOG_FORMAT": "json",
        "DIE_WITH_PARENT": "1",
    }
    ended = threading.Event()
    with (folder / "log").open("wb") as log:
        command = [str(word) for word in stack.worker()]
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
        memory = Memory(pid=process.pid)
        sampling = threading.Thread(target=_sample, args=(memory, ended))
        sampling.start()
        try:
            yield memory
        except Exception:
            sys.stderr.write((folder / "log").read_text()[-SHOWN_BYTES:])
            raise
        finally:
            ended.set()
            sampling.join()
            process.terminate()
            process.wait()


def _sample(memory: Memory, ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_SECONDS):
        try:
            memory.look()
        except psutil.NoSuchProcess:
            return
