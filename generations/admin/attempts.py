"""Attempts: what was sent to which provider account, in whose words it ended, and what it cost us."""

from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generations.admin import tones
from generations.models import Attempt, Task


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("public_id", "task", "number", "account", "standing", "outcome", "upstream_id", "created_at")
    list_filter = ("state", "account")
    list_select_related = ("task", "account")
    search_fields = ("upstream_id__exact", "outcome__exact")
    search_help_text = "An id: att_…, task-video-…, org_…, the provider's own id, or an outcome."
    public_ids: ClassVar[dict[str, str]] = {
        Attempt.PREFIX: "pk",
        Task.PREFIX: "task",
        "org_": "task__organization",
    }
    fields = (
        "public_id",
        "task",
        "number",
        "account",
        "state",
        "considered",
        "is_probe",
        "route",
        "upstream_id",
        "state_word",
        "outcome",
        "upstream_message",
        "result_url",
        "upstream_element_id",
        "cost_estimate",
        "cost_amount",
        "cost_unit",
        "loss",
        "judged_at",
        "fault",
        "looks",
        "absent_looks",
        "last_absent_at",
        "fetch_tries",
        "created_at",
        "unknown_since",
        "accepted_at",
        "finished_at",
        "due_at",
        "leased_by",
        "leased_until",
        "claims",
    )

    @display(description="id", ordering="pk")
    def public_id(self, attempt: Attempt) -> str:
        return attempt.reference

    @display(description="state", label=tones.ATTEMPT, ordering="state")
    def standing(self, attempt: Attempt) -> str:
        return attempt.state

    @display(description="accounts considered")
    def considered(self, attempt: Attempt) -> SafeString:
        rows = ((one["account"], one["cost"], one["reason"]) for one in attempt.choice)
        lines = format_html_join("", "<tr><th>{}</th><td>{} USD</td><td>{}</td></tr>", rows)
        return format_html("<table class='story-table'>{}</table>", lines) if attempt.choice else lines
