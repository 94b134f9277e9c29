"""Limits and alerts: the monthly cap, low-balance thresholds, the spending guard, and who is told by e-mail."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import members
from accounts.errors import ApiError
from accounts.models import Role
from billing import caps, spending_guard, thresholds
from billing.models import SpendingGuard
from evolink_saas.console import error_words, forms, key_list, money_forms
from evolink_saas.console.entrance import ConsoleRequest


def show(request: ConsoleRequest) -> HttpResponse:
    return _page(request)


@require_POST
def set_cap(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.CapForm(request.POST)
    if not form.is_valid():
        return _page(request, cap=form, status=400)
    caps.set_cap(request.organization, form.cleaned_data["monthly_cap"])
    return _saved(request)


@require_POST
def set_thresholds(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.ThresholdsForm(request.POST)
    if form.is_valid():
        try:
            thresholds.set_thresholds(request.organization, form.cleaned_data["thresholds"])
        except ApiError as error:
            forms.refuse(form, error)
        else:
            return _saved(request)
    return _page(request, thresholds=form, status=400)


@require_POST
def set_guard(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.GuardForm(request.POST)
    if not form.is_valid():
        return _page(request, guard=form, status=400)
    wanted = form.cleaned_data
    if wanted["enabled"]:
        spending_guard.switch_on(request.organization, factor=wanted["factor"], minimum=wanted["minimum"])
    else:
        spending_guard.switch_off(request.organization)
    return _saved(request)


@require_POST
def set_notify(request: ConsoleRequest, number: int) -> HttpResponse:
    rows = request.membership.organization.memberships.select_related("user", "organization")
    member = rows.filter(pk=number).first()
    if member is None:
        raise Http404
    try:
        members.set_notify(member, request.POST.get("notify") == "yes", by=request.membership)
    except ApiError as error:
        messages.error(request, error_words.refusal(error))
        return redirect("console:limits", request.organization.public_id)
    return _saved(request)


def _saved(request: ConsoleRequest) -> HttpResponse:
    messages.success(request, _("Saved."))
    return redirect("console:limits", request.organization.public_id)


def _page(request: ConsoleRequest, *, status: int = 200, **refused: Any) -> HttpResponse:
    """The page; `refused` are the forms whose values were."""
    organization, now = request.organization, timezone.now()
    wallet, guard = organization.wallet, getattr(organization, "spending_guard", None)
    known = list(organization.balance_thresholds.order_by("credits").values_list("credits", flat=True))
    paused = organization.api_keys.filter(revoked_at=None, paused_at__isnull=False).select_related("budget")
    page = {
        "cap": money_forms.CapForm(initial={"monthly_cap": _plain(wallet.monthly_cap)}),
        "thresholds": money_forms.ThresholdsForm(initial={"thresholds": "\n".join(map(money_forms.plain, known))}),
        "guard": money_forms.GuardForm(initial=money_forms.of_guard(guard or SpendingGuard())),
        "wallet": wallet,
        "spent": caps.spent(wallet, now),
        "known_thresholds": known,
        "guard_row": guard,
        "guard_state": "on" if guard and guard.on_since else "off",
        "paused": key_list.rows(list(paused.order_by("-paused_at")), now),
        "people": _people(request),
    }
    return render(request, "console/limits.html", page | refused, status=status)


def _people(request: ConsoleRequest) -> list[dict[str, Any]]:
    """Every member, whether they are told, and whether the reader may change that."""
    rows = request.membership.organization.memberships.select_related("user").order_by("pk")
    return [
        {"member": one, "is_told": members.gets_notices(one), "is_mine": _may_change(request, one.pk, one.role)}
        for one in rows
    ]


def _may_change(request: ConsoleRequest, number: int, role: str) -> bool:
    me = request.membership
    return number == me.pk or me.role == Role.OWNER or (me.role == Role.ADMIN and role != Role.OWNER)


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else money_forms.plain(amount)
