"""Many at once: threads with connections of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from accounts.errors import ApiError
from billing.errors import GrantRefused, LedgerConflict, PriceConflict


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Start all calls at the same moment and return in order what each returned, or the class of what it raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return call()
        except (ApiError, LedgerConflict, GrantRefused, PriceConflict) as refused:
            return type(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
