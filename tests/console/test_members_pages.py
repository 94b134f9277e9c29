"""Members and invitations in the console."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts import invitations, members
from accounts.models import Invitation, Role
from billing import notices
from billing.models import Notice, NoticeMail
from tests.cast import Person
from tests.console.visitors import Visitor, joined, visitor

DORA = "dora@acme.example"


def text(page: object) -> str:
    return page.content.decode()


def roles_in(person: Person) -> dict[str, str]:
    return dict(person.organization.memberships.order_by("pk").values_list("user__email", "role"))


def test_an_invitation_is_written_down_with_its_e_mail_and_sent_afterwards(owner: Visitor, alice: Person) -> None:
    page = owner.post("members/invite", email=DORA, role="developer")
    assert "An invitation is on its way to dora@acme.example." in text(page)
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.language) == (DORA, "developer", "en")
    assert mail.outbox == []
    assert NoticeMail.objects.get().email == DORA

    assert notices.send_due() == 1
    letter = mail.outbox[0]
    assert letter.subject == "alice@acme.example invites you to Acme"
    assert invitations.link(invitation) in letter.body
    assert letter.to == [DORA]


def test_the_e_mail_of_an_invitation_speaks_the_language_of_whoever_invites(owner: Visitor) -> None:
    owner.client.cookies["django_language"] = "zh-hans"
    owner.post("members/invite", email=DORA, role="viewer")
    notices.send_due()
    assert mail.outbox[0].subject == "alice@acme.example 邀请您加入 Acme"
    assert "接受邀请：" in mail.outbox[0].body


def test_a_letter_about_credits_speaks_the_language_of_its_reader(owner: Visitor, alice: Person) -> None:
    alice.membership.user.language = "zh-hans"
    alice.membership.user.save(update_fields=["language"])
    facts = {"threshold": "50", "available": "12.5", "at": timezone.now().isoformat()}
    notices.write(alice.organization, Notice.Kind.LOW_BALANCE, "test:1", facts)
    notices.send_due()
    assert mail.outbox[0].subject == "Acme：剩余积分不足 50"
    assert "充值：" in mail.outbox[0].body


def test_inviting_again_renews_and_writes_again(owner: Visitor) -> None:
    owner.post("members/invite", email=DORA, role="viewer")
    first = Invitation.objects.get()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        owner.post(f"invitations/{first.public_id}/again")
    renewed = Invitation.objects.get()
    assert renewed.expires_at > first.expires_at + timedelta(hours=23)
    assert (renewed.role, Notice.objects.count()) == ("viewer", 2)


@pytest.mark.parametrize(
    ("email", "role", "error"),
    [
        ("bob@acme.example", "viewer", "This person is a member already."),
        ("not-an-address", "viewer", "Enter a valid email address."),
        ("dora@acme.example", "emperor", "Select a valid choice."),
        ("", "viewer", "This field is required."),
    ],
)
def test_a_wrong_invitation_says_what_is_wrong(email: str, role: str, error: str, owner: Visitor, bob: Person) -> None:
    page = owner.post("members/invite", email=email, role=role)
    assert page.status_code == 400
    assert error in text(page)
    assert (Invitation.objects.count(), Notice.objects.count()) == (0, 0)


def test_an_admin_cannot_invite_an_owner(alice: Person) -> None:
    admin = joined(alice, Role.ADMIN)
    assert 'value="owner"' not in text(admin.get("members"))
    assert admin.post("members/invite", email=DORA, role="owner").status_code == 400
    assert not Invitation.objects.exists()


def test_a_revoked_invitation_is_gone_from_the_list(owner: Visitor) -> None:
    owner.post("members/invite", email=DORA, role="viewer")
    invitation = Invitation.objects.get()
    page = owner.post(f"invitations/{invitation.public_id}/revoke")
    assert "The invitation was revoked." in text(page)
    assert DORA not in text(page)
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None


def test_another_organizations_invitation_and_member_are_not_found(
    owner: Visitor, alice: Person, charlie: Person
) -> None:
    invitation = invitations.invite(charlie.organization, DORA, Role.VIEWER, by=charlie.membership, language="en")
    theirs = members.add(charlie.organization, "carl@zenith.example", Role.VIEWER)
    for path in (
        f"invitations/{invitation.public_id}/revoke",
        f"invitations/{invitation.public_id}/again",
        "invitations/inv_x/revoke",
        f"members/{theirs.pk}/remove",
        f"members/{theirs.pk}/transfer",
    ):
        assert owner.post(path).status_code == 404, path
    assert owner.post(f"members/{theirs.pk}/role", role="admin").status_code == 404
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
    assert roles_in(charlie) == {"charlie@zenith.example": "owner", "carl@zenith.example": "viewer"}


def test_an_owner_changes_roles_and_removes(owner: Visitor, alice: Person, bob: Person) -> None:
    assert "The role was changed." in text(owner.post(f"members/{bob.membership.pk}/role", role="viewer"))
    assert roles_in(alice)["bob@acme.example"] == "viewer"
    assert owner.post(f"members/{bob.membership.pk}/role", role="emperor").status_code == 404
    assert "bob@acme.example is no member any more." in text(owner.post(f"members/{bob.membership.pk}/remove"))
    assert list(roles_in(alice)) == ["alice@acme.example"]


def test_the_last_owner_can_neither_leave_nor_step_down(owner: Visitor, alice: Person) -> None:
    words = "An organization must keep an owner. Make somebody else an owner first."
    assert words in text(owner.post("members/leave"))
    assert words in text(owner.post(f"members/{alice.membership.pk}/role", role="admin"))
    assert roles_in(alice) == {"alice@acme.example": "owner"}


def test_handing_over_makes_the_other_the_owner(owner: Visitor, alice: Person, bob: Person) -> None:
    page = owner.post(f"members/{bob.membership.pk}/transfer")
    assert "bob@acme.example owns the organization now; you are an admin." in text(page)
    assert roles_in(alice) == {"alice@acme.example": "admin", "bob@acme.example": "owner"}
    assert owner.post(f"members/{alice.membership.pk}/transfer").status_code == 403


def test_whoever_leaves_arrives_elsewhere(developer: Visitor, alice: Person) -> None:
    page = developer.post("members/leave")
    assert page.redirect_chain[-1][0] == "/console/new"
    assert list(roles_in(alice)) == ["alice@acme.example"]


def test_a_viewer_sees_the_members_and_no_buttons(alice: Person, bob: Person) -> None:
    page = text(joined(alice, Role.VIEWER).get("members"))
    assert "bob@acme.example" in page
    assert "Send the invitation" not in page and "/remove" not in page and "/transfer" not in page


def test_names_that_people_chose_are_text(alice: Person, bob: Person) -> None:
    bob.membership.user.name = "<script>alert(1)</script>"
    bob.membership.user.save(update_fields=["name"])
    page = text(visitor(alice.membership).get("members"))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
