"""The auditor finds every kind of tampering, freezes that wallet alone, and remembers what was clean."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.errors import Forbidden
from accounts.models import Organization
from billing import audit, ledger
from billing.models import AuditMark, AuditRun, Wallet
from billing.replay import Finding, replay
from tests.billing.books import give, key_of, reserve, wallet_of

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def tampering() -> Iterator[psycopg.Cursor]:
    """What only someone with the owner's password can do."""
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner:
        owner.execute("ALTER TABLE billing_transfer DISABLE TRIGGER USER")
        yield owner.cursor()
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        owner.execute("ALTER TABLE billing_transfer ENABLE TRIGGER USER")


@pytest.fixture
def books(acme: Organization, zenith: Organization) -> Organization:
    """Two lots, a captured, a released and an open reservation, a refund, an adjustment."""
    key = key_of(acme, total=500)
    for organization in (acme, zenith):
        give(organization, 30, expires_at=timezone.now() + timedelta(days=30))
        give(organization, 20, "paid")
    captured, released = reserve(acme, 12, api_key=key), reserve(acme, 25, api_key=key)
    ledger.capture(captured.id, Decimal(10))
    ledger.release(released.id)
    ledger.refund(captured.id, Decimal(1), reference="sorry")
    ledger.adjust(acme, Decimal(-5), reference="dispute", reason="test")
    reserve(acme, 4, api_key=key)
    return acme


TAMPERED = [
    ("UPDATE billing_wallet SET balance = balance + 5 WHERE seq > 2", {"I1", "I4"}),
    ("UPDATE billing_wallet SET debt = 3 WHERE seq > 2", {"I1"}),
    ("UPDATE billing_adjustment SET moved = -4, amount = -4", {"I1"}),
    ("UPDATE billing_wallet SET reserved = reserved + 1 WHERE seq > 2", {"I1", "I3", "I4"}),
    (
        "UPDATE billing_creditlot SET remaining = remaining - 1, reserved = reserved + 1 WHERE kind = 'promo'"
        " AND reserved > 0",
        {"I3", "I4", "I15"},
    ),
    (
        "UPDATE billing_creditlot SET granted = granted + 1, remaining = remaining + 1 WHERE kind = 'paid'",
        {"I4", "I15"},
    ),
    ("UPDATE billing_creditlot SET expires_at = expires_at + interval '1 year' WHERE kind = 'promo'", {"I15"}),
    ("UPDATE billing_wallet SET head = decode(repeat('00', 32), 'hex') WHERE seq > 2", {"I5"}),
    ("UPDATE billing_transfer SET reason = 'forged' WHERE seq = 2", {"I5"}),
    ("UPDATE billing_transfer SET amount = amount + 1 WHERE kind = 'refund'", {"I1", "I5", "I6", "I15"}),
    ("UPDATE billing_transfer SET created_at = created_at + interval '1 day' WHERE kind = 'refund'", {"I5"}),
    ("DELETE FROM billing_transfer WHERE kind = 'adjust'", {"I1", "I5", "I15"}),
    ("UPDATE billing_reservation SET captured = 9 WHERE state = 'captured'", {"I6", "I11"}),
    (
        "UPDATE billing_reservation SET state = 'captured', resolved_at = now() WHERE state = 'reserved'",
        {"I3", "I6", "I11"},
    ),
    (
        "UPDATE billing_reservation SET state = 'released', captured = 0, refunded = 0 WHERE state = 'captured'",
        {"I6", "I7", "I11"},
    ),
    ("UPDATE billing_reservationlot SET captured = captured - 1 WHERE captured > 1", {"I3", "I6"}),
    ("UPDATE billing_budgetwindow SET captured = captured + 1 WHERE kind = 'daily'", {"I11"}),
    ("DELETE FROM billing_budgetwindow WHERE kind = 'total'", {"I11"}),
    (
        "UPDATE accounts_apikey SET organization_id = (SELECT wallet_id FROM billing_creditlot GROUP BY 1"
        " HAVING sum(captured) = 0) WHERE id IN (SELECT api_key_id FROM billing_reservation)",
        {"I12"},
    ),
    ("UPDATE billing_creditlot SET priority = 99 WHERE kind = 'promo'", {"I9"}),
]


@pytest.mark.parametrize(("statement", "broken"), TAMPERED)
def test_tampering_is_found_and_freezes_that_wallet_alone(
    books: Organization, zenith: Organization, statement: str, broken: set[str]
) -> None:
    assert audit.audit_all().findings == []
    statement = statement.replace("kind = 'promo'", f"kind = 'promo' AND wallet_id = '{books.pk}'")
    statement = statement.replace("kind = 'paid'", f"kind = 'paid' AND wallet_id = '{books.pk}'")
    statement = statement.replace("seq = 2", f"seq = 2 AND wallet_id = '{books.pk}'")
    with tampering() as owner:
        assert owner.execute(statement).rowcount >= 1

    found = audit.audit_all().findings

    assert {finding["invariant"] for finding in found} == broken
    assert all(finding["subject"].startswith(books.public_id) for finding in found)
    with pytest.raises(Forbidden):
        reserve(books, 0)
    assert reserve(zenith, 50).amount == 50


