"""API keys, their budgets and how often they call. A key's text is shown once, when it is made."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import keys
from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import ReadOnly
from accounts.models import ApiKey, KeyBudget, Membership, Organization, RateWindow, Role, Scope, default_scopes

TONES = {"works": "success", "paused": "danger", "disabled": "warning", "expired": "warning", "revoked": "danger"}


class NewKey(ReasonForm):
    """What a new key may do. Empty limits are none."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)
    scopes = forms.MultipleChoiceField(
        choices=Scope, initial=default_scopes, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    total_limit = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Credits in all. Empty: no limit.",
    )
    daily_limit = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Credits a UTC day. Empty: no limit.",
    )
    monthly_limit = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Credits a UTC month. Empty: no limit.",
    )
    requests_per_minute = forms.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, widget=UnfoldAdminIntegerFieldWidget
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="UTC. Empty: never.",
    )


def make(organization: Organization, given: Given) -> Done:
    """A new key for the organization; its text goes to the page that is shown once."""
    rights = {name: value for name, value in given.items() if name != "reason"}
    key, secret = keys.create(organization, by=_owner(organization), **rights)
    return Done(f"The API key {key.name} ({key.public_id}) is made.", about=key, secret=secret)


def _owner(organization: Organization) -> Membership:
    """An operator acts for the owner; a sandbox twin's is the live one's. The log says who it was."""
    live = organization.sandbox_of or organization
    return live.memberships.filter(role=Role.OWNER).earliest("created_at")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "hint", "organization", "state", "scope_names", "last_used_at", "created_at")
    list_filter = ("enabled", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("name", "hint", "organization__name")
    public_ids: ClassVar[dict[str, str]] = {"key_": "pk", "org_": "organization"}
    actions_detail = ("resume", "enable", "disable", "revoke")

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Whoever pastes a whole key finds it."""
        pasted = keys.find(search_term.strip())
        if pasted is not None:
            return queryset.filter(pk=pasted.pk), False
        return super().get_search_results(request, queryset, search_term)

    def hidden_actions(self, row: ApiKey) -> set[str]:
        if row.revoked_at is not None:
            return {"resume", "enable", "disable", "revoke"}
        hidden = set() if row.paused_at else {"resume"}
        return hidden | ({"enable"} if row.enabled else {"disable"})

    @display(description="state", label=TONES)
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        if key.has_expired(timezone.now()):
            return "expired"
        if not key.enabled:
            return "disabled"
        return "paused" if key.paused_at else "works"

    @display(description="scopes")
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @reasoned("Resume", icon="play_arrow", text="The key was paused because its spending jumped. It may spend again.")
    def resume(self, key: ApiKey, given: Given) -> Done:
        keys.resume(key, by=_owner(key.organization))
        return Done(f"{key} may spend again.")

    @reasoned("Enable", icon="toggle_on")
    def enable(self, key: ApiKey, given: Given) -> Done:
        keys.change(key, by=_owner(key.organization), enabled=True)
        return Done(f"{key} works again.")

    @reasoned("Disable", icon="toggle_off", text="Calls with this key are refused until it is enabled again.")
    def disable(self, key: ApiKey, given: Given) -> Done:
        keys.change(key, by=_owner(key.organization), enabled=False)
        return Done(f"{key} is disabled.")

    @reasoned("Revoke", icon="key_off", variant=ActionVariant.DANGER, text="Final: a revoked key never works again.")
    def revoke(self, key: ApiKey, given: Given) -> Done:
        keys.revoke(key, by=None)
        return Done(f"{key} is revoked.")


@admin.register(KeyBudget)
class KeyBudgetAdmin(ReadOnly):
    list_display = ("pk", "organization", "total_limit", "daily_limit", "monthly_limit")
    list_select_related = ("organization",)
    search_fields = ("organization__name", "api_keys__name")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization", "key_": "api_keys"}


@admin.register(RateWindow)
class RateWindowAdmin(ReadOnly):
    list_display = ("key_id", "minute", "calls")
    search_fields = ("key_id__exact",)
    public_ids: ClassVar[dict[str, str]] = {"key_": "key_id"}
