"""Invitations: an e-mail address may become a member of an organization, as this role, for a week.

    open ── accept ──> accepted          one open invitation an organization and address; inviting again renews it,
      └─── revoke ──> revoked            and the link of before no longer opens it

The link is signed, not stored: it names the invitation and its expiry. Only whoever has that very address, verified,
can accept.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone

from accounts import audit_log, members
from accounts.errors import Conflict, Forbidden, InvalidRequest, NotFound
from accounts.models import Invitation, Membership, Organization, Role, User

SALT, LIVES = "invitation", timedelta(days=7)
MOST_OPEN = 50
UNKNOWN = ("invitation_not_found", "This invitation is not valid any more; please ask for a new one.")


@transaction.atomic
def invite(organization: Organization, email: str, role: Role, *, by: Membership, language: str) -> Invitation:
    """Invite, or renew what is open for this address. Raises Forbidden, Conflict `already_member`, InvalidRequest."""
    members.check_manages(by, organization, role)
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if organization.memberships.filter(user__email__iexact=email).exists():
        raise Conflict("already_member", "This person is a member already.", param="email")
    now, present = timezone.now(), organization.invitations.filter(accepted_at=None, revoked_at=None)
    found = present.filter(email__iexact=email).first()
    if found is None and present.filter(expires_at__gt=now).count() >= MOST_OPEN:
        raise InvalidRequest("too_many_invitations", f"At most {MOST_OPEN} invitations can be open.", param="email")
    invitation = found or Invitation(organization=organization, email=email)
    invitation.role, invitation.language, invitation.invited_by = role, language, by.user
    invitation.expires_at = now + LIVES
    invitation.save()
    changes = {"email": [None, invitation.email], "role": [None, role]}
    audit_log.record(action="member.invited", target=invitation, organization=organization, changes=changes)
    return invitation


@transaction.atomic
def revoke(invitation: Invitation, *, by: Membership) -> None:
    """Again is the same. Raises Forbidden."""
    members.check_manages(by, invitation.organization, Role(invitation.role))
    now = timezone.now()
    still_open = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if still_open.update(revoked_at=now):
        changes = {"revoked_at": [None, now]}
        audit_log.record(
            action="member.invitation_revoked",
            target=invitation,
            organization=invitation.organization,
            changes=changes,
        )


@transaction.atomic
def accept(text: str, user: User) -> Membership:
    """Join by the link's `text`; again is the same. Raises NotFound, Forbidden `invitation_for_another`."""
    invitation = read(text)
    Organization.objects.select_for_update(no_key=True).get(pk=invitation.organization_id)
    invitation.refresh_from_db()
    if invitation.email.lower() != user.email.lower():
        message = f"This invitation is for {invitation.email}; sign in with that address to accept it."
        raise Forbidden("invitation_for_another", message)
    member = invitation.organization.memberships.filter(user=user).first()
    if invitation.accepted_at is not None and member is not None:
        return member
    now = timezone.now()
    still_open = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
    if not still_open.update(accepted_at=now):  # revoked at the same moment, perhaps
        raise NotFound(*UNKNOWN)
    return member or members.add(invitation.organization, user.email, Role(invitation.role))


def read(text: str) -> Invitation:
    """The invitation of a link. Raises NotFound when it is wrong, or of before a renewal."""
    try:
        identifier, expires_at = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise NotFound(*UNKNOWN) from None
    found = Invitation.objects.select_related("organization", "invited_by").filter(pk=identifier).first()
    if found is None or found.expires_at != datetime.fromisoformat(expires_at) or found.revoked_at is not None:
        raise NotFound(*UNKNOWN)
    return found


def fits(text: str, email: str) -> bool:
    """Whether this link can be accepted by whoever has the address."""
    try:
        invitation = read(text)
        _check_open(invitation)
    except NotFound:
        return False
    return invitation.email.lower() == email.lower()


def link(invitation: Invitation) -> str:
    text = signing.dumps([str(invitation.pk), invitation.expires_at.isoformat()], salt=SALT)
    return f"{settings.PUBLIC_URL}/invitations/{text}"


def _check_open(invitation: Invitation) -> None:
    if not invitation.is_open(timezone.now()):
        raise NotFound(*UNKNOWN)
