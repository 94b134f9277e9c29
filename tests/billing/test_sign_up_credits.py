"""The credits of a sign-up: once for a mailbox, for ever, however it is spelled and however many come at once."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts import members
from accounts.errors import Forbidden
from accounts.models import AuditEntry, Membership, Organization, Role, User
from billing import audit, opening
from billing.models import CreditLot, SignUpCredits, Wallet
from billing.sign_up_credits import grant_sign_up_credits
from tests.billing.books import findings, totals
from tests.billing.racing import at_once
from tests.cast import organization_of, owner_of


@pytest.fixture(autouse=True)
def thirty_credits_for_thirty_days(settings: Settings) -> None:
    settings.SIGN_UP_CREDITS, settings.SIGN_UP_CREDITS_EXPIRE_DAYS = Decimal(30), 30


def owner(organization: Organization) -> User:
    return owner_of(organization).user


def test_a_sign_up_brings_promo_credits_that_expire(acme: Organization, clock: time_machine.Traveller) -> None:
    lot = grant_sign_up_credits(owner(acme), acme)

    assert lot is not None
    assert (lot.granted, lot.kind, lot.reference) == (30, "promo", "sign-up")
    assert lot.expires_at == timezone.now() + timedelta(days=30)
    assert totals(acme) == (30, 0)
    assert AuditEntry.objects.filter(action="sign_up_credits.granted").count() == 1
    assert findings() == []


def test_called_again_it_is_the_same_lot(acme: Organization, settings: Settings) -> None:
    first = grant_sign_up_credits(owner(acme), acme)
    settings.SIGN_UP_CREDITS = Decimal(50)
    assert grant_sign_up_credits(owner(acme), acme) == first
    assert totals(acme) == (30, 0)


@pytest.mark.parametrize("spelled", ["A.L.I.C.E@gmail.com", "alice+2@googlemail.com", "alice@gmail.com"])
def test_a_mailbox_brings_them_once_however_it_is_spelled(db: None, spelled: str) -> None:
    first, second = organization_of("First", "alice@gmail.com"), organization_of("Second", "carol@gmail.com")
    grant_sign_up_credits(owner(first), first)
    user = members.add(second, spelled, Role.ADMIN).user

    assert grant_sign_up_credits(user, second) is None

    assert (totals(first), totals(second)) == ((30, 0), (0, 0))
    assert SignUpCredits.objects.count() == 1


def test_an_organization_has_them_once_whoever_its_members_are(acme: Organization) -> None:
    bob = members.add(acme, "bob@acme.example", Role.ADMIN).user
    assert grant_sign_up_credits(owner(acme), acme) is not None
    assert grant_sign_up_credits(bob, acme) is None
    zenith = organization_of("Zenith", "zoe@zenith.example")
    members.add(zenith, "bob@acme.example", Role.ADMIN)
    assert grant_sign_up_credits(bob, zenith) is not None
    assert (totals(acme), totals(zenith)) == ((30, 0), (30, 0))


def test_they_are_remembered_when_the_user_and_the_organization_are_gone(acme: Organization) -> None:
    grant_sign_up_credits(owner(acme), acme)
    Membership.objects.all().delete()
    User.objects.all().delete()
    constraints = connection.introspection.get_constraints(connection.cursor(), "billing_signupcredits")
    assert [name for name, one in constraints.items() if one["foreign_key"]] == []

    again = organization_of("Again", "alice+again@acme.example")

    assert grant_sign_up_credits(owner(again), again) is None
    assert totals(again) == (0, 0)


def test_the_mailbox_itself_is_not_kept(acme: Organization) -> None:
    grant_sign_up_credits(owner(acme), acme)
    assert "alice" not in str(SignUpCredits.objects.values())
    assert len(bytes(SignUpCredits.objects.get().mailbox)) == 32


def test_a_stranger_and_a_sandbox_bring_nothing(acme: Organization, zenith: Organization) -> None:
    twin = opening.open_sandbox(acme, Decimal(0))
    for user, organization, code in (
        (owner(zenith), acme, "not_a_member"),
        (owner(acme), twin, "no_credits_for_sandbox"),
    ):
        with pytest.raises(Forbidden) as refused:
            grant_sign_up_credits(user, organization)
        assert refused.value.code == code
    assert not SignUpCredits.objects.exists() and not CreditLot.objects.exists()


def test_with_nothing_to_grant_nothing_is_remembered(acme: Organization, settings: Settings) -> None:
    settings.SIGN_UP_CREDITS = Decimal(0)
    assert grant_sign_up_credits(owner(acme), acme) is None
    assert not SignUpCredits.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_sign_ups_of_one_mailbox_at_once_bring_one_grant() -> None:
    organizations = [organization_of(f"O{number}", f"alice+{number}@gmail.com") for number in range(12)]
    Wallet.objects.all().delete()

    outcomes = at_once([lambda one=one: grant_sign_up_credits(owner(one), one) for one in organizations])

    assert len([lot for lot in outcomes if lot is not None]) == 1
    assert (SignUpCredits.objects.count(), CreditLot.objects.count()) == (1, 1)
    assert audit.audit_all().findings == []


@pytest.mark.django_db(transaction=True)
def test_one_organization_at_once_has_one_grant(acme: Organization) -> None:
    users = [members.add(acme, f"m{number}@acme.example", Role.OWNER).user for number in range(4)]
    at_once([lambda user=user: grant_sign_up_credits(user, acme) for user in users * 3])
    assert (SignUpCredits.objects.count(), totals(acme)) == (1, (30, 0))
