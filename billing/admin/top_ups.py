"""Top-ups as Stripe and we know them, what went back, and recharges without anybody's click."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import ReadOnly, list_link
from accounts.models import Organization
from billing.models import AutoRecharge, MoneyBack, StripeEvent, TopUp
from billing.top_ups import recharge, settling

TONES = {
    "opening": "info",
    "open": "info",
    "processing": "info",
    "paid": "success",
    "failed": "danger",
    "expired": "default",
    "review": "warning",
}


@admin.register(MoneyBack)
class MoneyBackAdmin(ReadOnly):
    list_display = ("created_at", "top_up", "kind", "cents", "stripe_status", "takes", "changed_at")
    list_filter = ("kind", "takes")
    search_fields = ("stripe_id__exact",)
    public_ids: ClassVar[dict[str, str]] = {TopUp.PREFIX: "top_up", Organization.PREFIX: "top_up__organization"}


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly):
    list_display = ("received_at", "type", "top_up", "outcome", "event_id")
    search_fields = ("event_id__exact", "type__exact")
    public_ids: ClassVar[dict[str, str]] = {TopUp.PREFIX: "top_up", Organization.PREFIX: "top_up__organization"}


class NothingAdded(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MoneyBacks(NothingAdded):
    model = MoneyBack
    fields = readonly_fields = ("stripe_id", "kind", "cents", "stripe_status", "takes", "changed_at")
    ordering = ("created_at",)


class StripeEvents(NothingAdded):
    model = StripeEvent
    fields = readonly_fields = ("event_id", "type", "outcome", "created_at", "received_at")
    ordering = ("received_at",)


@admin.register(TopUp)
class TopUpAdmin(ReadOnly):
    list_display = ("created_at", "public_id", "organization", "dollars", "credits", "standing", "origin", "problem")
    list_filter = ("status", "origin")
    list_select_related = ("organization",)
    search_fields = ("session_id__exact", "payment_intent_id__exact")
    search_help_text = "An id: topup_…, org_…, a checkout session or a payment of Stripe's."
    public_ids: ClassVar[dict[str, str]] = {TopUp.PREFIX: "pk", Organization.PREFIX: "organization"}
    inlines = (MoneyBacks, StripeEvents)
    actions_detail = ("ask_stripe",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_fields(request, obj), "movements"]

    @display(description="US$", ordering="amount_cents")
    def dollars(self, top_up: TopUp) -> str:
        return f"{top_up.usd:,.2f}"

    @display(description="status", label=TONES)
    def standing(self, top_up: TopUp) -> str:
        return top_up.status

    @display(description="movements of credits")
    def movements(self, top_up: TopUp) -> SafeString:
        query = f"wallet__exact={top_up.organization_id}&reference__startswith={top_up.public_id}"
        return list_link("billing_transfer", query, "Transfers")

    @reasoned("Ask Stripe", icon="sync", text="The next sweep asks how it stands, what was refunded and disputed.")
    def ask_stripe(self, top_up: TopUp, given: Given) -> Done:
        settling.look_soon(top_up)
        return Done("Stripe is asked within a minute.")


@admin.register(AutoRecharge)
class AutoRechargeAdmin(ReadOnly):
    list_display = ("organization", "standing", "threshold_credits", "dollars", "monthly", "paused_reason")
    list_filter = ("enabled",)
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    public_ids: ClassVar[dict[str, str]] = {Organization.PREFIX: "pk"}
    actions_detail = ("resume",)

    def hidden_actions(self, row: AutoRecharge) -> set[str]:
        return set() if row.paused_at else {"resume"}

    @display(description="status")
    def standing(self, row: AutoRecharge) -> str:
        return recharge.standing(row)

    @display(description="buys, US$")
    def dollars(self, row: AutoRecharge) -> str:
        return f"{row.amount_cents / 100:,.2f}"

    @display(description="at most a month, US$")
    def monthly(self, row: AutoRecharge) -> str:
        return f"{row.monthly_maximum_cents / 100:,.2f}"

    @reasoned("Resume", icon="play_arrow", text="What paused it is dealt with; the next sweep may charge again.")
    def resume(self, row: AutoRecharge, given: Given) -> Done:
        recharge.resume(row)
        return Done("It goes on.")
