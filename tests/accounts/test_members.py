"""Organizations and who belongs to them."""

import pytest

from accounts import members, organizations
from accounts.errors import Forbidden, NotFound
from accounts.models import Membership, Organization, Role, User, UserGroup
from tests.billing.racing import at_once
from tests.cast import Person


def test_an_organization_starts_with_its_owner_in_the_default_group(alice: Person) -> None:
    assert alice.organization.user_group == UserGroup.objects.get(name="default")
    membership = alice.organization.memberships.get()
    assert (membership.user.email, membership.role) == ("alice@acme.example", Role.OWNER)


def test_a_person_is_one_login_in_any_spelling(alice: Person) -> None:
    members.add(alice.organization, "BOB@acme.example", Role.DEVELOPER)
    members.add(alice.organization, "bob@acme.example", Role.ADMIN)
    assert User.objects.filter(email__iexact="bob@acme.example").count() == 1
    assert alice.organization.memberships.get(user__email__iexact="bob@acme.example").role == Role.ADMIN


def test_a_person_may_belong_to_two_organizations(alice: Person, charlie: Person) -> None:
    members.add(charlie.organization, "alice@acme.example", Role.VIEWER)
    assert set(alice.membership.user.organizations.all()) == {alice.organization, charlie.organization}


def test_the_last_owner_stays(alice: Person, bob: Person) -> None:
    for act in (members.remove, lambda membership: members.change_role(membership, Role.ADMIN)):
        with pytest.raises(Forbidden) as refused:
            act(alice.membership)
        assert refused.value.code == "last_owner"
    assert Membership.objects.get(pk=alice.membership.pk).role == Role.OWNER


def test_one_of_two_owners_may_go(alice: Person, bob: Person) -> None:
    members.change_role(bob.membership, Role.OWNER)
    members.remove(alice.membership)
    assert [membership.user for membership in alice.organization.memberships.all()] == [bob.membership.user]


def test_an_operator_joins_nothing(alice: Person) -> None:
    User.objects.create_superuser("operator@gateway.example", "secret-words")
    with pytest.raises(Forbidden) as refused:
        members.add(alice.organization, "operator@gateway.example", Role.VIEWER)
    assert refused.value.code == "operator_cannot_join"
    assert alice.organization.memberships.count() == 1


def test_an_organization_has_one_sandbox_twin(alice: Person) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    assert organizations.sandbox_twin(alice.organization) == twin
    assert (twin.is_sandbox, twin.sandbox_of, twin.user_group) == (
        True,
        alice.organization,
        alice.organization.user_group,
    )
    assert Organization.objects.count() == 2


def test_suspending_again_keeps_the_first_reason(alice: Person) -> None:
    organizations.suspend(alice.organization, "chargeback")
    organizations.suspend(alice.organization, "again")
    alice.organization.refresh_from_db()
    assert alice.organization.suspended_reason == "chargeback"


def roles_in(person: Person) -> dict[str, str]:
    return dict(person.organization.memberships.order_by("pk").values_list("user__email", "role"))


def test_an_owner_hands_the_organization_over_and_stays_as_an_admin(alice: Person, bob: Person) -> None:
    members.transfer(bob.membership, by=alice.membership)
    assert roles_in(alice) == {"alice@acme.example": "admin", "bob@acme.example": "owner"}
    with pytest.raises(Forbidden):
        members.transfer(alice.membership, by=alice.membership)
    assert roles_in(alice) == {"alice@acme.example": "admin", "bob@acme.example": "owner"}


def test_handing_over_to_oneself_changes_nothing(alice: Person) -> None:
    members.transfer(alice.membership, by=alice.membership)
    assert roles_in(alice) == {"alice@acme.example": "owner"}


def test_nobody_hands_over_to_a_stranger(alice: Person, charlie: Person) -> None:
    with pytest.raises(NotFound):
        members.transfer(charlie.membership, by=alice.membership)
    assert roles_in(alice) == {"alice@acme.example": "owner"}
    assert roles_in(charlie) == {"charlie@zenith.example": "owner"}


def test_members_leave_but_the_last_owner_does_not(alice: Person, bob: Person) -> None:
    with pytest.raises(Forbidden) as refused:
        members.leave(alice.membership)
    assert refused.value.code == "last_owner"
    members.leave(bob.membership)
    assert roles_in(alice) == {"alice@acme.example": "owner"}


def test_an_admin_manages_everybody_but_owners(alice: Person, bob: Person) -> None:
    admin = members.change_role(bob.membership, Role.ADMIN)
    dora = members.add(alice.organization, "dora@acme.example", Role.VIEWER)
    members.change_role(dora, Role.DEVELOPER, by=admin)
    for act in (
        lambda: members.change_role(dora, Role.OWNER, by=admin),
        lambda: members.change_role(alice.membership, Role.VIEWER, by=admin),
        lambda: members.remove(alice.membership, by=admin),
        lambda: members.change_role(admin, Role.OWNER, by=admin),
    ):
        with pytest.raises(Forbidden) as refused:
            act()
        assert refused.value.code == "role_not_allowed"
    assert list(roles_in(alice).values()) == ["owner", "admin", "developer"]
    members.remove(dora, by=admin)
    assert list(roles_in(alice).values()) == ["owner", "admin"]


def test_a_role_that_was_lost_meanwhile_counts(alice: Person, bob: Person) -> None:
    admin = members.change_role(bob.membership, Role.ADMIN)
    members.change_role(alice.organization.memberships.get(pk=admin.pk), Role.VIEWER)
    dora = members.add(alice.organization, "dora@acme.example", Role.VIEWER)
    with pytest.raises(Forbidden):
        members.change_role(dora, Role.DEVELOPER, by=admin)
    assert roles_in(alice)["dora@acme.example"] == "viewer"


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one_behind(alice: Person, bob: Person) -> None:
    members.change_role(bob.membership, Role.OWNER)
    ways = [lambda: members.leave(alice.membership), lambda: members.leave(bob.membership)]
    assert sorted(str(one) for one in at_once(ways)) == sorted([str(Forbidden), "None"])
    assert list(roles_in(alice).values()) == ["owner"]
