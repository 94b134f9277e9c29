"""The console's forms: what people type, read into what the domain functions take. They write nothing."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.errors import ApiError
from accounts.models import ApiKey, Role, Scope, default_scopes
from accounts.organizations import MOST_RETENTION_HOURS
from evolink_saas.console import error_words, wording
from evolink_saas.console.wording import Words
from generations import catalog

MAX_COUNT = 2**31 - 1
GRACES = ((0, _("at once")), (1, _("in 1 hour")), (24, _("in 24 hours")), (168, _("in 7 days")), (720, _("in 30 days")))


def refuse(form: forms.Form, error: ApiError, names: Mapping[str, str] | None = None) -> None:
    """Let the form say what the domain function refused, beside the field that it names; `names` are the form's own."""
    param = (names or {}).get(error.param or "", error.param)
    form.add_error(param if param in form.fields else None, error_words.refusal(error))


class CreditsField(forms.DecimalField):
    """Credits, or empty for no limit."""

    def __init__(self, *, label: Words) -> None:
        super().__init__(label=label, max_digits=20, decimal_places=4, min_value=0, required=False)


class OrganizationForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )


class SettingsForm(OrganizationForm):
    result_retention_hours = forms.IntegerField(
        label=_("Keep results for (hours)"),
        min_value=1,
        max_value=MOST_RETENTION_HOURS,
        help_text=_("How long the video of a task can be downloaded after it is finished. For tasks made from now on."),
    )


class PersonForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, help_text=_("Of pages and e-mails."))
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())],
        help_text=_("In which times are shown. Days and months of the books are those of UTC."),
    )


class InvitationForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label=_("Role"), initial=Role.DEVELOPER)

    def __init__(self, *args: Any, may_make_owners: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(may_make_owners)  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class RollForm(forms.Form):
    grace_hours = forms.TypedChoiceField(label=_("The old key stops working"), coerce=int, choices=GRACES, initial=24)


class KeyForm(forms.Form):
    """A key's name and rights. Times are typed and shown in the person's time zone."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Where it is used, such as “production”."))
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=[(scope, wording.SCOPES[scope]) for scope in Scope.values],
        initial=default_scopes,
        widget=forms.CheckboxSelectMultiple,
    )
    total_limit = CreditsField(label=_("Credits in total"))
    daily_limit = CreditsField(label=_("Credits a day (UTC)"))
    monthly_limit = CreditsField(label=_("Credits a month (UTC)"))
    requests_per_minute = forms.IntegerField(
        label=_("Requests a minute"), min_value=1, max_value=MAX_COUNT, required=False
    )
    running_limit = forms.IntegerField(
        label=_("Unfinished tasks at once"), min_value=1, max_value=MAX_COUNT, required=False
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    allowed_models = forms.MultipleChoiceField(
        label=_("Only these models"),
        required=False,
        choices=lambda: [(spec.id, spec.id) for spec in catalog.SPECS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all of them."),
    )
    allowed_networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "203.0.113.0/24"}),
        help_text=_("One a line, in CIDR notation; empty: from anywhere."),
    )

    def clean_scopes(self) -> list[str]:
        return [scope for scope in Scope.values if scope in self.cleaned_data["scopes"]]

    def clean_expires_at(self) -> Any:
        moment = self.cleaned_data["expires_at"]
        if moment is not None and "expires_at" in self.changed_data and moment <= timezone.now():
            raise forms.ValidationError(_("This must lie in the future."))
        return moment

    def clean_allowed_networks(self) -> list[str]:
        lines = self.cleaned_data["allowed_networks"].replace(",", "\n").split()
        try:
            return [str(ip_network(line)) for line in lines]
        except ValueError:
            message = _("Write each network in CIDR notation, such as 203.0.113.0/24.")
            raise forms.ValidationError(message) from None


class KeyChangeForm(KeyForm):
    enabled = forms.BooleanField(
        label=_("Enabled"), required=False, help_text=_("A disabled key is refused until it is enabled again.")
    )


def of_key(key: ApiKey) -> dict[str, Any]:
    """What the form of a key shows at first."""
    names = [name for name in KeyChangeForm.base_fields if hasattr(key, name)]
    limits = {name: _plain(getattr(key.budget, name)) for name in ("total_limit", "daily_limit", "monthly_limit")}
    return {name: getattr(key, name) for name in names} | limits | {"allowed_networks": "\n".join(key.allowed_networks)}


def role_choices(may_make_owners: bool) -> list[tuple[str, Any]]:
    return [(role, wording.ROLES[role]) for role in Role.values if may_make_owners or role != Role.OWNER]


def _plain(amount: Any) -> Any:
    """500 rather than 500.0000."""
    return amount if amount is None else amount.normalize().__format__("f")