def test_a_reserve_from_an_expired_lot_is_found(books: Organization) -> None:
    with tampering() as owner:
        owner.execute("UPDATE billing_transfer SET lot_expires_at = '2020-01-01' WHERE kind IN ('grant', 'reserve')")

    found = {finding["invariant"] for finding in audit.audit_all().findings}

    assert {"I5", "I10", "I15"} <= found


def test_a_transfer_that_overdraws_is_found_although_later_ones_make_up_for_it(books: Organization) -> None:
    wallet = wallet_of(books)
    grant, *others = wallet.transfers.order_by("seq")

    found = replay([*others, grant], {lot.id: lot for lot in wallet.lots.all()}).findings

    assert ("I2", "transfer 4") in {(finding.invariant, finding.subject) for finding in found}
    assert {"I4", "I5"} <= {finding.invariant for finding in found}


def test_only_changed_wallets_are_audited_again_until_they_are_clean(books: Organization, zenith: Organization) -> None:
    assert audit.audit_changed().wallets == 2
    assert audit.audit_changed().wallets == 0
    give(books, 1)
    assert audit.audit_changed().wallets == 1
    assert AuditMark.objects.get(wallet_id=books.pk).seq == wallet_of(books).seq

    give(zenith, 1)
    with tampering() as owner:
        owner.execute("UPDATE billing_wallet SET balance = balance + 1 WHERE organization_id = %s", [zenith.pk])

    assert [len(audit.audit_changed().findings) > 0 for _ in range(2)] == [True, True]
    assert wallet_of(zenith).frozen_reason == f"Audit {AuditRun.objects.order_by('pk')[3].pk} found I1, I4 broken."


def test_every_wallet_has_its_turn_although_a_run_has_little_time(books: Organization, zenith: Organization) -> None:
    turns: list[object] = []

    def slow(wallet: Wallet) -> list[Finding]:
        turns.append(wallet.pk)
        time.sleep(0.02)
        return []

    for _ in range(4):
        run = audit.run("all wallets", Wallet.objects.all(), [slow], seconds=0.01)
        assert (run.wallets, run.scope, run.findings) == (1, "some of all wallets", [])

    assert set(turns[:2]) == set(turns[2:]) == {books.pk, zenith.pk}


def test_a_wallet_that_breaks_its_audit_stands_in_nobodys_way(books: Organization, zenith: Organization) -> None:
    turns: list[object] = []

    def broken_off(wallet: Wallet) -> list[Finding]:
        turns.append(wallet.pk)
        raise InterruptedError

    for _ in range(2):
        with pytest.raises(InterruptedError):
            audit.run("all wallets", Wallet.objects.all(), [broken_off])

    assert set(turns) == {books.pk, zenith.pk}
    assert audit.audit_changed().wallets == 2


def no_round_balance(wallet: Wallet) -> list[Finding]:
    problem = "is round"
    return [Finding(invariant="I0", subject="wallet", problem=problem)] if wallet.balance % 10 == 0 else []


def test_the_apps_above_add_their_checks(books: Organization, settings: object) -> None:
    settings.AUDIT_CHECKS = [f"{__name__}.no_round_balance"]
    give(books, 50 - wallet_of(books).balance % 10)

    subjects = [finding["subject"] for finding in audit.audit_all().findings]

    assert f"{books.public_id} wallet" in subjects


def test_the_command_is_content_with_clean_books(books: Organization) -> None:
    said = StringIO()

    for options in ([], ["--changed"], ["--organization", books.public_id]):
        call_command("verify_ledger", *options, stdout=said)

    assert [line.partition(", ")[2] for line in said.getvalue().splitlines()] == [
        "all wallets: 2 wallets, 0 findings.",
        "changed wallets: 0 wallets, 0 findings.",
        f"wallet of {books.public_id}: 1 wallets, 0 findings.",
    ]
    assert AuditRun.objects.filter(finished_at__isnull=False).count() == 3


def test_the_command_prints_a_table_and_exits_with_1(books: Organization) -> None:
    said = StringIO()
    with tampering() as owner:
        owner.execute("UPDATE billing_budgetwindow SET captured = captured + 1 WHERE kind = 'total'")

    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", "--organization", books.public_id, stdout=said)

    assert ended.value.code == 1
    _, head, row = said.getvalue().splitlines()
    assert head.split() == ["invariant", "subject", "problem"]
    assert row.startswith(f"I11        {books.public_id} budget ")
    assert row.endswith("total  its window does not equal the sum of its reservations")


def test_the_command_refuses_an_unknown_organization(db: None) -> None:
    with pytest.raises(CommandError, match="No organization org_nobody"):
        call_command("verify_ledger", "--organization", "org_nobody")
