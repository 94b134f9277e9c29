"""Transfers, reservations with the lots that they hold, and the windows in which key budgets are counted."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.filters import live_or_sandbox
from accounts.admin.pages import ReadOnly, link
from accounts.models import ApiKey
from billing import ledger
from billing.admin.wallets import REFUSALS, credits_field, reference_field
from billing.amounts import SMALLEST
from billing.models import BudgetWindow, Reservation, ReservationLot, Transfer

KIND_TONES = {
    "grant": "success",
    "top_up": "success",
    "reserve": "info",
    "capture": "primary",
    "release": "default",
    "refund": "warning",
    "expire": "warning",
    "adjust": "danger",
}
STATE_TONES = {"reserved": "info", "captured": "success", "released": "default"}


class Refund(ReasonForm):
    amount = credits_field(min_value=SMALLEST, help_text="Credits, at most what was captured and not refunded.")
    reference = reference_field()


@admin.register(Transfer)
class TransferAdmin(ReadOnly):
    list_display = (
        "created_at",
        "owner",
        "seq",
        "movement",
        "amount",
        "debit",
        "credit",
        "balance_after",
        "reserved_after",
        "reference",
    )
    list_filter = ("kind", live_or_sandbox("wallet__organization"))
    lookups_of_reports = frozenset({"lot__kind__in", "lot__kind__exact", "reservation__model__exact"})
    list_select_related = ("wallet__organization",)
    search_fields = ("reference__exact",)
    public_ids: ClassVar[dict[str, str]] = {
        Reservation.TASK_PREFIX: "reservation",
        "org_": "wallet",
        ApiKey.PREFIX: "api_key",
    }
    list_display_links = ("created_at", "seq")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Figures of the reports link to the transfers of a kind of lot or of a model."""
        return lookup in self.lookups_of_reports or super().lookup_allowed(lookup, value, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_fields(request, obj), "chain_hash"]

    def owner(self, transfer: Transfer) -> str:
        return transfer.wallet.organization.name

    @display(description="kind", label=KIND_TONES)
    def movement(self, transfer: Transfer) -> str:
        return transfer.kind

    @display(description="hash of the chain")
    def chain_hash(self, transfer: Transfer) -> str:
        return bytes(transfer.hash).hex()


class Parts(TabularInline):
    model = ReservationLot
    fields = readonly_fields = ("line", "lot", "amount", "captured", "refunded")
    ordering = ("line",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Reservation)
class ReservationAdmin(ReadOnly):
    list_display = ("task_id", "owner", "standing", "amount", "captured", "refunded", "created_at", "resolved_at")
    list_filter = ("state",)
    list_select_related = ("wallet__organization",)
    search_fields = ("pk__exact",)
    public_ids: ClassVar[dict[str, str]] = {
        Reservation.TASK_PREFIX: "pk",
        "org_": "wallet",
        ApiKey.PREFIX: "api_key",
    }
    inlines = (Parts,)
    actions_detail = ("refund",)
    fields = (
        "task",
        "wallet",
        "api_key",
        "budget",
        "budget_day",
        "state",
        "amount",
        "captured",
        "refunded",
        "created_at",
        "resolved_at",
    )

    def hidden_actions(self, row: Reservation) -> set[str]:
        return set() if row.captured > row.refunded else {"refund"}

    def owner(self, reservation: Reservation) -> str:
        return reservation.wallet.organization.name

    def task(self, reservation: Reservation) -> SafeString:
        return link("generations_task", reservation.pk, reservation.task_id)

    @display(description="state", label=STATE_TONES)
    def standing(self, reservation: Reservation) -> str:
        return reservation.state

    @reasoned("Refund", form=Refund, refusals=REFUSALS, icon="undo", text="Gives back a part of what was captured.")
    def refund(self, reservation: Reservation, given: Given) -> Done:
        ledger.refund(reservation.pk, given["amount"], reference=f"operator:{given['reference']}")
        return Done(f"{given['amount']} credits were given back.")


@admin.register(ReservationLot)
class ReservationLotAdmin(ReadOnly):
    list_display = ("reservation", "line", "lot", "amount", "captured", "refunded")
    list_select_related = ("reservation", "lot")
    search_fields = ("reservation__exact",)
    public_ids: ClassVar[dict[str, str]] = {Reservation.TASK_PREFIX: "reservation"}


@admin.register(BudgetWindow)
class BudgetWindowAdmin(ReadOnly):
    list_display = ("budget", "kind", "day", "reserved", "captured")
    list_filter = ("kind",)
    list_select_related = ("budget",)
    search_fields = ("budget__organization__name",)
    public_ids: ClassVar[dict[str, str]] = {ApiKey.PREFIX: "budget__api_keys", "org_": "budget__organization"}
