"""What needs an operator: alerts and possible orphan spend. And who is at work."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import ReadOnly
from generations import alerts
from generations.models import Alert, Attempt, LoopLease, OrphanSpend, Task, WorkerPulse


def open_alerts(request: HttpRequest) -> str:
    """The badge in the side bar; empty when all is well."""
    return str(Alert.objects.filter(resolved_at__isnull=True).count() or "")


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ("last_at", "kind", "subject", "message", "count", "standing")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "kind")
    search_fields = ("kind", "subject", "message")
    ordering = ("-last_at",)
    actions_detail = actions_row = ("resolve",)

    def hidden_actions(self, row: Alert) -> set[str]:
        return {"resolve"} if row.resolved_at else set()

    @display(description="state", label={"open": "danger", "resolved": "success"})
    def standing(self, alert: Alert) -> str:
        return "resolved" if alert.resolved_at else "open"

    @reasoned("Resolve", icon="check", variant=ActionVariant.PRIMARY, text="The same trouble again is a new alert.")
    def resolve(self, alert: Alert, given: Given) -> Done:
        alerts.resolve(alert)
        return Done("The alert is resolved.")


@admin.register(OrphanSpend)
class OrphanSpendAdmin(ReadOnly):
    list_display = ("noted_at", "attempt", "reason", "found_state", "cost_amount", "cost_unit", "due_at")
    list_filter = (("due_at", admin.EmptyFieldListFilter), "found_state")
    list_select_related = ("attempt__task",)
    search_fields = ("reason",)
    public_ids: ClassVar[dict[str, str]] = {Attempt.PREFIX: "attempt", Task.PREFIX: "attempt__task"}


@admin.register(LoopLease)
class LoopLeaseAdmin(ReadOnly):
    list_display = ("shard", "leased_by", "leased_until", "lease_token")
    search_fields = ("leased_by",)


@admin.register(WorkerPulse)
class WorkerPulseAdmin(ReadOnly):
    list_display = ("worker", "claimed_at")
    search_fields = ("worker",)
    ordering = ("-claimed_at",)
