"""What the auditor saw: each run as a page with its findings, and how far each wallet is clean."""

from collections import Counter
from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts import ids
from accounts.admin.pages import ReadOnly, link
from accounts.models import Organization
from billing.models import AuditMark, AuditRun

SHOWN = 200
INVARIANTS = {
    "I1": "the ledger's accounts add up to balance and reserved",
    "I2": "no transfer overdraws",
    "I3": "reserved is the sum of the open reservations",
    "I4": "every lot adds up",
    "I5": "numbers have no gaps, balances and hashes chain",
    "I6": "a reservation is resolved once",
    "I7": "a failed or cancelled task leaves every lot as it was",
    "I9": "the burn order holds",
    "I10": "nothing is reserved from an expired lot",
    "I11": "a budget's window is the sum of its reservations",
    "I12": "what belongs to a transfer belongs to one organization",
    "I13": "transfers, provider costs and audit entries cannot be changed",
    "I14": "what was captured is the price, computed again",
    "I15": "replaying the transfers makes the same books",
    "I16": "the roll-ups are the sums of the transfers",
    "I17": "every task has one reservation, open as long as the task",
    "I18": "completed is captured, failed or cancelled is released",
    "I20": "states follow the table",
    "I21": "one delivery a task and terminal state",
    "I23": "every success has one provider cost",
    "I24": "the roll-ups of provider costs are their sums",
    "I25": "the counts of outcomes are those of the tasks",
    "I26": "the report roll-ups are the sums of transfers and costs",
}
"""What a run checks, in the words of this page; docs/billing.md has them in full."""


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnly):
    list_display = ("started_at", "scope", "wallets", "verdict", "seconds")
    list_filter = ("scope", ("finished_at", admin.EmptyFieldListFilter))
    search_fields = ("scope",)
    fields = (
        "scope",
        "verdict_in_words",
        "wallets",
        "started_at",
        "finished_at",
        "seconds",
        "checked",
        "what_it_found",
    )

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

    @display(description="invariants")
    def checked(self, run: AuditRun) -> SafeString | str:
        if not run.finished_at and not run.findings:
            return "being checked"
        broken = Counter(one["invariant"] for one in run.findings)
        rows = (
            ("broken" if broken[name] else "", name, words, f"{broken[name]} found" if broken[name] else "holds")
            for name, words in INVARIANTS.items()
        )
        line = "<tr class='{}'><th>{}</th><td>{}</td><td>{}</td></tr>"
        return format_html("<table class='story-table audited'>{}</table>", format_html_join("", line, rows))

    @display(description="findings")
    def what_it_found(self, run: AuditRun) -> SafeString:
        if not run.findings:
            return format_html("<span class='quiet'>{}</span>", "Every invariant holds.")
        rows = ((one["invariant"], self._wallet(one["subject"]), one["problem"]) for one in run.findings[:SHOWN])
        lines = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows)
        more = len(run.findings) - SHOWN
        return format_html("<table class='story-table'>{}</table>{}", lines, f"… and {more} more" if more > 0 else "")

    def _wallet(self, subject: str) -> SafeString | str:
        """A subject begins with its organization's id: a link to the wallet."""
        organization, _, rest = subject.partition(" ")
        identifier = ids.decode(Organization.PREFIX, organization.rstrip(":,"))
        if identifier is None:
            return subject
        return format_html("{} {}", link("billing_wallet", identifier, organization), rest)


@admin.register(AuditMark)
class AuditMarkAdmin(ReadOnly):
    list_display = ("wallet", "seq", "checked_at")
    list_select_related = ("wallet__organization",)
    search_fields = ("wallet__organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "pk"}
    ordering = ("-checked_at",)
