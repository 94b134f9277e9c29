"""/v1/keys: a key with the scope `keys` manages the keys of its organization."""

from datetime import timedelta

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys, serializers, tenancy
from accounts.errors import NotFound
from accounts.models import ApiKey, Scope
from accounts.requests import ApiRequest

PAGE_SIZE = 50


def one_of(request: ApiRequest, key_id: str) -> ApiKey:
    rows = request.organization.api_keys.select_related("budget", "organization")
    return tenancy.owned(rows, key_id, NotFound("key_not_found", "There is no such API key."))


def with_secret(made: tuple[ApiKey, str]) -> Response:
    key, text = made
    return Response(serializers.KeyOutput(key).data | {"secret": text}, status=status.HTTP_201_CREATED)


class Keys(APIView):
    required_scope = Scope.KEYS

    @extend_schema(
        operation_id="list_keys",
        parameters=[OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")],
        responses=serializers.KeyList,
    )
    def get(self, request: ApiRequest) -> Response:
        """List the keys that were not revoked, newest first."""
        page, next_cursor = keys.page(request.organization, request.query_params.get("cursor"), PAGE_SIZE)
        return Response(serializers.KeyList({"data": page, "next_cursor": next_cursor}).data)

    @extend_schema(operation_id="create_key", request=serializers.KeyInput, responses={201: serializers.NewKey})
    def post(self, request: ApiRequest) -> Response:
        """Create a key. Its secret stands in this answer and nowhere else."""
        body = serializers.KeyInput(data=request.data)
        body.is_valid(raise_exception=True)
        return with_secret(keys.create(request.organization, by=request.auth, **body.validated_data))


class Key(APIView):
    required_scope = Scope.KEYS

    @extend_schema(operation_id="change_key", request=serializers.KeyChange, responses=serializers.KeyOutput)
    def patch(self, request: ApiRequest, key_id: str) -> Response:
        """Change a key: only what the body names."""
        body = serializers.KeyChange(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        key = keys.change(one_of(request, key_id), by=request.auth, **body.validated_data)
        return Response(serializers.KeyOutput(key).data)

    @extend_schema(operation_id="revoke_key", request=None, responses={204: None})
    def delete(self, request: ApiRequest, key_id: str) -> Response:
        """Revoke a key, for good."""
        keys.revoke(one_of(request, key_id), by=request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResumeKey(APIView):
    required_scope = Scope.KEYS

    @extend_schema(operation_id="resume_key", request=None, responses=serializers.KeyOutput)
    def post(self, request: ApiRequest, key_id: str) -> Response:
        """Let a key spend again that was paused because its spending jumped. A paused key cannot resume itself."""
        key = keys.resume(one_of(request, key_id), by=request.auth)
        return Response(serializers.KeyOutput(key).data)


class RollKey(APIView):
    required_scope = Scope.KEYS

    @extend_schema(operation_id="roll_key", request=serializers.RollInput, responses={201: serializers.NewKey})
    def post(self, request: ApiRequest, key_id: str) -> Response:
        """Replace a key by a new one that shares its budget; the old one works on for the grace time."""
        body = serializers.RollInput(data=request.data)
        body.is_valid(raise_exception=True)
        grace = timedelta(hours=body.validated_data["grace_hours"])
        return with_secret(keys.roll(one_of(request, key_id), by=request.auth, grace=grace))
