"""Fills the admin's first page (UNFOLD["DASHBOARD_CALLBACK"])."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from evolink_saas.dashboard import money, waiting, work
from evolink_saas.reports import asked
from evolink_saas.reports.pages import may_read


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    now, today = timezone.now(), asked.today()
    shown: dict[str, Any] = {"now": now, "waiting": list(waiting.items(request, now))}
    if may_read(request):
        shown |= {"cards": money.cards(today), "picture": money.picture(today)}
    if request.user.has_perm("generations.view_task"):
        shown["tasks"] = work.tasks(now).html()
    if request.user.has_perm("generations.view_provideraccount"):
        shown["accounts"] = work.accounts(now).html()
    return context | {"dashboard": shown}
