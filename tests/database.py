"""The test database: made by the owner role, used by the run-time role, emptied by the owner between tests.

Django empties tables with TRUNCATE; the run-time role may not, and append-only tables refuse it by trigger. So the
owner switches those triggers off, deletes, puts back the rows that migrations made, and switches them on, in one
transaction. What many tests begin with can be remembered and restored likewise.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

SEEDS, YEAR = "seeds", "year"  # schemas that keep what the migrations inserted, and the year of the reports' tests
KEPT_TABLES = ("django_migrations", "django_content_type", "auth_permission")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"
TABLES_WITH_TRIGGERS = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
WRITABLE_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position"""


@contextmanager
def owner_cursor() -> Iterator[psycopg.Cursor]:
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner:
        yield owner.cursor()


def tables(cursor: psycopg.Cursor, schema: str) -> list[str]:
    return [name for (name,) in cursor.execute(TABLES, [schema]).fetchall() if name not in KEPT_TABLES]


def filled(cursor: psycopg.Cursor, names: list[str]) -> set[str]:
    """Those tables that hold at least one row."""
    one = "SELECT {literal} WHERE EXISTS (SELECT FROM {table})"
    parts = [sql.SQL(one).format(literal=name, table=sql.Identifier(name)) for name in names]
    return {name for (name,) in cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()}


def remember(schema: str) -> None:
    """Copy every row that there is to where no test sees it."""
    with owner_cursor() as cursor:
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        for name in filled(cursor, tables(cursor, "public")):
            copy = "CREATE TABLE {} AS TABLE {}"
            cursor.execute(sql.SQL(copy).format(sql.Identifier(schema, name), sql.Identifier("public", name)))


def put_back(cursor: psycopg.Cursor, schema: str, name: str) -> None:
    columns = [sql.Identifier(column) for (column,) in cursor.execute(WRITABLE_COLUMNS, [name]).fetchall()]
    insert = "INSERT INTO {table} ({columns}) SELECT {columns} FROM {copy}"
    parts = {"table": sql.Identifier(name), "columns": sql.SQL(", ").join(columns)}
    cursor.execute(sql.SQL(insert).format(copy=sql.Identifier(schema, name), **parts))


def restore(schema: str) -> None:
    """Leave the rows that were remembered under this name and no others."""
    with owner_cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        remembered = tables(cursor, schema)
        touched = sorted(filled(cursor, tables(cursor, "public")) | set(remembered))
        guarded = {name for (name,) in cursor.execute(TABLES_WITH_TRIGGERS).fetchall()} & set(touched)
        for name in guarded:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(name)))
        for name in touched:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        for name in remembered:
            put_back(cursor, schema, name)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in guarded:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(name)))


def empty() -> None:
    """Leave the database as the migrations made it."""
    restore(SEEDS)


def empty_after_transactional_tests() -> None:
    """Replace Django's flush, which the run-time role may not do."""
    TransactionTestCase._fixture_teardown = lambda case: empty()
