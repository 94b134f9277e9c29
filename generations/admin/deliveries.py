"""Callbacks: deliveries with their tries, and the secrets that sign them (which nobody reads here)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import ReadOnly
from generations import webhooks
from generations.admin import tones
from generations.models import Delivery, DeliveryTry, Task, WebhookSecret


class Tries(TabularInline):
    model = DeliveryTry
    fields = readonly_fields = ("number", "started_at", "seconds", "status", "error", "response_start")
    ordering = ("number",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ("public_id", "organization", "event", "standing", "url", "tries_left", "created_at", "delivered_at")
    list_filter = ("state", "event")
    list_select_related = ("organization",)
    search_fields = ("webhook_id__exact",)
    search_help_text = "An id: dlv_…, task-video-…, org_…, or a webhook-id."
    public_ids: ClassVar[dict[str, str]] = {
        Delivery.PREFIX: "pk",
        Task.PREFIX: "task",
        "org_": "organization",
    }
    inlines = (Tries,)
    actions_detail = ("redeliver",)

    def hidden_actions(self, row: Delivery) -> set[str]:
        return {"redeliver"} if row.state == Delivery.State.DUE else set()

    @display(description="state", label=tones.DELIVERY, ordering="state")
    def standing(self, delivery: Delivery) -> str:
        return delivery.state

    @reasoned(
        "Redeliver",
        icon="replay",
        variant=ActionVariant.PRIMARY,
        text="The message is sent once more with its webhook-id, and retried like a new one.",
    )
    def redeliver(self, delivery: Delivery, given: Given) -> Done:
        webhooks.redeliver(delivery)
        return Done("The message is on its way.")


@admin.register(DeliveryTry)
class DeliveryTryAdmin(ReadOnly):
    list_display = ("delivery", "number", "started_at", "seconds", "status", "error")
    list_filter = ("status",)
    list_select_related = ("delivery",)
    search_fields = ("error",)
    public_ids: ClassVar[dict[str, str]] = {Delivery.PREFIX: "delivery", Task.PREFIX: "delivery__task"}


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnly):
    list_display = ("organization", "created_at", "previous_expires_at")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}
    actions_detail = ("rotate",)

    @reasoned("Rotate", icon="autorenew", text="A new secret is made; the one before signs along for 24 hours.")
    def rotate(self, secret: WebhookSecret, given: Given) -> Done:
        webhooks.rotate(secret.organization)
        return Done("There is a new secret; the customer reads it over the API.")
