"""Several inserts, upserts and updates as ONE SQL statement: one round trip while the wallet's lock is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models


@dataclass(frozen=True, kw_only=True)
class Part:
    sql: str
    params: list[Any]


def insert(rows: Sequence[models.Model], *, unique: Sequence[str] = (), changed: Sequence[str] = ()) -> Part:
    """Insert rows of one model; where a row with the same `unique` columns exists, set its `changed` columns."""
    meta = rows[0]._meta
    fields: list[Any] = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    names = ", ".join(quoted(field.column) for field in fields)
    places = "(" + ", ".join(["%s"] * len(fields)) + ")"
    sql = f"INSERT INTO {quoted(meta.db_table)} ({names}) VALUES {', '.join([places] * len(rows))}"
    if unique:
        values = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in changed)
        sql += f" ON CONFLICT ({', '.join(map(quoted, unique))}) DO UPDATE SET {values}"
    return Part(sql=sql, params=[prepared(row, field) for row in rows for field in fields])


def update(row: models.Model, *changed: str) -> Part:
    """Set the `changed` columns of the row's own record."""
    fields: list[Any] = [row._meta.get_field(name) for name in changed]
    key: Any = row._meta.pk
    values = ", ".join(f"{quoted(field.column)} = %s" for field in fields)
    sql = f"UPDATE {quoted(row._meta.db_table)} SET {values} WHERE {quoted(key.column)} = %s"
    return Part(sql=sql, params=[*(prepared(row, field) for field in fields), row.pk])


def execute(parts: Sequence[Part]) -> None:
    """Run the parts as one statement. No two of them may write the same row."""
    *before, last = parts
    steps = ", ".join(f"step_{number} AS ({part.sql})" for number, part in enumerate(before))
    sql = f"WITH {steps} {last.sql}" if before else last.sql
    with connection.cursor() as cursor:
        cursor.execute(sql, [param for part in parts for param in part.params])


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def prepared(row: models.Model, field: Any) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)
