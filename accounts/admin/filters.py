"""Filters of lists that several pages share."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


def live_or_sandbox(organization: str) -> type[admin.SimpleListFilter]:
    """Rows of live or of sandbox organizations; `organization` is the way there: `wallet__organization`."""

    class LiveOrSandbox(admin.SimpleListFilter):
        title = "customers"
        parameter_name = "customers"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("live", "live"), ("sandbox", "sandbox")]

        def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
            if self.value() not in ("live", "sandbox"):
                return rows
            return rows.filter(**{f"{organization}__sandbox_of__isnull": self.value() == "live"})

    return LiveOrSandbox
