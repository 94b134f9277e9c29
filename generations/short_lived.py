"""A value that each process keeps for a short time, so that a busy path asks the database for it once in a while.

While one thread fetches a new value the others go on with the last one; only the first value is waited for.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ShortLived(Generic[Value]):
    """Called, the value: fetched anew when it is older than `seconds`."""

    def __init__(self, fetch: Callable[[], Value], *, seconds: float) -> None:
        self._fetch, self._seconds = fetch, seconds
        self._lock = threading.Lock()
        self._kept: tuple[float, Value] | None = None

    def __call__(self) -> Value:
        kept = self._kept
        if kept is not None and (time.monotonic() < kept[0] or not self._lock.acquire(blocking=False)):
            return kept[1]
        if kept is None:
            self._lock.acquire()
        try:
            return self._fresh()
        finally:
            self._lock.release()

    def last(self) -> Value | None:
        """The last value, however old; None when there was none yet."""
        return self._kept[1] if self._kept else None

    def forget(self) -> None:
        self._kept = None

    def _fresh(self) -> Value:
        """Under the lock: another thread may have fetched it meanwhile."""
        kept = self._kept
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        value = self._fetch()
        self._kept = (time.monotonic() + self._seconds, value)
        return value
