"""What the auditor saw: each run as a page with its findings, and how far each wallet is clean."""

from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from billing.models import AuditMark, AuditRun

SHOWN = 200


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnly):
    list_display = ("started_at", "scope", "wallets", "verdict", "seconds")
    list_filter = ("scope", ("finished_at", admin.EmptyFieldListFilter))
    search_fields = ("scope",)
    fields = ("scope", "verdict_in_words", "wallets", "started_at", "finished_at", "seconds", "what_it_found")

    @display(description="verdict", label={"clean": "success", "broken": "danger", "at work": "info"})
    def verdict(self, run: AuditRun) -> str:
        if run.findings:
            return "broken"
        return "clean" if run.finished_at else "at work"

    @display(description="verdict")
    def verdict_in_words(self, run: AuditRun) -> str:
        count = len(run.findings)
        return f"broken: {count} finding{'s' * (count != 1)}" if count else self.verdict(run)

    @display(description="took (seconds)")
    def seconds(self, run: AuditRun) -> str:
        return f"{(run.finished_at - run.started_at).total_seconds():.1f}" if run.finished_at else "–"

    @display(description="findings")
    def what_it_found(self, run: AuditRun) -> SafeString:
        if not run.findings:
            return format_html("<span class='quiet'>{}</span>", "Every invariant holds.")
        rows = ((one["invariant"], one["subject"], one["problem"]) for one in run.findings[:SHOWN])
        lines = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows)
        more = len(run.findings) - SHOWN
        return format_html("<table class='story-table'>{}</table>{}", lines, f"… and {more} more" if more > 0 else "")


@admin.register(AuditMark)
class AuditMarkAdmin(ReadOnly):
    list_display = ("wallet", "seq", "checked_at")
    list_select_related = ("wallet__organization",)
    search_fields = ("wallet__organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "pk"}
    ordering = ("-checked_at",)
