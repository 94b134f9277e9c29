"""Drafts of price changes: change the cells, see what they would have made of the last 30 days, schedule them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import Editable, ReadOnly, link
from accounts.models import Organization
from billing import drafts
from billing.admin.prices import REFUSALS, effective_field
from billing.errors import PriceConflict
from billing.models import DraftCell, PriceCell, PriceDraft
from generations import price_preview
from generations.admin.routing import models_field
from generations.price_preview import Effect

ORGANIZATIONS_SHOWN = 200
TONES = {"open": "info", "scheduled": "success", "withdrawn": "danger", "discarded": "default"}


class Start(ReasonForm):
    note = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, help_text="What changes, in a few words.")


class Percent(ReasonForm):
    model = models_field(("", "every model"), required=False)
    percent = forms.IntegerField(
        min_value=-100,
        max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Of the rates that the draft began with: 12 is 12 percent more, -10 is 10 percent less.",
    )


class Schedule(ReasonForm):
    effective_at = effective_field()


class Cells(TabularInline):
    model = DraftCell
    fields = ("model", "cell", "label", "unit", "now", "rate", "factor", "minimum_seconds")
    readonly_fields = ("model", "cell", "label", "unit", "now")
    ordering = ("model", "cell")
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DraftCell]:
        before = PriceCell.objects.filter(
            version=OuterRef("draft__base"), model=OuterRef("model"), cell=OuterRef("cell")
        )
        return (
            super()
            .get_queryset(request)
            .annotate(base_rate=Subquery(before.values("rate")), base_factor=Subquery(before.values("factor")))
        )

    @display(description="rate × factor before")
    def now(self, cell: Any) -> SafeString:
        changed = (cell.rate, cell.factor) != (cell.base_rate, cell.base_factor)
        return format_html("{} × {}{}", cell.base_rate, cell.base_factor, " (changed)" if changed else "")


@admin.register(PriceDraft)
class PriceDraftAdmin(Editable):
    list_display = ("note", "standing", "base", "version", "created_at")
    list_filter = (("version", admin.EmptyFieldListFilter), ("discarded_at", admin.EmptyFieldListFilter))
    list_select_related = ("base", "version")
    search_fields = ("note",)
    fields = ("note", "standing", "what_it_does", "based_on", "became", "created_at", "discarded_at")
    inlines = (Cells,)
    actions_list = ("start",)
    actions_detail = ("change_by_percent", "schedule", "discard")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_open)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_operate_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.fields, "reason"] if self.has_change_permission(request, obj) else list(self.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return self.fields

    def hidden_actions(self, row: PriceDraft) -> set[str]:
        return set() if row.is_open else set(self.actions_detail)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview)
        return [path("<path:object_id>/preview/", view, name="billing_pricedraft_preview"), *super().get_urls()]

    @display(description="standing", label=TONES)
    def standing(self, draft: PriceDraft) -> str:
        if draft.version is not None:
            return "withdrawn" if draft.version.withdrawn_at else "scheduled"
        return "discarded" if draft.discarded_at else "open"

    @display(description="what it would do")
    def what_it_does(self, draft: PriceDraft) -> SafeString:
        url = reverse("admin:billing_pricedraft_preview", args=[draft.pk])
        words = f"Preview over the last {price_preview.DAYS} days"
        return format_html('<a class="row-link" href="{}">{}</a>', url, words)

    @display(description="began with")
    def based_on(self, draft: PriceDraft) -> SafeString:
        return link("billing_priceversion", draft.base_id, draft.base)

    @display(description="became")
    def became(self, draft: PriceDraft) -> SafeString | str:
        return link("billing_priceversion", draft.version_id, draft.version) if draft.version else "–"

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **options)
        except PriceConflict as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: Any) -> None:
        """The draft itself has nothing to edit."""

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: Any) -> None:
        changes = {
            one.instance.pk: {name: one.cleaned_data[name] for name in one.changed_data}
            for one in formset.forms
            if one.has_changed()
        }
        drafts.change(form.instance, changes, reason=form.cleaned_data["reason"])

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """`drafts.change` has written the audit entry."""

    @reasoned("Begin a draft", form=Start, refusals=REFUSALS, icon="add", variant=ActionVariant.PRIMARY)
    def start(self, given: Given) -> Done:
        draft = drafts.start(given["note"])
        return Done("The draft has the prices of the youngest version.", about=draft)

    @reasoned("Change by percent", form=Percent, refusals=REFUSALS, icon="percent", text="Of a model, or of all.")
    def change_by_percent(self, draft: PriceDraft, given: Given) -> Done:
        cells = drafts.change_by_percent(draft, given["model"], given["percent"])
        return Done(f"{cells} rates are {given['percent']:+} % of what the draft began with.")

    @reasoned(
        "Schedule",
        form=Schedule,
        refusals=REFUSALS,
        icon="event",
        variant=ActionVariant.PRIMARY,
        text="New tasks are priced by it from then on. Until then it can be withdrawn, and it is never edited.",
    )
    def schedule(self, draft: PriceDraft, given: Given) -> Done:
        version = drafts.schedule(draft, given["effective_at"])
        return Done(f"In effect from {version.effective_at:%Y-%m-%d %H:%M} UTC on.", about=version)

    @reasoned("Discard", refusals=REFUSALS, icon="delete", variant=ActionVariant.DANGER)
    def discard(self, draft: PriceDraft, given: Given) -> Done:
        drafts.discard(draft)
        return Done("The draft is discarded.")

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the draft would have made of the last days."""
        draft = self.get_object(request, object_id)
        if draft is None or not self.has_view_permission(request, draft):
            raise Http404("There is no such draft.")
        found = price_preview.preview(draft)
        shown = found.organizations[:ORGANIZATIONS_SHOWN]
        context = self.admin_site.each_context(request) | {
            "title": f"Preview: {draft}",
            "draft": draft,
            "preview": found,
            "back": reverse("admin:billing_pricedraft_change", args=[draft.pk]),
            "tables": (("Organization", _named(shown)), ("Model", found.models)),
            "left_out": len(found.organizations) - len(shown),
            "estimated": _percent(found.total),
        }
        return TemplateResponse(request, "admin/generations/price_preview.html", context)


@admin.register(DraftCell)
class DraftCellAdmin(ReadOnly):
    list_display = ("draft", "model", "cell", "label", "rate", "unit", "factor", "minimum_seconds")
    list_filter = ("unit",)
    list_select_related = ("draft",)
    search_fields = ("model", "cell", "draft__note")
    ordering = ("-draft", "model", "cell")


def _named(rows: list[tuple[UUID, Effect]]) -> list[tuple[SafeString, Effect]]:
    names = Organization.objects.in_bulk([key for key, _ in rows])
    return [(link("accounts_organization", key, names[key]), effect) for key, effect in rows]


def _percent(total: Effect) -> int:
    """Of the dollars, how many are our own estimates."""
    return round(100 * total.estimated / total.cost) if total.cost else 0
