"""Processes of our own, with Django and without anything else, that begin their work at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

import django

_gates: list[Barrier] = []  # one, in each of the processes


@contextmanager
def started(count: int) -> Iterator[ProcessPoolExecutor]:
    context = get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(context.Barrier(count),)) as pool:
        yield pool


def together() -> None:
    """Wait until every process of the pool is here."""
    _gates[0].wait(timeout=60)


def _begin(gate: Barrier) -> None:
    _gates.append(gate)
    django.setup()
