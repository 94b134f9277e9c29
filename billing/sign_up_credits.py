"""The credits of a sign-up: once for each mailbox, whatever it calls itself, and once for each organization.

A keyed hash of the mailbox stays when the user and the organization are gone, so signing up again gives nothing.
Whoever calls has verified that the user reads that mailbox.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit_log, mailboxes
from accounts.errors import Forbidden
from accounts.models import Organization, User
from billing import ledger, locks
from billing.models import CreditLot, SignUpCredits

REFERENCE = "sign-up"
REASON = "Sign-up credits"


@transaction.atomic
def grant_sign_up_credits(user: User, organization: Organization) -> CreditLot | None:
    """`SIGN_UP_CREDITS` for the organization of a user whose e-mail address was verified; None when they were given.

    Called again for the same two it returns the same lot. None also when the mailbox brought them to another
    organization, another member to this one, or the setting is 0. Raises Forbidden `not_a_member`,
    `no_credits_for_sandbox`.
    """
    if organization.is_sandbox:
        raise Forbidden("no_credits_for_sandbox", "A sandbox organization pays with test credits only.")
    if not organization.memberships.filter(user=user).exists():
        raise Forbidden("not_a_member", "Only a member brings an organization the credits of a sign-up.")
    if not settings.SIGN_UP_CREDITS:
        return None
    wallet = locks.lock(organization)  # two members of one organization come one by one
    mailbox = mailboxes.digest(user.email)
    present = SignUpCredits.objects.filter(organization_id=organization.pk).first()
    if present is not None:
        same = bytes(present.mailbox) == mailbox
        return wallet.lots.filter(reference=REFERENCE).first() if same else None
    given, is_new = SignUpCredits.objects.get_or_create(
        mailbox=mailbox, defaults={"organization_id": organization.pk, "amount": settings.SIGN_UP_CREDITS}
    )
    if not is_new:
        return None
    changes = {"amount": [None, given.amount], "user": [None, user.email]}
    audit_log.record(action="sign_up_credits.granted", target=given, organization=organization, changes=changes)
    return ledger.grant(
        organization,
        settings.SIGN_UP_CREDITS,
        kind=CreditLot.Kind.PROMO,
        reference=REFERENCE,
        reason=REASON,
        expires_at=timezone.now() + timedelta(days=settings.SIGN_UP_CREDITS_EXPIRE_DAYS),
    )
