"""The pages of the reports: read the question, let the report answer it, show it or send it as a file.

Only operators with the permission `billing.view_reports` get in.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from evolink_saas.reports import asked, exports, shown_customers, shown_liabilities, shown_outcomes, shown_sales
from evolink_saas.reports.asked import Asked, Question
from evolink_saas.reports.shown import Shown

PERMISSION = "billing.view_reports"
TABS = (
    ("sales", "Revenue and margin"),
    ("customers", "Top customers"),
    ("liabilities", "Liabilities"),
    ("outcomes", "Failures and refunds"),
)
Answer = Callable[[Asked, str, dict[str, str]], Shown]


def may_read(request: HttpRequest) -> bool:
    """Also what the side bar asks."""
    return request.user.has_perm(PERMISSION)


def sales(request: HttpRequest) -> HttpResponseBase:
    return _page(request, "sales", shown_sales.answer, {"by": "month"})


def customers(request: HttpRequest) -> HttpResponseBase:
    return _page(request, "customers", shown_customers.answer, {}, left_out=("by", "then", "organization"))


def liabilities(request: HttpRequest) -> HttpResponseBase:
    left_out = ("by", "then", "model", "account", "user_group")
    return _page(request, "liabilities", shown_liabilities.answer, {}, left_out=left_out)


def outcomes(request: HttpRequest) -> HttpResponseBase:
    return _page(request, "outcomes", shown_outcomes.answer, {"by": "month"})


def for_readers(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """A page of the admin that needs the permission."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if not may_read(request):
            raise PermissionDenied
        return view(request)

    return admin.site.admin_view(guarded)


def _page(
    request: HttpRequest, name: str, answer: Answer, usual: dict[str, str], *, left_out: tuple[str, ...] = ()
) -> HttpResponseBase:
    today = asked.today()
    given = {key: value for key, value in request.GET.items() if isinstance(value, str) and value}
    words = asked.usual(today) | usual | given
    question = Question(words)
    for field in left_out:
        del question.fields[field]
    words = {key: value for key, value in words.items() if key in question.fields}
    shown = answer(question.asked(), request.path, words) if question.is_valid() else None
    kind, table = request.GET.get("format"), request.GET.get("table", "")
    if shown is not None and kind in exports.FORMATS:
        period = question.asked()
        chosen = shown.tables.get(table) or next(iter(shown.tables.values()))
        return exports.response(chosen, f"{name}-{period.first}-{period.last}", kind)
    context = admin.site.each_context(request) | {
        "title": dict(TABS)[name],
        "tabs": [(title, reverse(f"reports:{one}"), one == name) for one, title in TABS],
        "question": question,
        "periods": [(title, _link(request.path, words, first, last)) for title, first, last in asked.periods(today)],
        "shown": shown,
        "downloads": urlencode(words),
        "reset": request.path,
    }
    return TemplateResponse(request, "reports/page.html", context)


def _link(path: str, words: dict[str, str], first: Any, last: Any) -> str:
    return f"{path}?{urlencode(words | {'first': first.isoformat(), 'last': last.isoformat()})}"
