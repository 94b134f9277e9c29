"""Inviting somebody: the invitation and the row of its e-mail are one transaction; the worker sends it afterwards."""

from django.db import transaction

from accounts import invitations
from accounts.models import Invitation, Membership, Role
from billing import notices
from billing.models import Notice


@transaction.atomic
def invite(by: Membership, email: str, role: Role, language: str) -> Invitation:
    """Raises what `accounts.invitations.invite` raises."""
    invitation = invitations.invite(by.organization, email, role, by=by, language=language)
    facts = {"invitation": str(invitation.pk), "by": by.user.name or by.user.email}
    reference = f"invitation:{invitation.public_id}:{invitation.expires_at.timestamp():.0f}"
    notices.write(by.organization, Notice.Kind.INVITATION, reference, facts, addresses=[invitation.email])
    return invitation
