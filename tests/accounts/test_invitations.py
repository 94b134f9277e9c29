"""Invitations: sent, renewed, revoked and accepted once, by nobody but whoever has the address."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import invitations, members
from accounts.errors import ApiError, Conflict, Forbidden, InvalidRequest, NotFound
from accounts.models import AuditEntry, Invitation, Membership, Role, User
from tests.billing.racing import at_once
from tests.cast import Person

DORA = "dora@acme.example"


def invite(person: Person, email: str = DORA, role: Role = Role.VIEWER) -> Invitation:
    return invitations.invite(person.organization, email, role, by=person.membership, language="en")


def text_of(invitation: Invitation) -> str:
    return invitations.link(invitation).rpartition("/")[2]


def dora() -> User:
    return User.objects.create_user(DORA, "correct horse battery")


def refusal(text: str, user: User) -> str:
    with pytest.raises(ApiError) as refused:
        invitations.accept(text, user)
    return refused.value.code


def test_whoever_was_invited_becomes_a_member_with_that_role(alice: Person) -> None:
    membership = invitations.accept(text_of(invite(alice, role=Role.DEVELOPER)), dora())
    assert (membership.user.email, membership.role) == (DORA, Role.DEVELOPER)
    assert membership.organization == alice.organization
    assert AuditEntry.objects.filter(
        action__in=("member.invited", "member.added"), organization_id=alice.organization.pk
    )


def test_accepting_again_is_the_same(alice: Person) -> None:
    text, user = text_of(invite(alice)), dora()
    assert invitations.accept(text, user) == invitations.accept(text, user)
    assert alice.organization.memberships.filter(user=user).count() == 1


def test_an_address_is_the_same_in_any_spelling(alice: Person) -> None:
    assert invitations.accept(text_of(invite(alice, "Dora@ACME.example")), dora()).role == Role.VIEWER


def test_another_address_does_not_get_in(alice: Person, charlie: Person) -> None:
    invitation = invite(alice)
    assert refusal(text_of(invitation), charlie.membership.user) == "invitation_for_another"
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert alice.organization.memberships.count() == 1


def test_a_link_works_for_a_week(alice: Person) -> None:
    text, user = text_of(invite(alice)), dora()
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        assert refusal(text, user) == "invitation_not_found"
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert invitations.accept(text, user).role == Role.VIEWER


def test_renewing_ends_the_link_of_before(alice: Person) -> None:
    first = invite(alice)
    old, user = text_of(first), dora()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        renewed = invite(alice, role=Role.ADMIN)
    assert renewed.pk == first.pk
    assert refusal(old, user) == "invitation_not_found"
    assert invitations.accept(text_of(renewed), user).role == Role.ADMIN


def test_a_revoked_invitation_lets_nobody_in_and_the_address_can_be_invited_anew(alice: Person) -> None:
    invitation, user = invite(alice), dora()
    text = text_of(invitation)
    for _ in range(2):
        invitations.revoke(invitation, by=alice.membership)
    assert refusal(text, user) == "invitation_not_found"
    assert AuditEntry.objects.filter(action="member.invitation_revoked").count() == 1
    anew = invite(alice)
    assert anew.pk != invitation.pk
    assert invitations.accept(text_of(anew), user).user == user


def test_an_accepted_invitation_cannot_be_revoked_and_lets_nobody_back_in(alice: Person) -> None:
    invitation, user = invite(alice), dora()
    membership = invitations.accept(text_of(invitation), user)
    invitations.revoke(invitation, by=alice.membership)
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
    members.remove(membership, by=alice.membership)
    assert refusal(text_of(invitation), user) == "invitation_not_found"


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "WyJ4Il0:1:sig"])
def test_a_made_up_link_opens_nothing(text: str, db: None) -> None:
    with pytest.raises(NotFound):
        invitations.read(text)
    assert not invitations.fits(text, DORA)


def test_whoever_is_a_member_is_not_invited(alice: Person, bob: Person) -> None:
    with pytest.raises(Conflict) as refused:
        invite(alice, "BOB@acme.example")
    assert (refused.value.code, refused.value.param) == ("already_member", "email")
    assert not Invitation.objects.exists()


def test_roles_decide_who_invites_whom(alice: Person, bob: Person) -> None:
    with pytest.raises(Forbidden):
        invite(bob)
    members.change_role(bob.membership, Role.ADMIN)
    with pytest.raises(Forbidden) as refused:
        invite(bob, role=Role.OWNER)
    assert refused.value.code == "role_not_allowed"
    assert not Invitation.objects.exists()
    owners = invite(alice, role=Role.OWNER)
    with pytest.raises(Forbidden):
        invitations.revoke(owners, by=bob.membership)
    assert invite(bob, "eve@acme.example", Role.ADMIN).role == Role.ADMIN


def test_another_organization_revokes_nothing(alice: Person, charlie: Person) -> None:
    invitation = invite(alice)
    with pytest.raises(NotFound):
        invitations.revoke(invitation, by=charlie.membership)
    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_so_many_can_be_open_and_renewing_one_is_none_more(alice: Person) -> None:
    for number in range(invitations.MOST_OPEN):
        invite(alice, f"person-{number}@acme.example")
    with pytest.raises(InvalidRequest) as refused:
        invite(alice)
    assert refused.value.code == "too_many_invitations"
    invite(alice, "person-0@acme.example", Role.ADMIN)
    assert Invitation.objects.count() == invitations.MOST_OPEN


def test_an_operator_does_not_join(alice: Person) -> None:
    invitation = invite(alice, "olga@gateway.example")
    operator = User.objects.create_superuser("olga@gateway.example", "correct horse battery")
    assert refusal(text_of(invitation), operator) == "operator_cannot_join"
    invitation.refresh_from_db()
    assert invitation.accepted_at is None


@pytest.mark.django_db(transaction=True)
def test_accepting_many_times_at_once_makes_one_member(alice: Person) -> None:
    text, user = text_of(invite(alice)), dora()
    found = at_once([lambda: invitations.accept(text, user)] * 6)
    assert len({one.pk for one in found if isinstance(one, Membership)}) == 1
    assert AuditEntry.objects.filter(action="member.added", target_id=str(found[0].pk)).count() == 1


@pytest.mark.django_db(transaction=True)
def test_inviting_an_address_many_times_at_once_leaves_one_invitation(alice: Person) -> None:
    found = at_once([lambda: invite(alice)] * 6)
    assert {type(one) for one in found} == {Invitation}
    assert Invitation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_accepting_and_revoking_at_once_has_one_winner(alice: Person) -> None:
    invitation, user = invite(alice), dora()
    text = text_of(invitation)
    at_once([lambda: invitations.accept(text, user), lambda: invitations.revoke(invitation, by=alice.membership)])
    invitation.refresh_from_db()
    joined = alice.organization.memberships.filter(user=user).exists()
    assert (invitation.accepted_at is not None, invitation.revoked_at is not None) == (joined, not joined)
