"""Files: the API that takes them in and gives them back, in its own envelope, and the links that show them."""

from typing import Any, BinaryIO

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.errors import NotFound
from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import files, serving, upload_bodies, uploads
from generations.models import StoredFile
from generations.serializers import files as shapes

CODES = {
    "file_too_large": 40001,
    "request_too_large": 40001,
    "file_type_not_allowed": 40002,
    "file_quota_exceeded": 40003,
    "url_download_failed": 40004,
    "storage_error": 50001,
}
"""The files API's own numbers; every other refusal has its HTTP status."""
UPLOADED = "File uploaded successfully"
BYTES = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class FilesView(APIView):
    """Refusals leave as `{"success": false, "code", "msg"}`."""

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        error: dict[str, Any] = response.data["error"]
        code = CODES.get(error["code"], response.status_code)
        response.data = {"success": False, "code": code, "msg": error["message"]}
        return response


class UploadBase64(FilesView):
    required_scope = Scope.GENERATE
    parser_classes = (upload_bodies.JsonWithFile,)

    @extend_schema(operation_id="upload_base64", request=shapes.Base64Upload, responses=shapes.FileAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Upload a file as base64 or as a data URL."""
        uploads.check_room(request.organization)
        body = shapes.Base64Upload(data=request.data)
        body.is_valid(raise_exception=True)
        write = body.validated_data["base64_data"].write
        return uploaded(uploads.accept(request.organization, body.names, "", write))


class UploadStream(FilesView):
    required_scope = Scope.GENERATE
    parser_classes = (upload_bodies.MultipartFile,)

    @extend_schema(
        operation_id="upload_stream", request={"multipart/form-data": shapes.StreamUpload}, responses=shapes.FileAnswer
    )
    def post(self, request: ApiRequest) -> Response:
        """Upload a file as a form."""
        uploads.check_room(request.organization)
        body = shapes.StreamUpload(data=request.data)
        body.is_valid(raise_exception=True)
        file = body.validated_data["file"]

        def write(into: BinaryIO) -> None:
            for piece in file.chunks():
                into.write(piece)

        return uploaded(uploads.accept(request.organization, body.names, file.name, write))


class UploadUrl(FilesView):
    required_scope = Scope.GENERATE

    @extend_schema(operation_id="upload_url", request=shapes.UrlUpload, responses=shapes.FileAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Let us download a file from a public address, at once."""
        body = shapes.UrlUpload(data=request.data)
        body.is_valid(raise_exception=True)
        return uploaded(uploads.accept_url(request.organization, body.names, body.validated_data["file_url"]))


class FileList(FilesView):
    required_scope = Scope.READ

    @extend_schema(operation_id="list_files", parameters=[shapes.PageQuery], responses=shapes.FilePageAnswer)
    def get(self, request: ApiRequest) -> Response:
        """List the organization's uploads, newest first."""
        query = shapes.PageQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        page, size = query.validated_data["page"], query.validated_data["page_size"]
        rows = uploads.newest_first(request.organization)
        data = {"total": rows.count(), "files": rows[(page - 1) * size : page * size]}
        return Response(shapes.answer(shapes.FilePage(data).data, "success"))


class FileQuota(FilesView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_file_quota", responses=shapes.QuotaAnswer)
    def get(self, request: ApiRequest) -> Response:
        """How many files are kept, and how many more may be."""
        return Response(shapes.answer(shapes.quota(request.organization), "success"))


class OneFile(FilesView):
    required_scope = Scope.GENERATE

    @extend_schema(operation_id="delete_file", responses={200: shapes.Envelope})
    def delete(self, request: ApiRequest, file_id: str) -> Response:
        """Delete an upload. Tasks that were asked for with it go on: they work with copies."""
        files.remove(uploads.find(request.organization, file_id))
        return Response(shapes.answer(None, "File deleted successfully"))


class DownloadFile(FilesView):
    required_scope = Scope.READ

    @extend_schema(operation_id="download_file", responses=BYTES)
    def get(self, request: ApiRequest, file_id: str) -> HttpResponseBase:
        """Download an upload; ranges are understood."""
        return serving.send(request, uploads.find(request.organization, file_id), as_attachment=True)


@require_safe
def public_file(request: HttpRequest, name: str, file_name: str) -> HttpResponseBase:
    """Whoever has the link may read: providers and players have no key."""
    return linked(request, files.find_public(name))


@require_safe
def signed_file(request: HttpRequest, name: str, token: str, file_name: str) -> HttpResponseBase:
    """A checked copy, for the upstream that works on the task."""
    return linked(request, files.find_signed(name, token))


def linked(request: HttpRequest, file: StoredFile | None) -> HttpResponseBase:
    """Links are no part of the API, so no view of DRF's shapes their refusal."""
    try:
        return serving.send(request, file)
    except NotFound as error:
        return JsonResponse(error.body(), status=error.status_code)


def uploaded(file: StoredFile) -> Response:
    return Response(shapes.answer(shapes.FileShape(file).data, UPLOADED))
