"""What routing goes by: breakers, kill switches, and the margin guard with what each day has lost."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts import ids
from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import Editable, ReadOnly
from accounts.models import Organization
from generations import breaker, catalog, margin, switches
from generations.admin import tones
from generations.models import Attempt, Breaker, DayLoss, KillSwitch, MarginGuard, ProviderAccount


def moment_field(help_text: str) -> forms.DateTimeField:
    """A time to come, or none."""
    return forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        validators=[_lies_ahead],
        help_text=help_text,
    )


def _lies_ahead(moment: datetime) -> None:
    if moment <= timezone.now():
        raise forms.ValidationError("This lies in the past.")


def models_field(every: tuple[str, str], *, required: bool = True) -> forms.ChoiceField:
    choices = [every, *((spec.id, spec.id) for spec in catalog.SPECS)]
    return forms.ChoiceField(choices=choices, required=required, widget=UnfoldAdminSelectWidget)


class Trip(ReasonForm):
    model = models_field((Breaker.ALL, "the whole account"))
    until = moment_field("UTC. Then one task may try it. Empty: not before somebody resets it.")


class SwitchOff(ReasonForm):
    """One of the three, and what customers are told."""

    model = models_field(("", "–"), required=False)
    account = forms.ModelChoiceField(
        ProviderAccount.objects.order_by("name"), required=False, widget=UnfoldAdminSelectWidget
    )
    organization = forms.CharField(
        required=False, max_length=60, widget=UnfoldAdminTextInputWidget, help_text="Its id: org_…"
    )
    message = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Customers read this, in the answer and on the status page. Name no provider.",
    )
    expected_end_at = moment_field("UTC. Customers read it; it lifts nothing by itself. Empty: nobody knows.")

    def clean_organization(self) -> Organization | None:
        text = self.cleaned_data["organization"].strip()
        if not text:
            return None
        key = ids.decode("org_", text)
        found = None if key is None else Organization.objects.filter(pk=key).first()
        if found is None:
            raise forms.ValidationError("There is no such organization.")
        return found


@admin.register(Breaker)
class BreakerAdmin(ReadOnly):
    list_display = ("account", "model", "standing", "reason", "opened_at", "probe_at", "openings", "rest_until")
    list_filter = ("state", "account")
    list_select_related = ("account",)
    search_fields = ("account__name", "model", "reason")
    public_ids: ClassVar[dict[str, str]] = {Attempt.PREFIX: "probe"}
    actions_detail = actions_row = ("reset",)

    def hidden_actions(self, row: Breaker) -> set[str]:
        return {"reset"} if row.state == Breaker.State.CLOSED and row.rest_until is None else set()

    @display(description="state", label=tones.BREAKER, ordering="state")
    def standing(self, row: Breaker) -> str:
        now = timezone.now()
        if row.state == Breaker.State.OPEN and row.probe_at is not None and row.probe_at <= now:
            return "to be probed"
        is_resting = row.state == Breaker.State.CLOSED and row.rest_until is not None and row.rest_until > now
        return "resting" if is_resting else row.state

    @reasoned("Reset", icon="restart_alt", variant=ActionVariant.PRIMARY, text="Work goes there at once.")
    def reset(self, row: Breaker, given: Given) -> Done:
        breaker.reset(row)
        return Done(f"{row} is trusted again.")


@admin.register(KillSwitch)
class KillSwitchAdmin(ReadOnly):
    list_display = ("target", "kind", "standing", "message", "reason", "set_at", "expected_end_at", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "model", "account")
    list_select_related = ("account", "organization")
    search_fields = ("model", "account__name", "organization__name", "reason", "message")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}
    actions_list = ("switch_off",)
    actions_detail = actions_row = ("lift",)

    def hidden_actions(self, row: KillSwitch) -> set[str]:
        return {"lift"} if row.lifted_at else set()

    @display(description="what")
    def target(self, switch: KillSwitch) -> str:
        return str(switch)

    @display(description="kind")
    def kind(self, switch: KillSwitch) -> str:
        if switch.model:
            return "model"
        return "account" if switch.account_id else "organization"

    @display(description="state", label={"off": "danger", "overdue": "warning", "lifted": "success"})
    def standing(self, switch: KillSwitch) -> str:
        if switch.lifted_at is not None:
            return "lifted"
        return "overdue" if switch.expected_end_at and switch.expected_end_at <= timezone.now() else "off"

    @reasoned(
        "Switch off",
        form=SwitchOff,
        refusals=(switches.SwitchRefused,),
        icon="power_settings_new",
        variant=ActionVariant.DANGER,
        text="A model, a provider account or an organization. New requests are refused with the message, tasks that "
        "wait go on waiting until their deadline, and what a provider has goes on.",
    )
    def switch_off(self, given: Given) -> Done:
        row = switches.set_on(**given)
        return Done(f"{row} is switched off.", about=row)

    @reasoned("Lift", icon="play_arrow", variant=ActionVariant.PRIMARY, text="It works again at once.")
    def lift(self, switch: KillSwitch, given: Given) -> Done:
        switches.lift(switch, given["reason"])
        return Done(f"{switch} works again.")


@admin.register(MarginGuard)
class MarginGuardAdmin(Editable):
    list_display = ("what", "max_loss_share", "max_loss_a_day")
    search_fields = ("max_loss_share", "max_loss_a_day")
    fields = ("max_loss_share", "max_loss_a_day")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one; without it the settings say how much."""
        return super().has_add_permission(request) and not MarginGuard.objects.exists()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"max_loss_share": settings.MAX_LOSS_SHARE, "max_loss_a_day": settings.MAX_LOSS_A_DAY}

    @display(description="what")
    def what(self, guard: MarginGuard) -> str:
        return str(guard)


@admin.register(DayLoss)
class DayLossAdmin(ReadOnly):
    list_display = ("day", "lost", "allowed", "standing", "told_at")
    search_fields = ("day",)

    @display(description="allowed now")
    def allowed(self, row: DayLoss) -> str:
        return str(margin.allowed_a_day())

    @display(description="state", label={"room left": "success", "nearly used up": "warning", "used up": "danger"})
    def standing(self, row: DayLoss) -> str:
        cap = margin.allowed_a_day()
        if row.told_at is not None or row.lost >= cap:
            return "used up"
        return "nearly used up" if row.lost >= cap * margin.NEARLY else "room left"
