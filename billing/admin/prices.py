"""Prices: versions of the price book, and what groups and organizations pay instead. Rows are added, not edited."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import ids
from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import ReadOnly
from accounts.models import Organization, UserGroup
from billing import overrides, price_book
from billing.errors import PriceConflict
from billing.models import PriceCell, PriceOverride, PriceVersion

REFUSALS = (PriceConflict,)
STANDING_TONES = {"in effect": "success", "scheduled": "info", "withdrawn": "danger", "past": "default"}


def effective_field() -> forms.DateTimeField:
    return forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        validators=[_lies_ahead],
        help_text="UTC. Empty: from now on. Tasks that exist keep their price.",
    )


def _lies_ahead(moment: datetime) -> None:
    if moment <= timezone.now():
        raise forms.ValidationError("This lies in the past.")


def number_field(places: int, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=places,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=help_text,
    )


class Cells(TabularInline):
    model = PriceCell
    fields = readonly_fields = ("model", "cell", "label", "unit", "rate", "factor", "minimum_seconds")
    ordering = ("model", "cell")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PriceVersion)
class PriceVersionAdmin(ReadOnly):
    list_display = ("effective_at", "standing", "note", "came_from", "short_digest", "created_at")
    search_fields = ("note", "digest")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter),)
    ordering = ("-effective_at",)
    fields = (
        "standing",
        "effective_at",
        "note",
        "came_from",
        "digest",
        "created_at",
        "withdrawn_at",
        "withdrawn_reason",
    )
    inlines = (Cells,)
    actions_detail = ("withdraw",)

    def hidden_actions(self, row: PriceVersion) -> set[str]:
        return set() if self.standing(row) == "scheduled" else {"withdraw"}

    @display(description="standing", label=STANDING_TONES)
    def standing(self, version: PriceVersion) -> str:
        now = timezone.now()
        if version.withdrawn_at is not None:
            return "withdrawn"
        if version.effective_at > now:
            return "scheduled"
        return "in effect" if price_book.in_effect(now) == version else "past"

    @display(description="came from")
    def came_from(self, version: PriceVersion) -> str:
        draft = getattr(version, "draft", None)
        return f"the draft “{draft}”" if draft else "the price book's file"

    @display(description="digest")
    def short_digest(self, version: PriceVersion) -> str:
        return version.digest[:12]

    @reasoned(
        "Withdraw",
        refusals=REFUSALS,
        icon="undo",
        variant=ActionVariant.DANGER,
        text="It will never be in effect; the prices before it go on.",
    )
    def withdraw(self, version: PriceVersion, given: Given) -> Done:
        price_book.withdraw(version, given["reason"])
        return Done("The version was withdrawn.")


@admin.register(PriceCell)
class PriceCellAdmin(ReadOnly):
    list_display = ("model", "cell", "label", "rate", "unit", "factor", "minimum_seconds", "version")
    list_filter = ("version", "unit")
    list_select_related = ("version",)
    search_fields = ("model", "cell", "label")
    ordering = ("-version__effective_at", "model", "cell")


class PayerForm(ReasonForm):
    """Who pays something else, and from when on."""

    user_group = forms.ModelChoiceField(
        UserGroup.objects.order_by("name"), required=False, widget=UnfoldAdminSelectWidget
    )
    organization = forms.CharField(
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Its id: org_…, in place of a user group. What it is given wins over all that its group has.",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        text = (given.get("organization") or "").strip()
        if bool(text) == bool(given.get("user_group")):
            raise forms.ValidationError("Name a user group or an organization, not both.")
        given["payer"] = _organization(text) if text else given["user_group"]
        return given


def _organization(text: str) -> Organization:
    key = ids.decode("org_", text)
    found = None if key is None else Organization.objects.filter(pk=key).first()
    if found is None:
        raise forms.ValidationError("There is no such organization.")
    return found


class MultiplierForm(PayerForm):
    multiplier = number_field(4, "Of every rate: 0.9 is 10 percent less. Empty: no multiplier any more.")
    effective_at = effective_field()


class RateForm(PayerForm):
    model = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    rate = number_field(4, "Credits a second or call, before the cell's factor. Empty: no exact price any more.")
    effective_at = effective_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        youngest = price_book.youngest()
        models = youngest.cells.order_by("model").values_list("model", flat=True).distinct() if youngest else []
        self.fields["model"].choices = [(model, model) for model in models]  # type: ignore[attr-defined]


@admin.register(PriceOverride)
class PriceOverrideAdmin(ReadOnly):
    list_display = ("effective_at", "payer", "pays", "standing", "reason", "created_at")
    list_filter = ("user_group", "model", ("organization", admin.EmptyFieldListFilter))
    list_select_related = ("user_group", "organization")
    search_fields = ("model", "user_group__name", "organization__name", "reason")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}
    ordering = ("-effective_at", "-pk")
    fields = (
        "payer",
        "pays",
        "standing",
        "effective_at",
        "reason",
        "created_at",
        "withdrawn_at",
        "withdrawn_reason",
    )
    actions_list = ("multiplier", "exact_price")
    actions_detail = ("withdraw",)

    def hidden_actions(self, row: PriceOverride) -> set[str]:
        return set() if self.standing(row) == "scheduled" else {"withdraw"}

    @display(description="who")
    def payer(self, override: PriceOverride) -> str:
        return str(override.organization) if override.organization else f"group {override.user_group}"

    @display(description="pays")
    def pays(self, override: PriceOverride) -> str:
        return override.what

    @display(description="standing", label=STANDING_TONES)
    def standing(self, override: PriceOverride) -> str:
        if override.withdrawn_at is not None:
            return "withdrawn"
        if override.effective_at > timezone.now():
            return "scheduled"
        return "in effect" if overrides.in_effect(override) == override else "past"

    @reasoned("Set a multiplier", form=MultiplierForm, refusals=REFUSALS, icon="percent")
    def multiplier(self, given: Given) -> Done:
        row = overrides.set_multiplier(
            given["payer"], given["multiplier"], reason=given["reason"], effective_at=given["effective_at"]
        )
        return Done(f"{row}, since {row.effective_at:%Y-%m-%d %H:%M} UTC.", about=row)

    @reasoned("Set an exact price", form=RateForm, refusals=REFUSALS, icon="sell")
    def exact_price(self, given: Given) -> Done:
        row = overrides.set_rate(
            given["payer"], given["model"], given["rate"], reason=given["reason"], effective_at=given["effective_at"]
        )
        return Done(f"{row}, since {row.effective_at:%Y-%m-%d %H:%M} UTC.", about=row)

    @reasoned("Withdraw", refusals=REFUSALS, icon="undo", variant=ActionVariant.DANGER, text="It will never count.")
    def withdraw(self, override: PriceOverride, given: Given) -> Done:
        overrides.withdraw(override, given["reason"])
        return Done("It was withdrawn.")
