"""Many rows at a time into their tables, by COPY: instances go in, a table's turn comes when it has many."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

AT_A_TIME = 5_000
Read = Callable[[models.Model], Any]


class Rows:
    """Rows that wait to be written. Keys that the database counts up are left to it, unless the first row has one."""

    def __init__(self) -> None:
        self.waiting: dict[type[models.Model], list[models.Model]] = defaultdict(list)

    def add(self, *rows: models.Model) -> None:
        for row in rows:
            waiting = self.waiting[type(row)]
            waiting.append(row)
            if len(waiting) >= AT_A_TIME:
                self._write(type(row))

    def write(self) -> None:
        """Everything that waits."""
        for model in list(self.waiting):
            self._write(model)

    def _write(self, model: type[models.Model]) -> None:
        rows = self.waiting.pop(model)
        reads = dict(_columns(model, counted=rows[0].pk is None))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, reads))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([read(row) for read in reads.values()])


def numbers(model: type[models.Model], count: int) -> list[int]:
    """Keys for so many rows of a table that counts them up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [number for (number,) in cursor.fetchall()]


def _columns(model: type[models.Model], *, counted: bool) -> Iterable[tuple[str, Read]]:
    for column in model._meta.concrete_fields:
        if column.primary_key and counted:
            continue
        yield str(column.column), _reader(column)


def _reader(column: models.Field) -> Read:
    name = column.attname
    if isinstance(column, models.JSONField):
        return lambda row: json.dumps(_plain(getattr(row, name)), ensure_ascii=False)
    if column.db_default is not models.NOT_PROVIDED:
        return lambda row: _plain(getattr(row, name))
    return lambda row: getattr(row, name)


def _plain(value: Any) -> Any:
    """What the database would put where a row leaves a column to its default."""
    if isinstance(value, DatabaseDefault):
        value = value.expression  # type: ignore[attr-defined]  # the stubs do not know it
    return getattr(value, "value", value) if isinstance(value, models.Value) else value


def spelled(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
