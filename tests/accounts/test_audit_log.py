"""The audit log: who did what, from where and why; in the transaction of the change, without secrets, for ever."""

import sys
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error, connection, transaction
from django.test import RequestFactory

from accounts import acting, audit_log, keys, members, organizations
from accounts.models import ApiKey, AuditEntry, Role, User
from tests.cast import Person

STATEMENTS = [
    "UPDATE accounts_auditentry SET reason = 'another'",
    "DELETE FROM accounts_auditentry",
    "TRUNCATE accounts_auditentry",
    "TRUNCATE accounts_auditentry CASCADE",
]


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


def test_an_entry_of_the_api_names_the_key_the_request_and_the_address(alice: Person) -> None:
    answer = alice.client.post(
        "/v1/keys", {"name": "CI", "scopes": ["read"], "daily_limit": 5}, headers={"x-request-id": "request-4711"}
    )

    made, entry = ApiKey.objects.get(name="CI"), newest()
    assert (entry.actor_kind, entry.actor_id, entry.actor) == ("api_key", alice.key.public_id, str(alice.key))
    assert (entry.action, entry.target_type, entry.target_id) == ("key.created", "accounts.apikey", made.public_id)
    assert (entry.organization_id, entry.organization_name) == (alice.organization.pk, "Acme")
    assert (entry.request_id, entry.address) == ("request-4711", "127.0.0.1")
    assert entry.changes["scopes"] == [None, ["read"]] and entry.changes["daily_limit"] == [None, "5.0000"]
    assert answer.json()["secret"] not in str(AuditEntry.objects.values())


def test_an_entry_names_what_changed_and_nothing_else(alice: Person) -> None:
    alice.client.patch(f"/v1/keys/{alice.key.public_id}", {"name": "Main", "enabled": True, "total_limit": 7.5})

    assert newest().action == "key.changed"
    assert newest().changes == {"name": [alice.key.name, "Main"], "total_limit": [None, "7.5000"]}


def test_what_changes_nothing_leaves_no_entry(alice: Person, bob: Person) -> None:
    organizations.suspend(alice.organization, "checking")
    keys.revoke(bob.key, by=None)
    before = AuditEntry.objects.count()

    keys.change(alice.key, by=alice.membership, name=alice.key.name)
    keys.revoke(bob.key, by=None)
    organizations.suspend(alice.organization, "checking again")
    organizations.sandbox_twin(organizations.sandbox_twin(alice.organization).sandbox_of)
    members.change_role(bob.membership, Role.DEVELOPER)

    assert AuditEntry.objects.count() == before + 1  # the twin, once


def test_what_is_refused_leaves_no_entry(alice: Person) -> None:
    before = AuditEntry.objects.count()

    answer = alice.client.delete("/v1/keys/key_" + "0" * 26)

    assert (answer.status_code, AuditEntry.objects.count()) == (404, before)


def test_an_entry_is_lost_with_the_change_that_is_rolled_back(alice: Person, bob: Person) -> None:
    before = AuditEntry.objects.count()

    with pytest.raises(InterruptedError), transaction.atomic():
        keys.revoke(bob.key, by=None)
        raise InterruptedError

    assert ApiKey.objects.get(pk=bob.key.pk).revoked_at is None
    assert AuditEntry.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_nothing_is_recorded() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        audit_log.record(action="key.revoked")
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("is_staff", "kind"), [(True, "operator"), (False, "member")], ids=["an operator", "a member of an organization"]
)
def test_whoever_is_signed_in_acts(db: None, is_staff: bool, kind: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9")
    request.user = User.objects.create_user("olga@gateway.example", is_staff=is_staff)

    with acting.within(request), acting.because("Ticket 4711"):
        entry = audit_log.record(action="test.done")

    assert (entry.actor_kind, entry.actor, entry.actor_id) == (kind, "olga@gateway.example", str(request.user.pk))
    assert (entry.reason, entry.address, entry.request_id) == ("Ticket 4711", "203.0.113.9", "")


def test_a_visitor_acts_in_a_request_that_nobody_signed(db: None) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with acting.within(request):
        assert audit_log.record(action="test.done").actor_kind == "visitor"


@pytest.mark.parametrize(
    ("words", "name"),
    [(["/srv/manage.py", "load_price_book", "--file", "x"], "load_price_book"), (["/usr/bin/gunicorn"], "gunicorn")],
)
def test_a_program_acts_where_there_is_no_request(
    db: None, monkeypatch: pytest.MonkeyPatch, words: list[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setenv("LOGNAME", "deploy")
    entry = audit_log.record(action="test.done")
    assert (entry.actor_kind, entry.actor, entry.address) == ("system", f"{name} (deploy)", None)


def test_the_reason_given_last_and_nearest_counts(db: None) -> None:
    with acting.because("the page's") as act:
        assert audit_log.record(action="test.done").reason == "the page's"
        assert audit_log.record(action="test.done", reason="its own").reason == "its own"
    assert audit_log.record(action="test.done").reason == ""
    assert len(act.entries) == 2


def test_values_are_written_as_json_and_secrets_not_at_all(alice: Person) -> None:
    moment = datetime(2026, 11, 25, 12, tzinfo=UTC)
    entry = audit_log.record(
        action="test.done",
        changes={
            "rate": [Decimal("5.4"), Decimal("6.1")],
            "at": [None, moment],
            "owner": [None, alice.membership.user],
            "networks": [[], ["10.0.0.0/8"]],
            "password": ["argon2$old", "argon2$new"],
            "credentials": [None, {"api_key": "hush"}],
            "encrypted_credentials": [b"", b"hush"],
            "nested": [None, {"secret": "hush", "rate": Decimal(1)}],
        },
    )
    entry.refresh_from_db()
    assert entry.changes == {
        "rate": ["5.4", "6.1"],
        "at": [None, "2026-11-25T12:00:00+00:00"],
        "owner": [None, "alice@acme.example"],
        "networks": [[], ["10.0.0.0/8"]],
        "password": ["…", "…"],
        "credentials": [None, "…"],
        "encrypted_credentials": [None, "…"],
        "nested": [None, {"secret": "…", "rate": "1"}],
    }


def test_an_entry_outlives_those_it_speaks_of(alice: Person, bob: Person) -> None:
    entry = AuditEntry.objects.filter(action="member.added", organization_id=bob.organization.pk).latest("pk")
    bob.membership.user.delete()
    entry.refresh_from_db()
    assert entry.changes == {"user": [None, "bob@acme.example"], "role": [None, "developer"]}


def test_the_entries_of_a_row_are_found(alice: Person, bob: Person) -> None:
    members.change_role(bob.membership, Role.ADMIN)
    assert [one.action for one in audit_log.of(bob.membership)] == ["member.role_changed", "member.added"]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_run_time_role_may_not_change_the_log(alice: Person, statement: str) -> None:
    before = list(AuditEntry.objects.values())

    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert list(AuditEntry.objects.values()) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_trigger_refuses_it_to_the_owner_too(alice: Person, statement: str) -> None:
    before = list(AuditEntry.objects.values())

    with (
        pytest.raises(psycopg.errors.RaiseException),
        psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner,
    ):
        owner.execute(statement)

    assert list(AuditEntry.objects.values()) == before
