"""Queries of the busiest paths, whose SQL is spelled once: Django needs longer for that than PostgreSQL for the answer.

    FIND = Compiled(lambda: Wallet.objects.select_for_update(no_key=True).filter(pk=Given("wallet_id")))
    wallets = FIND(wallet_id=organization.pk)

Everything else is Django's own: the rows come through its compiler, with converters and related objects.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection, connections
from django.db.models import Expression, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")


class Given(Expression):
    """A value that is known only when the query is run. It goes to the driver as it is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class Compiled(Generic[Row]):
    """Called with its given values, the list of its rows."""

    def __init__(self, query: Callable[[], QuerySet[Any, Row]]) -> None:
        self._query = query

    @cached_property
    def _spelled(self) -> tuple[QuerySet[Any, Row], SQLCompiler, str, tuple[Any, ...]]:
        rows = self._query()
        compiler: Any = rows.query.get_compiler(rows.db)
        text, parameters = compiler.as_sql()
        converters = compiler.get_converters([selected[0] for selected in compiler.select])
        compiler.get_converters = lambda expressions: converters
        return rows, compiler, text, tuple(parameters)

    def __call__(self, **given: Any) -> list[Row]:
        rows: list[Row] = together(self.given(**given))[0]
        return rows

    def given(self, **given: Any) -> "Question":
        """The query with its values, for `together`."""
        text, parameters = self._spelled[2:]
        values = [given[value.name] if isinstance(value, Given) else value for value in parameters]
        return Question(text=text, values=values, read=self._read)

    def _read(self, fetched: list[tuple[Any, ...]]) -> list[Row]:
        """What Django makes of the fetched rows."""
        rows, spelled, _, _ = self._spelled
        compiler: Any = copy(spelled)
        compiler.connection, compiler.execute_sql = connections[rows.db], lambda *args, **kwargs: [fetched]
        query: Any = copy(rows.query)
        query.get_compiler = lambda *args, **kwargs: compiler
        found: Any = rows._iterable_class(QuerySet(rows.model, query))
        return list(found)


@dataclass(frozen=True, kw_only=True)
class Question:
    text: str
    values: list[Any]
    read: Callable[[list[tuple[Any, ...]]], list[Any]]


def together(*questions: Question) -> list[list[Any]]:
    """The rows of each, for one round trip: PostgreSQL answers them in turn, and each sees what is committed by then.

    So a lock and what it guards can be asked for together.
    """
    cursors = [connection.cursor() for _ in questions]
    with in_one_trip() if len(questions) > 1 else nullcontext():
        for cursor, question in zip(cursors, questions, strict=True):
            cursor.execute(question.text, question.values)
        return [question.read(cursor.fetchall()) for cursor, question in zip(cursors, questions, strict=True)]


@contextmanager
def in_one_trip() -> Iterator[None]:
    """Statements of the block are sent without waiting for the one before; fetching sends them, and waits."""
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
