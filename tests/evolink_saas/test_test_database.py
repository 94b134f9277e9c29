"""The tests' own database: the run-time role works in it, and the owner empties it."""

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.db.utils import ProgrammingError

from tests import database


def role_facts() -> tuple[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        return cursor.fetchone()


@pytest.mark.django_db
def test_tests_run_as_the_run_time_role_which_is_no_superuser() -> None:
    assert role_facts() == (psycopg.conninfo.conninfo_to_dict(settings.DATABASE_URL)["user"], False)


@pytest.mark.django_db
def test_the_run_time_role_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["TRUNCATE auth_group CASCADE", "DROP TABLE auth_group", "CREATE TABLE x (y int)"]
)
def test_the_run_time_role_changes_rows_and_never_tables(statement: str) -> None:
    Group.objects.create(name="rows may come")
    Group.objects.all().delete()
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_emptying_takes_every_row_and_leaves_the_triggers_on() -> None:
    Group.objects.create(name="gone")
    database.empty()
    assert not Group.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_emptying_puts_back_what_the_migrations_made() -> None:
    with database.owner_cursor() as cursor:
        cursor.execute("CREATE TABLE seeds.auth_group AS SELECT 1 AS id, 'of a migration'::varchar(150) AS name")
    try:
        database.empty()
        assert list(Group.objects.values_list("id", "name")) == [(1, "of a migration")]
    finally:
        with database.owner_cursor() as cursor:
            cursor.execute("DROP TABLE seeds.auth_group")
