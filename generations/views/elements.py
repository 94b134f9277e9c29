"""Elements and the voices they may speak with."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import elements
from generations.serializers import shapes


class Elements(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="list_elements", parameters=[shapes.ElementQuery], responses=shapes.ElementPage)
    def get(self, request: ApiRequest) -> Response:
        """List the organization's elements, newest first."""
        query = shapes.ElementQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        page, after = elements.page(request.organization, **query.validated_data)
        return Response(shapes.ElementPage({"data": page, "next_cursor": after}).data)


class OneElement(APIView):
    required_scope = {"GET": Scope.READ, "DELETE": Scope.GENERATE}

    @extend_schema(operation_id="get_element", responses=shapes.ElementShape)
    def get(self, request: ApiRequest, element_id: str) -> Response:
        """Look at one element."""
        return Response(shapes.ElementShape(elements.find(request.organization, element_id)).data)

    @extend_schema(operation_id="delete_element", request=None, responses={204: None})
    def delete(self, request: ApiRequest, element_id: str) -> Response:
        """Delete an element: no new request may use it."""
        elements.delete(elements.find(request.organization, element_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Voices(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="list_voices", responses=shapes.VoiceList)
    def get(self, request: ApiRequest) -> Response:
        """List the voices an element made from a video may be given."""
        return Response(shapes.VoiceList({"data": elements.voices()}).data)
