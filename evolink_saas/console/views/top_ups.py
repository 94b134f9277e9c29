"""Buying credits: by hand on Stripe's page, and by itself with the card that was saved there."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.errors import ApiError
from billing.top_ups import checkout, recharge
from evolink_saas.console import forms, money_forms, purchases
from evolink_saas.console.entrance import ConsoleRequest
from evolink_saas.console.views import billing

PAGE_SIZE = 50


@require_POST
def buy(request: ConsoleRequest) -> HttpResponse:
    """To Stripe's page; the credits are there as soon as Stripe has told us, or we have asked."""
    form = money_forms.TopUpForm(request.POST)
    if not form.is_valid():
        return billing.page(request, buy=form, status=400)
    wanted = form.cleaned_data
    try:
        saves = wanted["save_payment_method"]
        top_up = checkout.start(request.organization, wanted["cents"], saves_payment_method=saves)
    except ApiError as error:
        forms.refuse(form, error)
        return billing.page(request, buy=form, status=error.status_code)
    return HttpResponseRedirect(top_up.checkout_url)


def listing(request: ConsoleRequest) -> HttpResponse:
    try:
        rows, cursor = purchases.rows(request.organization, request.GET.get("cursor"), PAGE_SIZE)
    except ApiError:
        raise Http404 from None
    return render(request, "console/top_ups.html", {"rows": rows, "cursor": cursor})


def auto_recharge(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.AutoRechargeForm(initial=money_forms.of_recharge(recharge.of(request.organization)))
    return _recharge_page(request, form)


@require_POST
def set_auto_recharge(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.AutoRechargeForm(request.POST)
    if not form.is_valid():
        return _recharge_page(request, form, status=400)
    wanted = form.cleaned_data
    try:
        recharge.configure(
            request.organization,
            enabled=wanted["enabled"],
            threshold_credits=wanted["threshold_credits"],
            cents=wanted["cents"],
            monthly_maximum_cents=int(wanted["monthly_maximum_usd"] * 100),
        )
    except ApiError as error:
        forms.refuse(form, error)
        return _recharge_page(request, form, status=error.status_code)
    messages.success(request, _("Saved."))
    return redirect("console:auto-recharge", request.organization.public_id)


@require_POST
def resume(request: ConsoleRequest) -> HttpResponse:
    recharge.resume(recharge.of(request.organization))
    messages.success(request, _("Auto-recharge goes on."))
    return redirect("console:auto-recharge", request.organization.public_id)


def _recharge_page(request: ConsoleRequest, form: money_forms.AutoRechargeForm, *, status: int = 200) -> HttpResponse:
    row = recharge.of(request.organization)
    page = {
        "form": form,
        "row": row,
        "standing": recharge.standing(row),
        "spent_usd": recharge.spent_this_month(request.organization) / 100,
        "maximum_usd": row.monthly_maximum_cents / 100,
        "amount_usd": row.amount_cents / 100,
        "closed": purchases.closed(request.organization),
    }
    return render(request, "console/auto_recharge.html", page, status=status)
