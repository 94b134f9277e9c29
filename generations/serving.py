"""Send a stored file: piece by piece, whole or the range that a player asks for (RFC 9110, sections 13 and 14)."""

import re
from collections.abc import Iterator

from django.core.files import File
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from accounts import ids
from accounts.errors import NotFound
from generations.models import StoredFile

PIECE_BYTES = 256 * 1024
ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
LONGEST_NUMBER = 18


def send(request: HttpRequest | Request, file: StoredFile | None, *, as_attachment: bool = False) -> HttpResponseBase:
    """The file, or as much of it as the request's headers ask for. Raises NotFound when it or its bytes are gone."""
    if file is None:
        raise gone()
    etag = f'"{ids.encode("", file.pk)}"'
    if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
        return _dressed(HttpResponse(status=304), file, etag, as_attachment)
    first, last = _range(request, file.size_bytes, etag)
    if first > last:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{file.size_bytes}"
        return refused
    response = _body(request, file, first, last)
    response["Content-Length"] = str(last - first + 1)
    if last - first + 1 < file.size_bytes:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{file.size_bytes}"
    return _dressed(response, file, etag, as_attachment)


def gone() -> NotFound:
    return NotFound("file_not_found", "This file does not exist or has expired.")


def _range(request: HttpRequest | Request, size_bytes: int, etag: str) -> tuple[int, int]:
    """First and last byte to send; first > last means that there is no such range. Several ranges: the whole file."""
    whole = (0, size_bytes - 1)
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag or asked.group(0) == "bytes=-":
        return whole
    start, end = (part[:LONGEST_NUMBER] for part in asked.groups())
    if not start:
        return (max(0, size_bytes - int(end)), size_bytes - 1)
    if end and int(end) < int(start):
        return whole
    return int(start), min(int(end) if end else size_bytes, size_bytes - 1)


def _body(request: HttpRequest | Request, file: StoredFile, first: int, last: int) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse()
    try:
        source = default_storage.open(file.storage_name)
    except FileNotFoundError as error:
        raise gone() from error
    source.seek(first)
    return StreamingHttpResponse(_pieces(source, last - first + 1))


def _pieces(source: File, left: int) -> Iterator[bytes]:
    with source:
        while left and (piece := source.read(min(left, PIECE_BYTES))):
            left -= len(piece)
            yield piece


def _dressed(response: HttpResponseBase, file: StoredFile, etag: str, as_attachment: bool) -> HttpResponseBase:
    """The headers that every answer about the file has; nobody may guess another type or keep it past its end."""
    response["Content-Type"] = file.mime_type
    response["Content-Disposition"] = content_disposition_header(as_attachment, file.file_name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
