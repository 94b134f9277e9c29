"""What everything costs: for everybody, and for whoever sends a key what they pay themselves."""

import hashlib
import math
from datetime import datetime

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from accounts.models import Organization
from accounts.requests import ApiRequest
from generations import published_prices
from generations.serializers.pricing import PriceListShape, price_list_object
from generations.views.models import IF_NONE_MATCH, UNCHANGED

MAX_AGE_SECONDS = 60
EXAMPLE = OpenApiExample(
    "one model of the list",
    value={
        "object": "list",
        "user_group": "default",
        "credits_per_usd": 72,
        "packs": [{"usd": 10, "credits": 720}],
        "changes_at": None,
        "data": [
            {
                "id": "kling-o1-video-edit",
                "object": "model.price",
                "billing_rule": "per_second",
                "settlement": {
                    "billed_by": "input",
                    "reserved_rounding": "hundredth_up",
                    "charged_rounding": "hundredth_up",
                },
                "cells": [
                    {
                        "cell": "1080p_video",
                        "label": "1080p with an input video",
                        "unit": "second",
                        "rate": 12,
                        "factor": 1,
                        "credits": 12,
                        "usd": 0.1667,
                        "minimum_seconds": 3,
                        "official_usd": 0.168,
                    }
                ],
                "changes_at": None,
                "coming_cells": None,
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
)


class CatalogPricing(APIView):
    required_scope = None

    @extend_schema(
        operation_id="get_catalog_pricing",
        parameters=[IF_NONE_MATCH],
        responses={200: PriceListShape, 304: UNCHANGED},
        examples=[EXAMPLE],
    )
    def get(self, request: ApiRequest) -> HttpResponseBase:
        """List what every model costs, and when that changes next. With a key, what its organization pays.

        With an `ETag`: ask with `If-None-Match`, and 304 says that nothing is new.
        """
        organization: Organization | None = request.organization
        prices = published_prices.prices(organization)
        body = JSONRenderer().render(price_list_object(prices))
        answer = HttpResponse(body, content_type="application/json")
        answer["ETag"] = etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        patch_vary_headers(answer, ["Authorization"])
        whose = "public" if organization is None else "private"
        patch_cache_control(answer, **{whose: True}, max_age=_max_age(prices.changes_at))
        return get_conditional_response(request._request, etag=etag, response=answer) or answer


def _max_age(changes_at: datetime | None) -> int:
    """No cache keeps a price beyond the moment at which it changes."""
    if changes_at is None:
        return MAX_AGE_SECONDS
    left = math.floor((changes_at - timezone.now()).total_seconds())
    return max(0, min(MAX_AGE_SECONDS, left))
