"""Quotes: what was promised, until when, and the task that it priced."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generations.models import Quote, Task


@admin.register(Quote)
class QuoteAdmin(ReadOnly):
    list_display = (
        "public_id",
        "organization",
        "model",
        "credits",
        "user_group",
        "created_at",
        "expires_at",
        "used_by",
    )
    list_filter = ("model",)
    list_select_related = ("organization", "task")
    search_fields = ("model__exact",)
    search_help_text = "An id: quote_…, task-video-…, org_…, or a model."
    public_ids: ClassVar[dict[str, str]] = {Quote.PREFIX: "pk", Task.PREFIX: "task", "org_": "organization"}

    @display(description="task")
    def used_by(self, quote: Quote) -> str:
        return quote.task.public_id if quote.task else "none so far"
