"""What the ledger adds to its own SQL: reserve and capture by it, and the very same statements through bare psycopg.

While the ledger works, its statements are kept; they are then sent again, with the same parameters and in the same
transactions, to a copy of the database that was made before. So both sides do the same to the same rows.
"""

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from accounts import ids
from accounts.models import ApiKey
from billing import ledger
from tests.benchmarks import processes

Transaction = list[tuple[str, Any]]
AMOUNT = Decimal("16.2")


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one process does: cycles of a reserve and a capture, on the wallets of these keys in turn."""

    keys: Sequence[object]
    cycles: int
    transcript: Path
    twin: str


Side = Callable[[Share], tuple[float, float]]
"""Does a share, and says when its first cycle began and its last one ended."""


def by_ledger(share: Share) -> tuple[float, float]:
    """By our own code, which leaves its statements behind."""
    keys = list(ApiKey.objects.filter(pk__in=share.keys).select_related("organization", "budget"))
    done: list[Transaction] = []
    processes.together()
    started = time.monotonic()
    for key in islice(cycle(keys), share.cycles):
        task_id = ids.new()
        with kept(done):
            ledger.reserve(key.organization, task_id, AMOUNT, api_key=key)
        with kept(done):
            ledger.capture(task_id)
    ended = time.monotonic()
    share.transcript.write_bytes(pickle.dumps(done))
    connection.close()
    return started, ended


def by_psycopg(share: Share) -> tuple[float, float]:
    """By the statements that `by_ledger` left behind, over a connection like the product's."""
    transactions: list[Transaction] = pickle.loads(share.transcript.read_bytes())
    with psycopg.connect(share.twin, cursor_factory=psycopg.ClientCursor, prepare_threshold=None) as raw:
        raw.execute("SELECT 1")
        raw.commit()
        processes.together()
        started = time.monotonic()
        for transaction in transactions:
            with raw.transaction():
                for statement, parameters in transaction:
                    cursor = raw.execute(statement, parameters)
                    if cursor.description:
                        cursor.fetchall()
        return started, time.monotonic()


@contextmanager
def kept(done: list[Transaction]) -> Iterator[None]:
    """Keep the statements of the block, as one transaction."""
    transaction: Transaction = []

    def keep(execute: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:
        transaction.append((statement, parameters))
        return execute(statement, parameters, many, context)

    with connection.execute_wrapper(keep):
        yield
    done.append(transaction)
