"""Statements: the months, and each as a file, the same bytes that the API gives."""

from collections.abc import Callable
from datetime import date, datetime

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from accounts.errors import ApiError
from billing import statement_files, statements
from billing.statements import Statement
from evolink_saas.console import month_list
from evolink_saas.console.entrance import ConsoleRequest

KINDS: dict[str, Callable[[Statement], HttpResponseBase]] = {
    "csv": statement_files.as_csv,
    "pdf": statement_files.as_pdf,
    "json": statement_files.as_json,
}


def listing(request: ConsoleRequest) -> HttpResponse:
    months, older = month_list.page(request.organization, _month(request.GET.get("until", "")), timezone.now())
    return render(request, "console/statements.html", {"months": months, "older": older})


def file(request: ConsoleRequest, month: str, kind: str) -> HttpResponseBase:
    if kind not in KINDS:
        raise Http404
    try:
        return KINDS[kind](statements.of(request.organization, month, timezone.now()))
    except ApiError:
        raise Http404 from None


def _month(text: str) -> date | None:
    """The first day of a month such as `2026-03`; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        return None
