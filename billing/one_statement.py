"""Several inserts, upserts and updates as ONE SQL statement: one round trip while the wallet's lock is held.

The rows of a table travel as one JSON parameter, so that the text depends on nothing but which tables and columns are
written: it is spelled once, and the driver has one value to quote where there were dozens.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models

from accounts.compiled import Question, ask


@dataclass(frozen=True, kw_only=True)
class Part:
    sql: str
    rows: Sequence[models.Model]
    columns: Sequence[str]


def insert(rows: Sequence[models.Model], *, unique: Sequence[str] = (), changed: Sequence[str] = ()) -> Part:
    """Insert rows of one model; where a row with the same `unique` columns exists, set its `changed` columns."""
    model = type(rows[0])
    return Part(sql=_insert(model, tuple(unique), tuple(changed)), rows=rows, columns=_columns(model))


def update(row: models.Model, *changed: str) -> Part:
    """Set the `changed` columns of the row's own record."""
    model = type(row)
    return Part(sql=_update(model, changed), rows=[row], columns=(_key(model), *changed))


def execute(parts: Sequence[Part]) -> None:
    """Run the parts as one statement (see `compiled.ask` for when). No two of them may write the same row."""
    *before, last = parts
    steps = ", ".join(f"step_{number} AS ({part.sql})" for number, part in enumerate(before))
    sql = f"WITH {steps} {last.sql}" if before else last.sql
    ask(Question(text=sql, values=[_json(part) for part in parts]))
    for part in parts:
        for row in part.rows:
            row._state.adding = False


@cache
def _insert(model: type[models.Model], unique: tuple[str, ...], changed: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, _columns(model)))
    sql = f"INSERT INTO {_table(model)} ({names}) SELECT {names} FROM {_rows(model)}"
    if unique:
        values = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in changed)
        sql += f" ON CONFLICT ({', '.join(map(_quoted, unique))}) DO UPDATE SET {values}"
    return sql


@cache
def _update(model: type[models.Model], changed: tuple[str, ...]) -> str:
    values = ", ".join(f"{_quoted(name)} = row.{_quoted(name)}" for name in changed)
    key = _quoted(_key(model))
    return f"UPDATE {_table(model)} AS present SET {values} FROM {_rows(model)} AS row WHERE present.{key} = row.{key}"


@cache
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    """All that the database does not number by itself. Every model here names its columns as its attributes."""
    return tuple(field.attname for field in model._meta.concrete_fields if not isinstance(field, models.AutoField))


def _key(model: type[models.Model]) -> str:
    key: Any = model._meta.pk
    return str(key.attname)


def _table(model: type[models.Model]) -> str:
    return _quoted(model._meta.db_table)


def _rows(model: type[models.Model]) -> str:
    return f"jsonb_populate_recordset(NULL::{_table(model)}, %s)"


def _json(part: Part) -> str:
    rows = [{name: getattr(row, name) for name in part.columns} for row in part.rows]
    return json.dumps(rows, default=_spelled)


def _spelled(value: object) -> str:
    """As PostgreSQL reads it: Decimals, UUIDs and times as they are written, bytes in hexadecimal digits."""
    return f"\\x{bytes(value).hex()}" if isinstance(value, bytes | memoryview) else str(value)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
