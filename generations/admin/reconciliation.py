"""Reconciliations: what providers say they charged beside what we wrote down, and what does not agree."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import ReadOnly, list_link
from generations import reconciliation
from generations.models import Attempt, Reconciliation, ReconciliationItem, UpstreamCharge

OPEN = Q(items__resolved_at__isnull=True, items__isnull=False)


def open_items(request: HttpRequest) -> str:
    """The badge in the side bar."""
    return str(ReconciliationItem.objects.filter(resolved_at__isnull=True).count() or "")


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly):
    list_display = ("day", "account", "state", "charges", "costs", "theirs_usd", "ours_usd", "gap", "left")
    list_filter = ("account",)
    list_select_related = ("account",)
    search_fields = ("account__name",)
    ordering = ("-day", "account")
    actions_detail = ("run_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(open_items=Count("items", filter=OPEN))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_fields(request, obj), "gap", "left"]

    @display(description="state", label={"agrees": "success", "differs": "warning", "trouble": "danger"})
    def state(self, run: Any) -> str:
        if run.finished_at is None:
            return "trouble" if run.problem else "being read"
        return "differs" if run.open_items else "agrees"

    @display(description="theirs (USD)", ordering="theirs")
    def theirs_usd(self, run: Reconciliation) -> str:
        return f"{run.theirs:,.2f}"

    @display(description="ours (USD)", ordering="ours")
    def ours_usd(self, run: Reconciliation) -> str:
        return f"{run.ours:,.2f}"

    @display(description="theirs - ours (USD)")
    def gap(self, run: Reconciliation) -> str:
        return f"{run.difference:+,.2f}"

    @display(description="open items")
    def left(self, run: Any) -> SafeString | str:
        query = f"reconciliation__id__exact={run.pk}"
        return list_link("generations_reconciliationitem", query, run.open_items) if run.open_items else "0"

    @reasoned("Run again", icon="sync", text="The day is read and compared anew; what is resolved stays so.")
    def run_again(self, run: Reconciliation, given: Given) -> Done:
        reconciliation.run_again(run)
        return Done("It is read anew within five minutes.")


@admin.register(ReconciliationItem)
class ReconciliationItemAdmin(ReadOnly):
    list_display = (
        "found_at",
        "day",
        "what",
        "upstream_id",
        "model",
        "told",
        "theirs",
        "ours",
        "gap",
        "resolution",
        "note",
    )
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "kind", "resolution", "reconciliation__account")
    list_select_related = ("reconciliation__account",)
    search_fields = ("upstream_id__exact", "model__exact")
    public_ids: ClassVar[dict[str, str]] = {Attempt.PREFIX: "attempt"}
    ordering = ("-found_at", "-pk")
    actions_detail = ("book", "resolve")

    def hidden_actions(self, row: ReconciliationItem) -> set[str]:
        if row.resolved_at is not None:
            return {"book", "resolve"}
        return set() if row.attempt_id and row.difference else {"book"}

    @display(description="day (UTC)", ordering="reconciliation__day")
    def day(self, item: ReconciliationItem) -> str:
        return str(item.reconciliation)

    @display(description="what", label={"unknown": "danger", "orphan": "warning", "missing": "info", "amount": "info"})
    def what(self, item: ReconciliationItem) -> str:
        return item.kind

    @display(description="told by the provider")
    def told(self, item: ReconciliationItem) -> str:
        return "–" if item.told_amount is None else f"{item.told_amount.normalize():f} {item.told_unit}"

    @display(description="theirs - ours (USD)")
    def gap(self, item: ReconciliationItem) -> str:
        return "unknown" if item.difference is None else f"{item.difference:+,.6f}"

    @reasoned(
        "Book as a cost",
        refusals=(reconciliation.NotBookable,),
        icon="receipt_long",
        variant=ActionVariant.PRIMARY,
        text="The difference becomes a correction of our costs. The reason is the item's note.",
    )
    def book(self, item: ReconciliationItem, given: Given) -> Done:
        booked = reconciliation.book(item, note=given["reason"])
        return Done("Booked." if booked else "It was resolved already.")

    @reasoned("Resolve", icon="done", text="Nothing is booked. The reason is the item's note.")
    def resolve(self, item: ReconciliationItem, given: Given) -> Done:
        resolved = reconciliation.resolve(item, note=given["reason"])
        return Done("Resolved." if resolved else "It was resolved already.")


@admin.register(UpstreamCharge)
class UpstreamChargeAdmin(ReadOnly):
    """Lines of a ledger that is being read; they go when the day is compared."""

    list_display = ("reconciliation", "upstream_id", "model", "amount", "unit", "is_near")
    list_select_related = ("reconciliation__account",)
    search_fields = ("upstream_id__exact",)
