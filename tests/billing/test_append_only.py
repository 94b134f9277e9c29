"""Transfers cannot be changed, removed or truncated: not by the run-time role, and by trigger not even by the owner."""

import psycopg
import pytest
from django.conf import settings
from django.db import Error, connection, transaction

from accounts.models import Organization
from billing import book_checks
from billing.models import Transfer
from tests.billing.books import findings, give

STATEMENTS = [
    "UPDATE billing_transfer SET amount = amount + 1",
    "DELETE FROM billing_transfer",
    "TRUNCATE billing_transfer",
    "TRUNCATE billing_transfer CASCADE",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_run_time_role_may_not(acme: Organization, statement: str) -> None:
    give(acme, 10)

    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert Transfer.objects.get().amount == 10
    assert findings() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_trigger_refuses_it_to_the_owner_too(acme: Organization, statement: str) -> None:
    give(acme, 10)

    with (
        pytest.raises(psycopg.errors.RaiseException),
        psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner,
    ):
        owner.execute(statement)

    assert Transfer.objects.get().amount == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["billing_transfer", "billing_providercost", "accounts_auditentry"])
def test_the_auditor_sees_triggers_that_were_switched_off(acme: Organization, table: str) -> None:
    assert book_checks.unguarded() == []
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        assert {(found.subject, found.problem) for found in book_checks.unguarded()} == {
            (table, f"no enabled trigger refuses {operation}") for operation in ("UPDATE", "DELETE", "TRUNCATE")
        }
    finally:
        with psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
