"""Queries of the busiest paths, whose SQL is spelled once: Django needs longer for that than PostgreSQL for the answer.

    FIND = Compiled(lambda: Wallet.objects.select_for_update(no_key=True).filter(pk=Given("wallet_id")))
    wallets = FIND(wallet_id=organization.pk)

Everything else is Django's own: the rows come through its compiler, with converters and related objects.
"""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connections
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
        rows, spelled, text, parameters = self._spelled
        values = tuple(given[value.name] if isinstance(value, Given) else value for value in parameters)
        compiler: Any = copy(spelled)
        compiler.connection, compiler.as_sql = connections[rows.db], lambda *args, **kwargs: (text, values)
        query: Any = copy(rows.query)
        query.get_compiler = lambda *args, **kwargs: compiler
        found: Any = rows._iterable_class(QuerySet(rows.model, query))
        return list(found)
