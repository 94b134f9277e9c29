"""What became of tasks, by the hour and the day: what reports of failures and refunds are made of."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generations import histogram
from generations.models import OutcomeDay, OutcomeMark, OutcomeRollUp

OUTCOME_TONES = {"completed": "success", "failed": "danger", "failed_by_input": "warning", "cancelled": "info"}


@admin.register(OutcomeRollUp)
class OutcomeRollUpAdmin(ReadOnly):
    list_display = (
        "starts_at",
        "span",
        "organization",
        "model",
        "account",
        "became",
        "error_code",
        "refunded_after",
        "tasks",
    )
    list_filter = ("span", "outcome", "account")
    list_select_related = ("organization", "account")
    search_fields = ("model__exact", "error_code__exact")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}
    ordering = ("-starts_at", "-pk")

    @display(description="outcome", label=OUTCOME_TONES)
    def became(self, row: OutcomeRollUp) -> str:
        return row.outcome

    @display(description="given back after (seconds)")
    def refunded_after(self, row: OutcomeRollUp) -> str:
        return "–" if row.refund_bucket is None else f"about {histogram.middle(row.refund_bucket):g}"


@admin.register(OutcomeDay)
class OutcomeDayAdmin(ReadOnly):
    list_display = ("starts_at", "model", "user_group", "account", "outcome", "error_code", "tasks")
    list_filter = ("outcome", "account")
    list_select_related = ("account",)
    search_fields = ("model__exact", "error_code__exact")
    ordering = ("-starts_at", "-pk")


@admin.register(OutcomeMark)
class OutcomeMarkAdmin(ReadOnly):
    list_display = ("counted_until",)
    search_fields = ("counted_until",)
