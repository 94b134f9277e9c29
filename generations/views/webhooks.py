"""Callbacks: their secret, what was delivered, once more, and a test."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tenancy
from accounts.errors import NotFound
from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import webhooks
from generations.serializers import webhooks as shapes

PAGE_SIZE = 50


class Secret(APIView):
    required_scope = Scope.WEBHOOKS

    @extend_schema(operation_id="get_webhook_secret", responses=shapes.SecretShape)
    def get(self, request: ApiRequest) -> Response:
        """What your callbacks are signed with."""
        return Response(shapes.SecretShape(webhooks.secret_of(request.organization)).data)


class RotateSecret(APIView):
    required_scope = Scope.WEBHOOKS

    @extend_schema(operation_id="rotate_webhook_secret", request=None, responses=shapes.SecretShape)
    def post(self, request: ApiRequest) -> Response:
        """Make a new secret. The one before signs along for 24 hours."""
        return Response(shapes.SecretShape(webhooks.rotate(request.organization)).data)


class Deliveries(APIView):
    required_scope = Scope.WEBHOOKS

    @extend_schema(
        operation_id="list_deliveries",
        parameters=[
            OpenApiParameter("task_id", str, description="Only the deliveries of this task."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses=shapes.DeliveryPage,
    )
    def get(self, request: ApiRequest) -> Response:
        """List deliveries with their tries, newest first."""
        task_id, cursor = request.query_params.get("task_id"), request.query_params.get("cursor")
        found, after = webhooks.page(request.organization, task_id=task_id, cursor=cursor, size=PAGE_SIZE)
        return Response(shapes.DeliveryPage({"data": found, "next_cursor": after}).data)


class Redeliver(APIView):
    required_scope = Scope.WEBHOOKS

    @extend_schema(operation_id="redeliver", request=None, responses=shapes.DeliveryShape)
    def post(self, request: ApiRequest, delivery_id: str) -> Response:
        """Send a delivery once more, under the same webhook-id."""
        missing = NotFound("delivery_not_found", "There is no such delivery.")
        delivery = tenancy.owned(request.organization.deliveries.all(), delivery_id, missing)
        return Response(shapes.DeliveryShape(webhooks.redeliver(delivery)).data)


class Test(APIView):
    required_scope = Scope.WEBHOOKS

    @extend_schema(operation_id="test_webhook", request=shapes.TestInput, responses=shapes.DeliveryShape)
    def post(self, request: ApiRequest) -> Response:
        """Send a signed test message; its delivery tells how it went."""
        body = shapes.TestInput(data=request.data)
        body.is_valid(raise_exception=True)
        delivery = webhooks.send_test(request.organization, body.validated_data.get("url"))
        return Response(shapes.DeliveryShape(delivery).data)
