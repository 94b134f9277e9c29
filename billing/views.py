"""/v1/credits and /v1/ledger: an organization's own books."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from billing import serializers, statements


class Credits(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_credits", responses=serializers.CreditsAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Say what the organization and this API key have left and have used."""
        now, budget = timezone.now(), request.auth.budget
        organization = statements.of_organization(request.organization, now)
        key = statements.of_key(request.auth, organization, now)
        unlimited = budget.total_limit is None and budget.daily_limit is None
        token = {"remaining": key.remaining, "used": key.used, "unlimited_credits": unlimited}
        answer = {"success": True, "message": "", "data": {"user": organization, "token": token}}
        return Response(serializers.CreditsAnswer(answer).data)


class Ledger(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="list_movements", parameters=[serializers.MovementsInput], responses=serializers.MovementsPage
    )
    def get(self, request: ApiRequest) -> Response:
        """List every movement of the organization's credits, newest first, with the running balance."""
        query = serializers.MovementsInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        page, before = statements.movements(request.organization, wanted.get("cursor"), wanted["page_size"])
        answer = {"data": page, "next_cursor": before and str(before)}
        return Response(serializers.MovementsPage(answer).data)
