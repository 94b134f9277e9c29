"""What an organization's tasks cost, grouped as asked."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import usage
from generations.serializers.usage import UsageQuery, UsageShape, usage_object


class UsageReport(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_usage", parameters=[UsageQuery], responses=UsageShape)
    def get(self, request: ApiRequest) -> Response:
        """Say what was reserved, charged and given back, exact to this moment."""
        query = UsageQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(usage_object(usage.of(request.organization, **query.wanted())))
