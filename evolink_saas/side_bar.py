"""The side bar of one operator: the pages of `admin_theme.NAVIGATION` that he may see, and badges that count something.

django-unfold shows a badge wherever its function stands, even if that returns nothing; so here they are called, and
what counts nothing gets none.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.module_loading import import_string

from evolink_saas.admin_theme import NAVIGATION

Item = dict[str, Any]


def navigation(request: HttpRequest) -> list[Item]:
    """What django-unfold calls for every page of the admin."""
    return [group | {"items": list(_seen(group["items"], request))} for group in NAVIGATION]


def _seen(items: list[Item], request: HttpRequest) -> Iterator[Item]:
    for item in items:
        if "rows" in item and not _may_view(item["rows"], request):
            continue
        badge = import_string(item["badge"])(request) if "badge" in item else ""
        kept = {name: value for name, value in item.items() if name not in ("rows", "badge")}
        yield kept | {"badge": badge} if badge else kept


def _may_view(rows: str, request: HttpRequest) -> bool:
    """As the page itself says; `rows` is spelled as its address is: `generations_task`."""
    app, _, model = rows.rpartition("_")
    return admin.site.get_model_admin(apps.get_model(app, model)).has_view_permission(request)
