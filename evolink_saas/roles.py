"""Two database roles: the owner migrates and owns every table; the run-time role works and owns nothing.

Triggers and row-level security bind the run-time role alone, so nothing but `migrate` ever uses the owner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dj_database_url
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS

APPEND_ONLY_TABLES = ("billing_transfer", "billing_providercost", "accounts_auditentry")
LOGIN = ("USER", "PASSWORD", "HOST", "PORT")


def run_time_role() -> str:
    return dj_database_url.parse(settings.DATABASE_URL)["USER"]


def log_in(connection: BaseDatabaseWrapper, url: str) -> None:
    """Let the connection's next query log in as `url` says, to the database it already has."""
    connection.close()
    login: dict[str, Any] = {**dj_database_url.parse(url)}
    connection.settings_dict.update({key: login[key] for key in LOGIN})


@contextmanager
def as_owner(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Use the owner role inside the block, and whatever role was used before it afterwards."""
    if connection.alias != DEFAULT_DB_ALIAS:
        yield
        return
    before = {key: connection.settings_dict[key] for key in LOGIN}
    log_in(connection, settings.DATABASE_OWNER_URL)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def grant(connection: BaseDatabaseWrapper) -> None:
    """Give the run-time role its rights on every table, present and future; called as the owner."""
    role = run_time_role()
    if role == connection.settings_dict["USER"]:
        return
    name = connection.ops.quote_name(role)
    rights, sequence_rights = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"
    statements = [
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT {sequence_rights} ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON TABLES TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {sequence_rights} ON SEQUENCES TO {name}",
    ]
    present = connection.introspection.table_names()
    statements += [f"REVOKE UPDATE, DELETE ON {table} FROM {name}" for table in APPEND_ONLY_TABLES if table in present]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
