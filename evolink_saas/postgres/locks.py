"""The three locks of one server, all of the kernel's making, so that a killed process leaves none behind.

users    shared by every process that uses the server; who gets it exclusively knows that nobody does
start    held while the server is looked at, created or started
keeper   held by the one keeper
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evolink_saas.postgres.problem import PostgresProblem

held: dict[Path, int] = {}  # by directory: descriptors that stay open as long as this process lives


def open_lock(directory: Path, name: str) -> int:
    path = directory / f"{name}.lock"
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise PostgresProblem(f"{path} belongs to another user: run as that user, or set DATABASE_URL.") from None


def become_user(directory: Path) -> None:
    """Count this process, and the processes it forks, among the server's users; waits while the server is stopped."""
    if directory not in held:
        descriptor = open_lock(directory, "users")
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        held[directory] = descriptor


def wait_for_last_user(directory: Path) -> None:
    """Return when no process uses the server; new users wait until this process ends."""
    fcntl.flock(open_lock(directory, "users"), fcntl.LOCK_EX)


@contextmanager
def starting(directory: Path) -> Iterator[None]:
    descriptor = open_lock(directory, "start")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take_keeper(directory: Path, patience_seconds: float = 0) -> int | None:
    """A descriptor that makes its owner the keeper while it is open, or None when there is a keeper.

    A new keeper is patient: others who only look whether there is one hold the lock for an instant, too.
    """
    descriptor = open_lock(directory, "keeper")
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.05)
