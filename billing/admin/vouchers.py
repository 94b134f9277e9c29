"""Vouchers: make a batch and take its codes away once, confirm a large one, disable codes, see who redeemed them."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import acting, spreadsheets
from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.pages import ReadOnly, list_link
from accounts.models import ApiKey, Organization
from billing import vouchers
from billing.admin.wallets import REFUSALS, credits_field
from billing.amounts import SMALLEST
from billing.models import CreditLot, Voucher, VoucherBatch, VoucherRedemption, VoucherTries

HEAD = ("code", "credits", "redemptions", "valid_until_utc")
MAX_COUNT = 2**31 - 1
MOMENT = {"widget": UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}), "required": False}


def count_field(**options: Any) -> forms.IntegerField:
    usual = {"min_value": 1, "max_value": MAX_COUNT, "initial": 1, "widget": UnfoldAdminIntegerFieldWidget}
    return forms.IntegerField(**usual | options)


class NewBatch(ReasonForm):
    name = forms.CharField(
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text="For operators, and only once: a form that is sent twice makes one batch.",
    )
    kind = forms.ChoiceField(choices=VoucherBatch.KINDS, initial=CreditLot.Kind.PROMO, widget=UnfoldAdminSelectWidget)
    credits = credits_field(min_value=SMALLEST, help_text="Credits that each redemption gives.")
    count = count_field(max_value=vouchers.MAX_CODES, help_text=f"Codes, up to {vouchers.MAX_CODES:,}.")
    max_redemptions = count_field(help_text="Organizations that may redeem one code, each once.")
    starts_at = forms.DateTimeField(**MOMENT, help_text="UTC. Empty: now.")
    expires_at = forms.DateTimeField(**MOMENT, help_text="UTC, of the codes. Empty: never.")
    credits_expire_days = count_field(
        required=False, initial=30, max_value=3650, help_text="Days that the credits live once redeemed. Empty: always."
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        start, end = given.get("starts_at"), given.get("expires_at")
        if end and end <= (start or timezone.now()):
            self.add_error("expires_at", "The codes would expire before they start.")
        return given


@admin.register(VoucherBatch)
class VoucherBatchAdmin(ReadOnly):
    list_display = ("name", "kind", "credits", "count", "max_redemptions", "redeemed", "expires_at", "standing")
    list_filter = ("kind", "needs_confirmation")
    list_select_related = ("made_by", "confirmed_by")
    search_fields = ("name",)
    public_ids: ClassVar[dict[str, str]] = {VoucherBatch.PREFIX: "pk"}
    fields = (
        *("name", "kind", "credits", "count", "max_redemptions", "worth", "redeemed", "codes"),
        *("starts_at", "expires_at", "credits_expire_days", "reason", "made_by", "made_at"),
        *("needs_confirmation", "confirmed_by", "confirmed_at"),
    )
    actions_list = ("make",)
    actions_detail = ("confirm", "disable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoucherBatch]:
        return super().get_queryset(request).annotate(times=Sum("vouchers__redemptions"))

    def hidden_actions(self, row: VoucherBatch) -> set[str]:
        return {"confirm"} if row.is_confirmed else set()

    @display(description="redeemed (times)")
    def redeemed(self, batch: Any) -> str:
        return f"{batch.times or 0:,}"

    @display(description="worth at most (credits)")
    def worth(self, batch: VoucherBatch) -> str:
        return f"{vouchers.value(batch):,.4f}"

    @display(description="state", label={"confirmed": "success", "waits for a second operator": "warning"})
    def standing(self, batch: VoucherBatch) -> str:
        return "confirmed" if batch.is_confirmed else "waits for a second operator"

    def codes(self, batch: VoucherBatch) -> SafeString:
        links = (
            list_link("billing_voucher", f"batch__id__exact={batch.pk}", "Codes"),
            list_link("billing_voucherredemption", f"voucher__batch__id__exact={batch.pk}", "Redemptions"),
        )
        return format_html_join(" · ", "{}", ((one,) for one in links))

    @reasoned("Make vouchers", form=NewBatch, refusals=REFUSALS, icon="add", variant=ActionVariant.PRIMARY)
    def make(self, given: Given) -> Done:
        batch, codes = vouchers.make(by=acting.user(), **given)
        wait = "" if batch.is_confirmed else " They can be redeemed once another operator has confirmed them."
        return Done(
            f"{batch.count:,} codes of {batch} are made.{wait}",
            about=batch,
            secret=_csv(batch, codes),
            file_name=f"vouchers-{slugify(batch.name) or batch.public_id}.csv",
        )

    @reasoned(
        "Confirm",
        refusals=REFUSALS,
        permission="confirm",
        icon="done_all",
        variant=ActionVariant.PRIMARY,
        text="The codes can be redeemed from now on. Whoever made them cannot confirm them.",
    )
    def confirm(self, batch: VoucherBatch, given: Given) -> Done:
        vouchers.confirm(batch, by=acting.user(), reason=given["reason"])
        return Done(f"The codes of {batch} can be redeemed.")

    @reasoned(
        "Disable all codes",
        icon="block",
        variant=ActionVariant.DANGER,
        text="No code of this batch can be redeemed any more. What was redeemed stays.",
    )
    def disable(self, batch: VoucherBatch, given: Given) -> Done:
        return Done(f"{vouchers.disable(batch, reason=given['reason']):,} codes were disabled.")


@admin.register(Voucher)
class VoucherAdmin(ReadOnly):
    list_display = ("hint", "batch", "redemptions", "max_redemptions", "standing")
    list_filter = (("disabled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("batch",)
    search_fields = ("hint__exact", "batch__name")
    public_ids: ClassVar[dict[str, str]] = {Voucher.PREFIX: "pk"}
    actions_detail = ("disable",)

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Whoever pastes a customer's code finds it."""
        typed = vouchers.find(search_term)
        if typed is not None:
            return queryset.filter(pk=typed.pk), False
        return super().get_search_results(request, queryset, search_term)

    def hidden_actions(self, row: Voucher) -> set[str]:
        return {"disable"} if row.disabled_at else set()

    @display(description="state", label={"works": "success", "used up": "default", "disabled": "danger"})
    def standing(self, voucher: Voucher) -> str:
        if voucher.disabled_at:
            return "disabled"
        return "works" if voucher.redemptions < voucher.max_redemptions else "used up"

    @reasoned("Disable", icon="block", variant=ActionVariant.DANGER, text="It can be redeemed no more.")
    def disable(self, voucher: Voucher, given: Given) -> Done:
        vouchers.disable_one(voucher, reason=given["reason"])
        return Done(f"{voucher} is disabled.")


