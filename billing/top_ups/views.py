"""/v1/top-ups: buy credits; and where Stripe calls us back, which is no API of customers."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from billing.top_ups import checkout, events, recharge, serializers, wire


class TopUps(APIView):
    required_scope = Scope.BILLING

    @extend_schema(
        operation_id="list_top_ups", parameters=[serializers.TopUpPageInput], responses=serializers.TopUpPage
    )
    def get(self, request: ApiRequest) -> Response:
        """List the organization's top-ups, newest first."""
        query = serializers.TopUpPageInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        page, next_cursor = checkout.page(request.organization, wanted.get("cursor"), wanted["page_size"])
        return Response(serializers.TopUpPage({"data": page, "next_cursor": next_cursor}).data)

    @extend_schema(operation_id="create_top_up", request=serializers.TopUpInput, responses=serializers.TopUpOutput)
    def post(self, request: ApiRequest) -> Response:
        """Buy credits: pay at `checkout_url`. They are there as soon as the payment is confirmed."""
        body = serializers.TopUpInput(data=request.data)
        body.is_valid(raise_exception=True)
        saves = body.validated_data["save_payment_method"]
        top_up = checkout.start(request.organization, body.cents, api_key=request.auth, saves_payment_method=saves)
        return Response(serializers.TopUpOutput(top_up).data)


class TopUp(APIView):
    required_scope = Scope.BILLING

    @extend_schema(operation_id="get_top_up", responses=serializers.TopUpOutput)
    def get(self, request: ApiRequest, top_up_id: str) -> Response:
        """Say how a top-up stands."""
        return Response(serializers.TopUpOutput(checkout.find(request.organization, top_up_id)).data)


class AutoRecharge(APIView):
    required_scope = Scope.BILLING
    refusals = {"PUT": (409,)}

    @extend_schema(operation_id="get_auto_recharge", responses=serializers.AutoRechargeOutput)
    def get(self, request: ApiRequest) -> Response:
        """Say whether, when and what is bought by itself."""
        return Response(serializers.AutoRechargeOutput(recharge.of(request.organization)).data)

    @extend_schema(
        operation_id="set_auto_recharge",
        request=serializers.AutoRechargeInput,
        responses=serializers.AutoRechargeOutput,
    )
    def put(self, request: ApiRequest) -> Response:
        """Say when and what to buy by itself. It also ends a pause."""
        body = serializers.AutoRechargeInput(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        row = recharge.configure(
            request.organization,
            enabled=wanted["enabled"],
            threshold_credits=wanted["threshold_credits"],
            cents=body.cents,
            monthly_maximum_cents=int(wanted["monthly_maximum_usd"] * 100),
        )
        return Response(serializers.AutoRechargeOutput(row).data)


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200: taken, known or of no interest. 400: not signed by Stripe, or long ago."""
    event = wire.verified(request.body, request.headers.get("Stripe-Signature", ""))
    if event is None:
        return HttpResponse(status=400)
    events.take(event)
    return HttpResponse(status=200)
