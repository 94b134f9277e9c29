"""Every route of the API as the URL map has it, for table tests that fail when a route is missing from their table."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def views() -> Iterator[tuple[str, type[APIView]]]:
    """`("/v1/keys/{key_id}", Key)` for each route that a DRF view of ours answers."""
    for route, pattern in _patterns(get_resolver().url_patterns, "/"):
        view = getattr(pattern.callback, "cls", None)
        if view is not None and not view.__module__.startswith("drf_spectacular"):
            yield PARAMETER.sub(r"{\1}", route), view


def operations() -> dict[tuple[str, str], type[APIView]]:
    """The view by `("GET", "/v1/keys")`."""
    return {(method.upper(), route): view for route, view in views() for method in METHODS if hasattr(view, method)}


def _patterns(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, route)
        else:
            yield route, pattern
