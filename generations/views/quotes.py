"""Say what a request would cost, and promise it."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import quotes
from generations.serializers.quotes import QuoteShape, quote_object

EXAMPLES = [
    OpenApiExample(
        "a length that was asked for",
        value={
            "quote_id": "quote_01jm3x7c9dqk4v2e8r5t6w0yza",
            "model": "kling-v3-text-to-video",
            "billing_rule": "per_second",
            "maximum": False,
            "lines": [
                {
                    "label": "720p with sound",
                    "quantity": 2,
                    "unit": "second",
                    "rate": 5.4,
                    "factor": 1.5,
                    "amount": 16.2,
                },
                {
                    "label": "Billed as 3 seconds, the minimum",
                    "quantity": 1,
                    "unit": "second",
                    "rate": 5.4,
                    "factor": 1.5,
                    "amount": 8.1,
                },
            ],
            "credits": 24.3,
            "usd": 0.3375,
            "expires_at": 1739500900,
        },
        response_only=True,
    ),
    OpenApiExample(
        "a length that only the media knows",
        value={
            "quote_id": "quote_01jm3x7c9dqk4v2e8r5t6w0yzb",
            "model": "kling-o1-video-edit",
            "billing_rule": "per_second",
            "maximum": True,
            "lines": [
                {
                    "label": "1080p with an input video",
                    "quantity": 10,
                    "unit": "second",
                    "rate": 12,
                    "factor": 1,
                    "amount": 120,
                }
            ],
            "credits": 120,
            "usd": 1.6667,
            "expires_at": 1739500900,
        },
        response_only=True,
    ),
]


class Quotes(APIView):
    required_scope = Scope.GENERATE
    refusals = (404, 503)

    @extend_schema(operation_id="create_quote", request=dict, responses=QuoteShape, examples=EXAMPLES)
    def post(self, request: ApiRequest) -> Response:
        """Say what a generation with this body costs, and promise it for 15 minutes and one task.

        The body is validated as the generation would be; no task is made and nothing is reserved. Send the same body
        with `quote_id` to have it made at this price, whatever the prices are then.
        """
        return Response(quote_object(quotes.make(request.organization, request.auth, request.data)))
