"""Callbacks: their secret, what was delivered and how each try went, once more, and a test."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import tenancy
from accounts.errors import ApiError, NotFound
from evolink_saas.console import forms, money_forms, money_words
from evolink_saas.console.entrance import ConsoleRequest
from generations import webhooks
from generations.models import Delivery, WebhookSecret

PAGE_SIZE = 50


def listing(request: ConsoleRequest) -> HttpResponse:
    return _page(request, money_forms.TestForm())


def one(request: ConsoleRequest, delivery_id: str) -> HttpResponse:
    delivery = _find(request, delivery_id)
    event = money_words.EVENTS.get(delivery.event, delivery.event)
    page = {"delivery": delivery, "tries": delivery.tries.order_by("-number"), "event": event}
    return render(request, "console/callback.html", page)


@require_POST
def again(request: ConsoleRequest, delivery_id: str) -> HttpResponse:
    delivery = webhooks.redeliver(_find(request, delivery_id))
    messages.success(request, _("It is sent once more."))
    return redirect("console:callback", request.organization.public_id, delivery.public_id)


@require_POST
def test(request: ConsoleRequest) -> HttpResponse:
    form = money_forms.TestForm(request.POST)
    if form.is_valid():
        try:
            delivery = webhooks.send_test(request.organization, form.cleaned_data["url"] or None)
        except ApiError as error:
            forms.refuse(form, error)
        else:
            return redirect("console:callback", request.organization.public_id, delivery.public_id)
    return _page(request, form, status=400)


@require_POST
def secret(request: ConsoleRequest) -> HttpResponse:
    """The secret stands in the answer to a POST alone, which no history and no prefetch repeats."""
    return _secret_page(request, webhooks.secret_of(request.organization), is_new=False)


@require_POST
def rotate(request: ConsoleRequest) -> HttpResponse:
    return _secret_page(request, webhooks.rotate(request.organization), is_new=True)


def _secret_page(request: ConsoleRequest, row: WebhookSecret, *, is_new: bool) -> HttpResponse:
    old_until = row.previous_expires_at
    shown = {"row": row, "is_new": is_new, "old_until": old_until if old_until and old_until > timezone.now() else None}
    return render(request, "console/callback_secret.html", shown)


def _page(request: ConsoleRequest, form: money_forms.TestForm, *, status: int = 200) -> HttpResponse:
    asked = money_forms.DeliveriesForm(request.GET)
    found, cursor = _deliveries(request, asked)
    rows = [{"delivery": row, "event": money_words.EVENTS.get(row.event, row.event)} for row in found]
    query = request.GET.copy()
    query.pop("cursor", None)
    page = {"rows": rows, "cursor": cursor, "query": query.urlencode(), "asked": asked, "form": form}
    return render(request, "console/callbacks.html", page | {"is_filtered": bool(query)}, status=status)


def _deliveries(request: ConsoleRequest, asked: money_forms.DeliveriesForm) -> tuple[list[Delivery], str | None]:
    """Those that were asked for; none, and the form says why, where that is wrong."""
    if not asked.is_valid():
        return [], None
    wanted = {"task_id": asked.cleaned_data["task"] or None, "state": asked.cleaned_data["state"] or None}
    try:
        return webhooks.page(request.organization, **wanted, cursor=request.GET.get("cursor") or None, size=PAGE_SIZE)
    except ApiError as error:
        forms.refuse(asked, error, {"task_id": "task"})
        return [], None


def _find(request: ConsoleRequest, delivery_id: str) -> Delivery:
    rows = request.organization.deliveries.select_related("task")
    try:
        return tenancy.owned(rows, delivery_id, NotFound("delivery_not_found", "There is no such delivery."))
    except NotFound:
        raise Http404 from None
