"""Limits and alerts in the console: the cap, thresholds, the spending guard, and who gets e-mails."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import keys, members
from accounts.models import Role
from billing import thresholds
from tests.billing.books import give, reserve, wallet_of
from tests.cast import Person
from tests.console.visitors import Visitor, joined, visitor


def test_a_cap_is_set_and_lifted(owner: Visitor, alice: Person) -> None:
    give(alice.organization, 100)
    reserve(alice.organization, 30)
    seen = owner.post("billing/limits/cap", monthly_cap="50.5").content.decode()
    assert wallet_of(alice.organization).monthly_cap == Decimal("50.5") and "30 / 50.5" in seen
    owner.post("billing/limits/cap", monthly_cap="")
    assert wallet_of(alice.organization).monthly_cap is None


@pytest.mark.parametrize("cap", ["-1", "1.00001", "NaN", "lots"])
def test_a_cap_that_is_none_changes_nothing(owner: Visitor, alice: Person, cap: str) -> None:
    assert owner.post("billing/limits/cap", monthly_cap=cap).status_code == 400
    assert wallet_of(alice.organization).monthly_cap is None


def test_thresholds_are_one_a_line(owner: Visitor, alice: Person) -> None:
    seen = owner.post("billing/limits/thresholds", thresholds="500\n20.5\n\n20.5").content.decode()
    assert list(alice.organization.balance_thresholds.order_by("credits").values_list("credits", flat=True)) == [
        *(Decimal("20.5"), Decimal(500))
    ]
    assert "20.5\n500</textarea>" in seen
    owner.post("billing/limits/thresholds", thresholds="")
    assert not alice.organization.balance_thresholds.exists()


@pytest.mark.parametrize("wanted", ["0", "-5", "ten", "\n".join(map(str, range(1, thresholds.MOST + 2)))])
def test_thresholds_that_cannot_be_change_nothing(owner: Visitor, alice: Person, wanted: str) -> None:
    owner.post("billing/limits/thresholds", thresholds="7")
    assert owner.post("billing/limits/thresholds", thresholds=wanted).status_code == 400
    assert alice.organization.balance_thresholds.get().credits == 7


def test_the_guard_is_switched_on_and_off(owner: Visitor, alice: Person) -> None:
    owner.post("billing/limits/guard", enabled="on", factor="3", minimum="50")
    guard = alice.organization.spending_guard
    assert (guard.factor, guard.minimum, guard.on_since is not None) == (3, 50, True)
    owner.post("billing/limits/guard", factor="3", minimum="50")
    guard.refresh_from_db()
    assert guard.on_since is None
    assert owner.post("billing/limits/guard", enabled="on", factor="0.5", minimum="50").status_code == 400
    guard.refresh_from_db()
    assert (guard.factor, guard.on_since) == (3, None)


def test_a_paused_key_is_shown_and_resumed(owner: Visitor, alice: Person) -> None:
    assert "Paused API keys" not in owner.get("billing/limits").content.decode()
    keys.pause(alice.key, timezone.now())
    seen = owner.get("billing/limits").content.decode()
    assert "Paused API keys" in seen and alice.key.hint in seen
    owner.post(f"keys/{alice.key.public_id}/resume")
    assert "Paused API keys" not in owner.get("billing/limits").content.decode()


def test_members_choose_for_themselves(alice: Person, bob: Person, developer: Visitor) -> None:
    told = members.to_notify(alice.organization)
    assert told == [alice.membership.user.email]
    assert developer.post(f"billing/limits/members/{bob.membership.pk}", notify="yes").status_code == 200
    assert members.to_notify(alice.organization) == [alice.membership.user.email, bob.membership.user.email]


def test_an_owner_chooses_for_others_and_a_developer_does_not(
    alice: Person, bob: Person, owner: Visitor, developer: Visitor
) -> None:
    owner.post(f"billing/limits/members/{bob.membership.pk}", notify="yes")
    answer = developer.post(f"billing/limits/members/{alice.membership.pk}", notify="no")
    assert "does not allow this" in answer.content.decode()
    assert members.to_notify(alice.organization) == [alice.membership.user.email, bob.membership.user.email]


def test_an_admin_does_not_silence_an_owner(alice: Person) -> None:
    admin = joined(alice, Role.ADMIN)
    admin.post(f"billing/limits/members/{alice.membership.pk}", notify="no")
    alice.membership.refresh_from_db()
    assert alice.membership.notify is None


def test_another_organizations_member_is_unknown(owner: Visitor, charlie: Person) -> None:
    assert owner.post(f"billing/limits/members/{charlie.membership.pk}", notify="no").status_code == 404
    charlie.membership.refresh_from_db()
    assert charlie.membership.notify is None
    assert visitor(charlie.membership, owner.organization).get("billing/limits").status_code == 404
