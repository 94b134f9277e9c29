"""Start processes that end with us, and end what a killed start left behind.

Each leads a process group of its own, so that Ctrl-C reaches only us and a whole group can be ended at once; it dies
with us where the kernel can do that, and stands in a record file by process id and start time: the next start ends
what it finds there.

    with Family(record) as family:
        family.start("web", [...], on_line=print_line)
        ...                                             # leaving the block ends them all
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

import psutil

from evolink_saas import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
START_TOLERANCE_SECONDS = 5  # the clock may be set while a process runs
OnLine = Callable[[str, str], None]


class AlreadyRunning(Exception):
    """The process that wrote the record is still at work."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"It is running already, as process {pid}.")
        self.pid = pid


class Child(Protocol):
    """What a family asks of its processes, as `subprocess.Popen` answers it."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...


class Forked:
    """A child that runs a function of this program: everything is imported already, so it starts at once."""

    LOOK_SECONDS = 0.02
    ENDING = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, work: Callable[[], None], environment: Mapping[str, str], output: int) -> None:
        self.returncode: int | None = None
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes before the child has dropped our handlers waits until it has.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self.ENDING)
        self.pid = os.fork()
        if not self.pid:
            try:
                os.setsid()
                die_with_parent.bind(parent)
                for number in self.ENDING:
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                os.environ.update(environment)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(output, 1)
                work()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired("a forked process", timeout or 0)
            time.sleep(self.LOOK_SECONDS)
        return code

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


class Family:
    """The processes that this one started, ended together."""

    def __init__(self, record: Path) -> None:
        self.record = record
        self.children: dict[str, Child] = {}

    def __enter__(self) -> "Family":
        end_leftovers(self.record)
        self.write()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()
        self.record.unlink(missing_ok=True)

    def start(
        self,
        name: str,
        command: Sequence[object],
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
        output: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command in the project's folder; `on_line(name, line)` gets what it says, the descriptor `output`
        what it writes to stdout. Call it from the main thread: what another thread starts dies with that thread."""
        whole = [sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid()), *map(str, command)]
        child = subprocess.Popen(
            whole,
            cwd=ROOT,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if on_line else output,
            stderr=subprocess.STDOUT if on_line else None,
            start_new_session=True,
        )
        self.children[name] = child
        self.write()
        if on_line:
            threading.Thread(target=read_lines, args=(name, child, on_line), daemon=True).start()
        return child

    def fork(self, name: str, work: Callable[[], None], environment: Mapping[str, str], *, output: int) -> Forked:
        """Run a function in a process of its own; the descriptor `output` gets what it writes to stdout.

        Only the thread that calls it lives on in there, so no other may hold a lock; and no connection may be open,
        since both would talk on it.
        """
        child = self.children[name] = Forked(work, environment, output)
        self.write()
        return child

    def dead(self) -> str | None:
        """The name of a child that has ended, if one has."""
        return next((name for name, child in self.children.items() if child.poll() is not None), None)

    def end_group(self, name: str) -> None:
        """Kill what a child that has ended left of its group."""
        kill_group(self.children.pop(name))
        self.write()

    def end(self, patience_seconds: float = 30) -> None:
        """Ask one after the other to end, the last started first, and kill what is left of their groups."""
        deadline = time.monotonic() + patience_seconds
        for child in reversed(self.children.values()):
            child.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
            kill_group(child)
        self.children.clear()

    def write(self) -> None:
        """Record who we are and whom we started, whole or not at all."""
        groups = {name: identity(child.pid) for name, child in self.children.items()}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.record.with_suffix(".new")
        fresh.write_text(json.dumps({"host": socket.gethostname(), "parent": identity(os.getpid()), "groups": groups}))
        fresh.replace(self.record)


def identity(pid: int) -> list[float]:
    try:
        return [pid, psutil.Process(pid).create_time()]
    except psutil.NoSuchProcess:
        return [pid, time.time()]


def is_same(pid: int, started_at: float) -> bool:
    """Whether that process still lives: a reused pid has another start time."""
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and abs(process.create_time() - started_at) < START_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False


def end_leftovers(record: Path) -> None:
    """Kill the groups in a record whose writer is gone. Raises AlreadyRunning when it is not."""
    try:
        told = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return
    if told["host"] != socket.gethostname():
        return
    pid, started_at = told["parent"]
    if pid != os.getpid() and is_same(int(pid), started_at):
        raise AlreadyRunning(int(pid))
    for leader, leader_started_at in told["groups"].values():
        # While anyone is left in a group, the kernel gives its number to no new process.
        if is_same(int(leader), leader_started_at) or not psutil.pid_exists(int(leader)):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(leader), signal.SIGKILL)


def kill_group(leader: Child) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.send_signal(signal.SIGKILL)  # one that was forked this moment may have no group yet
    leader.wait()


def read_lines(name: str, child: subprocess.Popen[bytes], on_line: OnLine) -> None:
    assert child.stdout
    for line in child.stdout:
        on_line(name, line.decode(errors="replace").rstrip())
