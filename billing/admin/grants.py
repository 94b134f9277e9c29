"""What operators gave and took: a second one confirms or declines what is large, here. And who had sign-up credits."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts import acting
from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import ReadOnly
from accounts.models import Organization
from billing import grants
from billing.admin.wallets import REFUSALS
from billing.models import GrantRequest, SignUpCredits

TONES = {"pending": "warning", "done": "success", "declined": "danger", "lapsed": "default"}
DECIDED = "Whoever asked for it cannot decide it."


def waiting(request: HttpRequest) -> str:
    """The badge in the side bar: how many requests wait for a second operator."""
    return str(GrantRequest.objects.filter(state=GrantRequest.State.PENDING).count() or "")


@admin.register(GrantRequest)
class GrantRequestAdmin(ReadOnly):
    list_display = ("asked_at", "organization", "what", "credits", "standing", "asked_by", "decided_by", "reason")
    list_filter = ("state", "verb", "needs_confirmation")
    list_select_related = ("organization", "asked_by", "decided_by")
    search_fields = ("reference__exact", "asked_by__email", "organization__name")
    public_ids: ClassVar[dict[str, str]] = {GrantRequest.PREFIX: "pk", Organization.PREFIX: "organization"}
    actions_detail = ("confirm", "decline")
    ordering = ("-asked_at",)

    def hidden_actions(self, row: GrantRequest) -> set[str]:
        return set() if row.state == GrantRequest.State.PENDING else {"confirm", "decline"}

    @display(description="what")
    def what(self, request: GrantRequest) -> str:
        return f"{request.verb} {request.kind}".strip()

    @display(description="credits", ordering="amount")
    def credits(self, request: GrantRequest) -> str:
        return f"{request.amount:+,.4f}"

    @display(description="state", label=TONES)
    def standing(self, request: GrantRequest) -> str:
        return request.state

    @reasoned(
        "Confirm",
        refusals=REFUSALS,
        permission="confirm",
        icon="done_all",
        variant=ActionVariant.PRIMARY,
        text=f"The credits move at once. {DECIDED}",
    )
    def confirm(self, request: GrantRequest, given: Given) -> Done:
        done = grants.confirm(request, by=acting.user(), reason=given["reason"])
        return Done(f"Done: {done}.")

    @reasoned(
        "Decline",
        refusals=REFUSALS,
        permission="confirm",
        icon="block",
        variant=ActionVariant.DANGER,
        text=f"Nothing moves. {DECIDED}",
    )
    def decline(self, request: GrantRequest, given: Given) -> Done:
        grants.decline(request, by=acting.user(), reason=given["reason"])
        return Done("Declined; no credits were moved.")


@admin.register(SignUpCredits)
class SignUpCreditsAdmin(ReadOnly):
    """The mailbox itself is not kept, only a hash of it."""

    list_display = ("granted_at", "organization", "amount")
    search_fields = ("organization_id__exact",)
    public_ids: ClassVar[dict[str, str]] = {Organization.PREFIX: "organization_id"}

    @display(description="organization", ordering="organization_id")
    def organization(self, given: SignUpCredits) -> str:
        return str(given)
