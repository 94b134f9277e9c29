"""What providers charged us, in US dollars, and the sums that reports read."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from accounts import ids
from accounts.admin.filters import live_or_sandbox
from accounts.admin.pages import ReadOnly
from billing.models import CostRollUp, ProviderCost, Reservation

COST_TONES = {"attempt": "info", "orphan": "warning", "correction": "danger"}
ATTEMPT_PREFIX = "att_"


@admin.register(ProviderCost)
class ProviderCostAdmin(ReadOnly):
    list_display = ("at", "owner", "task", "movement", "account_name", "model", "dollars", "told", "is_estimate")
    list_filter = ("kind", "provider", "account_name", "is_estimate", live_or_sandbox("wallet__organization"))
    list_select_related = ("wallet__organization",)
    search_fields = ("reference__exact", "model__exact")
    search_help_text = "An id: task-video-…, att_…, org_…, or a model."
    public_ids: ClassVar[dict[str, str]] = {
        "org_": "wallet",
        Reservation.TASK_PREFIX: "task_id",
        ATTEMPT_PREFIX: "attempt_id",
    }
    fields = (
        "at",
        "owner",
        "seq",
        "movement",
        "task",
        "attempt",
        "provider",
        "account_name",
        "model",
        "user_group",
        "dollars",
        "is_estimate",
        "told",
        "reference",
    )

    def owner(self, cost: ProviderCost) -> str:
        return cost.wallet.organization.name

    @display(description="kind", label=COST_TONES)
    def movement(self, cost: ProviderCost) -> str:
        return cost.kind

    @display(description="task")
    def task(self, cost: ProviderCost) -> str:
        return ids.encode(Reservation.TASK_PREFIX, cost.task_id)

    @display(description="attempt")
    def attempt(self, cost: ProviderCost) -> str:
        return ids.encode(ATTEMPT_PREFIX, cost.attempt_id)

    @display(description="amount (USD)", ordering="amount")
    def dollars(self, cost: ProviderCost) -> str:
        return f"{cost.amount:,.6f}"

    @display(description="told by the provider")
    def told(self, cost: ProviderCost) -> str:
        return "–" if cost.told_amount is None else f"{cost.told_amount.normalize():f} {cost.told_unit}"


@admin.register(CostRollUp)
class CostRollUpAdmin(ReadOnly):
    list_display = ("starts_at", "span", "owner", "account_name", "model", "user_group", "kind", "dollars", "costs")
    list_filter = ("span", "kind", "provider", "is_estimate")
    list_select_related = ("wallet__organization",)
    search_fields = ("model__exact", "account_name__exact")
    public_ids: ClassVar[dict[str, str]] = {"org_": "wallet"}

    def owner(self, rolled_up: CostRollUp) -> str:
        return rolled_up.wallet.organization.name

    @display(description="amount (USD)", ordering="amount")
    def dollars(self, rolled_up: CostRollUp) -> str:
        return f"{rolled_up.amount:,.6f}"
