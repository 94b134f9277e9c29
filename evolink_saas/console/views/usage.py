"""Usage: the figures of GET /v1/usage as a page and as CSV."""

from datetime import timedelta

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.errors import ApiError
from billing import budgets
from evolink_saas.console import forms, money_forms, usage_page
from evolink_saas.console.entrance import ConsoleRequest
from generations import usage
from generations.serializers.usage import USUAL_DAYS

NAMES = {"from": "since", "to": "until", "group_by": "metadata"}  # the API's, in the form


def show(request: ConsoleRequest) -> HttpResponse:
    form, page = _form(request), None
    if form.is_valid():
        try:
            page = usage_page.of(request.organization, **form.wanted())
        except ApiError as error:
            forms.refuse(form, error, NAMES)
    query = request.GET.urlencode()
    answer = {"form": form, "page": page, "query": query}
    return render(request, "console/usage.html", answer, status=200 if page else 400)


def csv(request: ConsoleRequest) -> HttpResponseBase:
    """The same figures; what the page would refuse, it refuses."""
    form = _form(request)
    if form.is_valid():
        try:
            found = usage.of(request.organization, **form.wanted())
        except ApiError as error:
            forms.refuse(form, error, NAMES)
        else:
            name = f"usage-{found.since}-{found.until}.csv"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return StreamingHttpResponse(usage_page.csv(found), content_type="text/csv; charset=utf-8", headers=headers)
    return render(request, "console/usage.html", {"form": form, "page": None}, status=400)


def _form(request: ConsoleRequest) -> money_forms.UsageForm:
    """What the address says, and the usual days where it says nothing."""
    until = budgets.day_of(timezone.now())
    usual = {"since": until - timedelta(days=USUAL_DAYS - 1), "until": until, "group_by": "day"}
    return money_forms.UsageForm(usual | {name: value for name, value in request.GET.items() if value})
