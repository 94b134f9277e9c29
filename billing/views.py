"""/v1/credits, /v1/ledger, /v1/statements and /v1/vouchers: an organization's own books."""

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.models import Scope
from accounts.requests import ApiRequest
from billing import movements, serializers, standing, statement_files, statements, vouchers

MONTH = OpenApiParameter("month", str, OpenApiParameter.PATH, description="Such as `2026-11`; months are of UTC.")


class Credits(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_credits", responses=serializers.CreditsAnswer)
    def get(self, request: ApiRequest) -> Response:
        """Say what the organization and this API key have left and have used."""
        now, budget = timezone.now(), request.auth.budget
        organization = standing.of_organization(request.organization, now)
        key = standing.of_key(request.auth, organization, now)
        unlimited = budget.total_limit is None and budget.daily_limit is None and budget.monthly_limit is None
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
        page, before = movements.newest_first(
            request.organization,
            wanted.get("cursor"),
            wanted["page_size"],
            since=wanted.get("created_after"),
            until=wanted.get("created_before"),
        )
        answer = {"data": page, "next_cursor": before and str(before)}
        return Response(serializers.MovementsPage(answer).data)


class MonthStatement(APIView):
    required_scope = Scope.BILLING

    @extend_schema(
        operation_id="get_statement",
        parameters=[MONTH, serializers.StatementInput],
        responses=serializers.StatementPage,
    )
    def get(self, request: ApiRequest, month: str) -> Response:
        """A month's books: opening balance, every line with the running balance, closing balance."""
        query = serializers.StatementInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        statement = statements.of(request.organization, month, timezone.now())
        wanted = query.validated_data
        page, after = statements.page(statement, wanted.get("cursor", 0), wanted["page_size"])
        answer = {"statement": statement, "data": page, "next_cursor": after and str(after)}
        return Response(serializers.StatementPage(answer).data)


class MonthStatementCsv(APIView):
    required_scope = Scope.BILLING

    @extend_schema(
        operation_id="get_statement_csv", parameters=[MONTH], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: ApiRequest, month: str) -> StreamingHttpResponse:
        """The same as CSV, for a spreadsheet: UTF-8, every line of the month."""
        return statement_files.as_csv(statements.of(request.organization, month, timezone.now()))


class MonthStatementPdf(APIView):
    required_scope = Scope.BILLING

    @extend_schema(
        operation_id="get_statement_pdf",
        parameters=[MONTH],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: ApiRequest, month: str) -> HttpResponse:
        """The same as PDF, for people. A month of more than 1,000 lines shows one a day and kind."""
        return statement_files.as_pdf(statements.of(request.organization, month, timezone.now()))


class RedeemVoucher(APIView):
    required_scope = Scope.BILLING
    refusals = (404, 409)

    @extend_schema(
        operation_id="redeem_voucher", request=serializers.VoucherInput, responses=serializers.VoucherRedeemed
    )
    def post(self, request: ApiRequest) -> Response:
        """Redeem a voucher's code: once for each organization, as often as the voucher allows."""
        body = serializers.VoucherInput(data=request.data)
        body.is_valid(raise_exception=True)
        redeemed = vouchers.redeem(
            request.organization,
            body.validated_data["code"],
            api_key=request.auth,
            address=permissions.client_address(request),
        )
        return Response(serializers.VoucherRedeemed(redeemed).data)
