"""Invitations, to look at: members send and revoke them."""

from typing import ClassVar

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from accounts.models import Invitation

TONES = {"open": "info", "accepted": "success", "revoked": "danger", "expired": "default"}


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ("email", "organization", "role", "state", "invited_by", "created_at", "expires_at")
    list_filter = ("role", ("accepted_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization", "invited_by")
    search_fields = ("email", "organization__name")
    public_ids: ClassVar[dict[str, str]] = {"inv_": "pk", "org_": "organization"}

    @display(description="state", label=TONES)
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at is not None:
            return "accepted"
        if invitation.revoked_at is not None:
            return "revoked"
        return "open" if invitation.is_open(timezone.now()) else "expired"