@admin.register(VoucherRedemption)
class VoucherRedemptionAdmin(ReadOnly):
    list_display = ("redeemed_at", "voucher", "batch", "organization", "credits", "credits_expire_at")
    list_select_related = ("voucher__batch", "organization")
    search_fields = ("organization__name", "voucher__hint__exact", "voucher__batch__name")
    public_ids: ClassVar[dict[str, str]] = {
        Organization.PREFIX: "organization",
        Voucher.PREFIX: "voucher",
        ApiKey.PREFIX: "api_key",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoucherRedemption]:
        return super().get_queryset(request).annotate(batch_name=F("voucher__batch__name"))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "voucher__batch__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="batch", ordering="batch_name")
    def batch(self, redemption: Any) -> str:
        return redemption.batch_name


@admin.register(VoucherTries)
class VoucherTriesAdmin(ReadOnly):
    list_display = ("who", "hour", "tries")
    search_fields = ("who__exact",)


def _csv(batch: VoucherBatch, codes: list[str]) -> str:
    """A line a code. Codes begin with letters, so no spreadsheet takes one for a formula."""
    until = f"{batch.expires_at:%Y-%m-%d %H:%M}" if batch.expires_at else ""
    worth = (f"{batch.credits:f}", str(batch.max_redemptions), until)
    return spreadsheets.written([HEAD, *((code, *worth) for code in codes)])
