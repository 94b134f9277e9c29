"""Billing: the balance, vouchers, and every movement. What spends is done by the functions that the API calls."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import permissions
from accounts.errors import ApiError
from billing import movements, vouchers
from evolink_saas.console import balance, forms, money_forms, purchases
from evolink_saas.console.entrance import ConsoleRequest
from evolink_saas.templatetags.pages import credits

PAGE_SIZE = 50


def show(request: ConsoleRequest) -> HttpResponse:
    return page(request)


@require_POST
def redeem(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.VoucherForm(request.POST)
    if form.is_valid():
        address = permissions.client_address(request)
        try:
            redeemed = vouchers.redeem(request.organization, form.cleaned_data["code"], address=address)
        except ApiError as error:
            forms.refuse(form, error)
            return page(request, voucher=form, status=error.status_code)
        messages.success(request, _("%(credits)s credits were added.") % {"credits": credits(redeemed.credits)})
        return redirect("console:billing", request.organization.public_id)
    return page(request, voucher=form, status=400)


def ledger(request: ConsoleRequest) -> HttpResponse:
    before = request.GET.get("cursor", "")
    found, after = movements.newest_first(request.organization, _number(before), PAGE_SIZE)
    shown = {"movements": balance.movements(found), "cursor": after, "is_first": not before}
    return render(request, "console/movements.html", shown)


def page(
    request: ConsoleRequest,
    *,
    buy: money_forms.TopUpForm | None = None,
    voucher: money_forms.VoucherForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The first page of billing; with a form that was refused."""
    shown = {
        "balance": balance.of(request.organization, timezone.now()),
        "buy": buy or money_forms.TopUpForm(initial={"pack": money_forms.USUAL_PACK}),
        "voucher": voucher or money_forms.VoucherForm(),
        "closed": purchases.closed(request.organization),
        "top_ups": purchases.rows(request.organization, None, purchases.FEW)[0],
    }
    return render(request, "console/billing.html", shown, status=status)


def _number(cursor: str) -> int | None:
    """A cursor that is none of ours leads to the first page."""
    return int(cursor) if cursor.isascii() and cursor.isdecimal() and len(cursor) < 19 else None
