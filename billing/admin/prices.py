"""Prices: versions of the price book, which only `load_price_book` writes, and exact rates of user groups."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin.pages import Editable, ReadOnly
from billing.models import GroupPrice, PriceCell, PriceVersion


class Cells(TabularInline):
    model = PriceCell
    fields = readonly_fields = ("model", "cell", "label", "unit", "rate", "factor", "minimum_seconds")
    ordering = ("model", "cell")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PriceVersion)
class PriceVersionAdmin(ReadOnly):
    list_display = ("effective_at", "short_digest", "note", "created_at")
    search_fields = ("note", "digest")
    ordering = ("-effective_at",)
    inlines = (Cells,)

    @display(description="digest")
    def short_digest(self, version: PriceVersion) -> str:
        return version.digest[:12]


@admin.register(PriceCell)
class PriceCellAdmin(ReadOnly):
    list_display = ("model", "cell", "label", "rate", "unit", "factor", "minimum_seconds", "version")
    list_filter = ("version", "unit")
    list_select_related = ("version",)
    search_fields = ("model", "cell", "label")
    ordering = ("-version__effective_at", "model", "cell")


@admin.register(GroupPrice)
class GroupPriceAdmin(Editable):
    """An exact rate of a user group. It prices new tasks; those that exist keep the price they were made with."""

    list_display = ("user_group", "model", "rate")
    list_filter = ("user_group",)
    list_select_related = ("user_group",)
    search_fields = ("model", "user_group__name")
    fields = ("user_group", "model", "rate")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("user_group", "model") if obj else ()
