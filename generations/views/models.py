"""The catalogue, as one key may use it."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import catalog
from generations.serializers import shapes


class Models(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="list_models", responses=shapes.ModelList)
    def get(self, request: ApiRequest) -> Response:
        """List the models this API key may use."""
        allowed = request.auth.allowed_models
        specs = [spec for spec in catalog.SPECS if not allowed or spec.id in allowed]
        return Response(shapes.ModelList({"data": specs}).data)
