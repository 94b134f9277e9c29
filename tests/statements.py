"""Counting what is sent to the database: statements of one trip count each."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.compiled import NEXT


@contextmanager
def statements(expected: int) -> Iterator[None]:
    """Everything that is sent to the database counts, BEGIN and COMMIT too."""
    with CaptureQueriesContext(connection) as captured:
        yield
    sent = [statement[:150] for query in captured for statement in query["sql"].split(NEXT)]
    assert len(sent) == expected, "\n".join(sent)
