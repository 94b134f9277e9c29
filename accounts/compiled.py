"""Queries of the busiest paths, whose SQL is spelled once: Django needs longer for that than PostgreSQL for the answer.

    FIND = Compiled(lambda: Wallet.objects.select_for_update(no_key=True).filter(pk=Given("wallet_id")))
    wallets = FIND(wallet_id=organization.pk)

Everything else is Django's own: the rows come through its compiler, with converters and related objects.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
    """A statement with its values. `read` makes rows of what is fetched; None where there is nothing to fetch."""

    text: str
    values: Sequence[Any]
    read: Callable[[list[tuple[Any, ...]]], list[Any]] | None = None


class Answer:
    """The rows that a question was or will be answered with."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._rows: list[Any] | None = None

    @property
    def rows(self) -> list[Any]:
        """Asks for them at last, with all that waits, when nothing else was asked meanwhile."""
        if self._rows is None:
            together()
        assert self._rows is not None, "it was asked for in a trip that has ended in an error"
        return self._rows

    def take(self, rows: list[Any]) -> None:
        self._rows = rows


NEXT = ";\n"
"""What stands between the statements of one trip."""
_waiting: ContextVar[list[Answer] | None] = ContextVar("what waits for the next trip", default=None)


def together(*questions: Question) -> list[list[Any]]:
    """The rows of each, for one round trip: PostgreSQL answers them in turn, and each sees what is committed by then.

    So a lock and what it guards can be asked for together. The driver puts the values into the text, so all of it is
    one message; its pipeline mode would cost more than a trip for each.
    """
    waiting = _waiting.get() or []
    asked = [Answer(question) for question in questions]
    sent = [*waiting, *asked]
    waiting.clear()
    with connection.cursor() as cursor:
        cursor.execute(
            NEXT.join(answer.question.text for answer in sent),
            [value for answer in sent for value in answer.question.values],
        )
        for answer in sent:
            read = answer.question.read
            answer.take(read(cursor.fetchall()) if read else [])
            cursor.nextset()
    return [answer.rows for answer in asked]


def ask(question: Question) -> Answer:
    """Run a statement whose answer is wanted later, if at all: inside `in_one_trip` with whatever is asked next."""
    answer, waiting = Answer(question), _waiting.get()
    if waiting is None:
        answer.take(together(question)[0])
    else:
        waiting.append(answer)
    return answer


@contextmanager
def in_one_trip() -> Iterator[None]:
    """What is asked for later inside the block travels with the next question, or at its end, in the same order."""

    def after_what_waits(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if waiting:
            together()
        return execute(sql, params, many, context)

    waiting: list[Answer] = []
    before = _waiting.set(waiting)
    try:
        with connection.execute_wrapper(after_what_waits):
            yield
            if waiting:
                together()
    finally:
        _waiting.reset(before)
