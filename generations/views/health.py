"""How well each model works, for everybody: as JSON and as a page."""

import hashlib

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer

from accounts.requests import ApiRequest
from generations import standing, status_page
from generations.serializers.health import HealthReport
from generations.views.models import IF_NONE_MATCH, UNCHANGED, PublicView

MAX_AGE_SECONDS = 30


class CatalogHealth(PublicView):
    @extend_schema(
        operation_id="get_catalog_health",
        parameters=[IF_NONE_MATCH],
        responses={200: HealthReport, 304: UNCHANGED},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """How well each model works: its status, success rate, times and availability, from our own records.

        Public, with an `ETag`: ask with `If-None-Match`, and 304 says that nothing is new.
        """
        body = JSONRenderer().render(HealthReport(standing.report()).data)
        answer = HttpResponse(body, content_type="application/json")
        answer["ETag"] = etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        patch_cache_control(answer, public=True, max_age=MAX_AGE_SECONDS)
        return get_conditional_response(request._request, etag=etag, response=answer) or answer


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """The status page; while the database is away, the last figures there were."""
    is_fresh, report = True, standing.report.last()
    try:
        report = standing.report()
    except (OperationalError, InterfaceError):
        is_fresh = False
    page = {"page": status_page.page(report) if report else None, "is_fresh": is_fresh}
    answer = render(request, "generations/status.html", page, status=200 if is_fresh else 503)
    patch_cache_control(answer, public=True, max_age=MAX_AGE_SECONDS if is_fresh else 0)
    return answer
