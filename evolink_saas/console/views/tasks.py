"""Tasks: the list, one of them, and what a member may do with it. The same functions as /v1/tasks."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import tenancy
from accounts.errors import ApiError, InvalidRequest, NotFound
from evolink_saas.console import error_words, task_page, task_search
from evolink_saas.console.entrance import ConsoleRequest
from generations import cancellation, task_list, webhooks
from generations.models import Task


@require_safe
def listing(request: ConsoleRequest) -> HttpResponse:
    form = task_search.SearchForm(request.GET, request.organization)
    if not form.is_valid():
        return render(request, "console/tasks.html", {"form": form, "rows": []}, status=400)
    cursor = request.GET.get("cursor", "")
    try:
        rows, after = task_search.page(request.organization, form.filters, cursor)
    except InvalidRequest:
        raise Http404 from None
    is_alive = any(row.task.is_open for row in rows)
    page = {"form": form, "rows": rows, "cursor": after, "is_later": bool(cursor), "is_alive": is_alive}
    return render(request, "console/tasks.html", page)


@require_safe
def show(request: ConsoleRequest, task_id: str) -> HttpResponse:
    page = task_page.of(request.organization, request.membership, _one(request, task_id))
    return render(request, "console/task.html", {"page": page, "task": page.task})


@require_POST
def cancel(request: ConsoleRequest, task_id: str) -> HttpResponse:
    try:
        cancellation.cancel(_one(request, task_id))
    except ApiError as error:
        messages.error(request, error_words.of_refusal(error).what)
    else:
        messages.success(request, _("The task was cancelled. Its credits are available again."))
    return redirect("console:task", request.organization.public_id, task_id)


@require_POST
def redeliver(request: ConsoleRequest, task_id: str, delivery_id: str) -> HttpResponse:
    """Send a callback of the task once more."""
    missing = NotFound("delivery_not_found", "There is no such delivery.")
    try:
        delivery = tenancy.owned(_one(request, task_id).deliveries.all(), delivery_id, missing)
    except NotFound:
        raise Http404 from None
    webhooks.redeliver(delivery)
    messages.success(request, _("The callback is sent once more."))
    return redirect("console:task", request.organization.public_id, task_id)


def _one(request: ConsoleRequest, task_id: str) -> Task:
    try:
        return task_list.find(request.organization, task_id)
    except (InvalidRequest, NotFound):
        raise Http404 from None
