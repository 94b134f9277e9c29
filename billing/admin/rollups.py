"""Roll-ups, those of the reports, and how far each wallet is rolled up."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from accounts.models import ApiKey
from billing.admin.movements import KIND_TONES
from billing.models import (
    CostCursor,
    CostReportCursor,
    CostReportRollUp,
    ReportCursor,
    ReportRollUp,
    RollUp,
    RollUpCursor,
)
from billing.models.reports import ReportRow


@admin.register(RollUp)
class RollUpAdmin(ReadOnly):
    list_display = ("starts_at", "span", "owner", "model", "movement", "lot_kind", "amount", "transfers", "postings")
    list_filter = ("span", "kind", "lot_kind")
    list_select_related = ("wallet__organization",)
    search_fields = ("model__exact",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "wallet", ApiKey.PREFIX: "api_key"}

    def owner(self, rolled_up: RollUp) -> str:
        return rolled_up.wallet.organization.name

    @display(description="kind", label=KIND_TONES)
    def movement(self, rolled_up: RollUp) -> str:
        return rolled_up.kind


class OfReports(ReadOnly):
    list_select_related = ("wallet__organization",)
    search_fields = ("model__exact", "account__exact", "user_group__exact")
    public_ids: ClassVar[dict[str, str]] = {"org_": "wallet"}

    @display(description="organization")
    def owner(self, rolled_up: ReportRow) -> str:
        return rolled_up.wallet.organization.name if rolled_up.wallet else "all live ones"


@admin.register(ReportRollUp)
class ReportRollUpAdmin(OfReports):
    list_display = ("starts_at", "span", "owner", "model", "user_group", "account", "kind", "lot_kind", "amount")
    list_filter = ("span", "kind", "lot_kind")


@admin.register(CostReportRollUp)
class CostReportRollUpAdmin(OfReports):
    list_display = ("starts_at", "span", "owner", "model", "user_group", "account", "kind", "is_estimate", "amount")
    list_filter = ("span", "kind", "is_estimate")


@admin.register(RollUpCursor, CostCursor, ReportCursor, CostReportCursor)
class CursorAdmin(ReadOnly):
    list_display = ("wallet", "seq")
    list_select_related = ("wallet__organization",)
    search_fields = ("wallet__organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "pk"}
