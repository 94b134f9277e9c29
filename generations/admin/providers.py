"""Provider accounts: adding one is an operator's act. The credentials go in and never come out."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
)

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import Editable, ReasonedForm
from generations import breaker, provider_accounts
from generations.admin import tones
from generations.admin.routing import Trip
from generations.models import ProviderAccount
from generations.providers import ADAPTERS


class AccountForm(ReasonedForm):
    provider = forms.ChoiceField(choices=[(name, name) for name in ADAPTERS], widget=UnfoldAdminSelectWidget)
    base_url = forms.URLField(max_length=300, assume_scheme="https", widget=UnfoldAdminURLInputWidget)
    credentials = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text='A JSON object such as {"api_key": "…"}. Written, never shown; empty keeps those that are there.',
    )

    class Meta:
        model = ProviderAccount
        fields = "__all__"
        widgets: ClassVar = {name: UnfoldAdminTextareaWidget(attrs={"rows": 4}) for name in ("caps", "costs", "rates")}

    def clean_base_url(self) -> str:
        """Paths are put behind it, each with its own slash."""
        address: str = self.cleaned_data["base_url"]
        return address.rstrip("/")

    def clean_caps(self) -> dict[str, int]:
        return self.cleaned_data["caps"] or {}

    def clean_costs(self) -> dict[str, dict[str, Any]]:
        return self.cleaned_data["costs"] or {}

    def clean_rates(self) -> dict[str, Any]:
        return self.cleaned_data["rates"] or {}

    def clean_credentials(self) -> dict[str, str]:
        text = self.cleaned_data["credentials"]
        if not text:
            if self.instance.pk is None:
                raise forms.ValidationError("A new account needs credentials.")
            return {}
        try:
            given = json.loads(text)
        except json.JSONDecodeError:
            raise forms.ValidationError("This is no JSON.") from None
        if not isinstance(given, dict) or not given or not all(isinstance(one, str) for one in given.values()):
            raise forms.ValidationError("This must be a JSON object of texts.")
        trimmed = {name: value.strip() for name, value in given.items()}
        if spoilt := [name for name, value in trimmed.items() if not value.isprintable()]:
            raise forms.ValidationError(f"There is a control character, such as a new line, in: {', '.join(spoilt)}.")
        return trimmed


@admin.register(ProviderAccount)
class ProviderAccountAdmin(Editable):
    form = AccountForm
    list_display = ("name", "provider", "alias", "serves", "weight", "standing", "health", "base_url")
    list_filter = ("provider", "serves", "enabled", "draining", "simulator")
    search_fields = ("name", "alias", "base_url")
    fields = (
        "name",
        "alias",
        "provider",
        "base_url",
        "credentials",
        "serves",
        "simulator",
        "caps",
        "costs",
        "rates",
        "weight",
        "standing",
        "health",
        "created_at",
    )
    readonly_fields = ("standing", "health", "created_at")
    actions_detail = ("enable", "disable", "drain", "stop_draining", "trip", "reset_breakers")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderAccount]:
        return super().get_queryset(request).prefetch_related("breakers")

    def hidden_actions(self, row: ProviderAccount) -> set[str]:
        hidden = {"enable"} if row.enabled else {"disable"}
        hidden.add("drain" if row.draining else "stop_draining")
        if row.serves == ProviderAccount.Serves.SANDBOX:
            hidden.add("trip")
        return hidden if troubles(row) else hidden | {"reset_breakers"}

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: forms.ModelForm, change: Any) -> None:
        if credentials := form.cleaned_data["credentials"]:
            obj.set_credentials(credentials)
            obj.callback_keys_at = None  # they belong to the account that signs in
            form.changed_data += ["encrypted_credentials", "callback_keys_at"]
        super().save_model(request, obj, form, change)

    @display(description="state", label=tones.ACCOUNT)
    def standing(self, account: ProviderAccount) -> str:
        return standing_of(account)

    @display(description="left alone")
    def health(self, account: ProviderAccount) -> SafeString:
        lines = format_html_join("", "<div>{}: {}</div>", troubles(account))
        return lines or format_html("<span class='quiet'>{}</span>", "no")

    @reasoned("Enable", icon="toggle_on", variant=ActionVariant.PRIMARY)
    def enable(self, account: ProviderAccount, given: Given) -> Done:
        provider_accounts.enable(account)
        return Done(f"{account} takes tasks again.")

    @reasoned("Disable", icon="toggle_off", variant=ActionVariant.DANGER, text="Nothing new goes there.")
    def disable(self, account: ProviderAccount, given: Given) -> Done:
        provider_accounts.disable(account)
        return Done(f"{account} is disabled.")

    @reasoned("Drain", icon="hourglass_bottom", text="It finishes what runs and takes nothing new.")
    def drain(self, account: ProviderAccount, given: Given) -> Done:
        provider_accounts.drain(account)
        return Done(f"{account} takes nothing new.")

    @reasoned("Stop draining", icon="play_arrow")
    def stop_draining(self, account: ProviderAccount, given: Given) -> Done:
        provider_accounts.stop_draining(account)
        return Done(f"{account} takes tasks again.")

    @reasoned(
        "Trip", form=Trip, icon="electrical_services", variant=ActionVariant.DANGER, text="Nothing new goes there."
    )
    def trip(self, account: ProviderAccount, given: Given) -> Done:
        row = breaker.trip(account, given["model"], given["reason"], until=given["until"])
        return Done(f"{row} has tripped.")

    @reasoned("Reset breakers", icon="restart_alt", text="Everything on it is trusted again, and goes there at once.")
    def reset_breakers(self, account: ProviderAccount, given: Given) -> Done:
        breaker.reset_all(account)
        return Done(f"{account} is trusted again.")


def standing_of(account: ProviderAccount) -> str:
    if not account.enabled:
        return "off"
    return "draining" if account.draining else "on"


def troubles(account: ProviderAccount) -> list[tuple[str, str]]:
    """What its breakers say against it: (model, why and until when)."""
    now = timezone.now()
    found = [(row, breaker.standing([breaker.facts(row)], now)) for row in account.breakers.all()]
    return [(row.model, _until(one)) for row, one in found if one.reason or one.is_probe]


def _until(standing: breaker.Standing) -> str:
    if standing.is_probe:
        return "tripped; the next task is its probe"
    until = f", until {standing.again_at:%Y-%m-%d %H:%M:%S} UTC" if standing.again_at else ""
    return f"{standing.reason}{until}"
