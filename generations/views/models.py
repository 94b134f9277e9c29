"""The catalogue: as one key may use it, and as everybody may read it."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import catalog
from generations.catalog import published
from generations.serializers import shapes

FRESH = "public, max-age=300"
UNCHANGED = OpenApiResponse(description="Nothing has changed since the answer with this `ETag`.")
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` you have.")


class Models(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="list_models", responses=shapes.ModelList)
    def get(self, request: ApiRequest) -> Response:
        """List the models this API key may use."""
        allowed = request.auth.allowed_models
        specs = [spec for spec in catalog.SPECS if not allowed or spec.id in allowed]
        return Response(shapes.ModelList({"data": specs}).data)


class PublicView(APIView):
    """Needs no key, and does not look at one: the answer is the same for everybody and may be kept by any cache."""

    required_scope = None
    authentication_classes = ()


class CatalogModels(PublicView):
    @extend_schema(
        operation_id="list_catalog_models",
        parameters=[IF_NONE_MATCH],
        responses={200: shapes.CatalogModelList, 304: UNCHANGED},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List every model there is, with the address of its JSON Schema."""
        return _answer(request, published.models(settings.PUBLIC_URL))


class CatalogModel(PublicView):
    @extend_schema(
        operation_id="get_catalog_model",
        parameters=[IF_NONE_MATCH],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, description="A JSON Schema."), 304: UNCHANGED},
    )
    def get(self, request: Request, model_id: str) -> HttpResponseBase:
        """Read the JSON Schema (2020-12) of a model's request; `x-rules` says in words what it cannot."""
        return _answer(request, published.schema(model_id))


def _answer(request: Request, document: published.Document) -> HttpResponseBase:
    """The document, or 304 to whoever has it already."""
    headers = {"Cache-Control": FRESH, "ETag": document.tag}
    whole = HttpResponse(document.body, content_type="application/json", headers=headers)
    return get_conditional_response(request, etag=document.tag, response=whole) or whole
