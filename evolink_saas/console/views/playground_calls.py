"""What the playground's scripts ask for: a price, an upload, a task as it stands."""

from typing import BinaryIO
from urllib.parse import unquote

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import ApiError, InvalidRequest, NotFound
from evolink_saas.console import error_words
from evolink_saas.console.entrance import ConsoleRequest
from evolink_saas.console.views.playground import JSON, pane, refused
from evolink_saas.playground import bodies, code, prices
from generations import cancellation, catalog, files, task_list, upload_bodies, uploads
from generations.models import StoredFile

FOLDER = "playground"
PIECE_BYTES = 256 * 1024


@require_POST
def price(request: ConsoleRequest) -> HttpResponse:
    """What the form as it stands would cost, and its request as code."""
    spec = catalog.find(request.POST.get("model", ""))
    if spec is None:
        raise Http404
    body = bodies.read(spec, request.POST)
    found = prices.of(request.organization, request.membership, spec, body)
    sentence = error_words.refusal(found.error) if found.error else ""
    part = render_to_string("console/playground/price.html", {"price": found, "sentence": sentence}, request)
    return JsonResponse({"price": part, "code": code.snippets(body)})


@require_POST
def upload(request: ConsoleRequest) -> HttpResponse:
    """The body is the file itself, so that it is written to disk as it comes; its name stands in `X-File-Name`."""
    name = unquote(request.headers.get("X-File-Name", ""))
    try:
        uploads.check_room(request.organization)
        names = uploads.Names(upload_path=FOLDER, file_name=name)
        kept = uploads.accept(request.organization, names, name, lambda into: _copy(request, into))
    except ApiError as error:
        return refused(error)
    return JsonResponse(_shape(kept), status=201)


@require_safe
def task(request: ConsoleRequest, task_id: str) -> HttpResponse:
    try:
        return pane(request, task_list.find(request.organization, task_id))
    except (InvalidRequest, NotFound):
        raise Http404 from None


@require_POST
def cancel(request: ConsoleRequest, task_id: str) -> HttpResponse:
    try:
        found = task_list.find(request.organization, task_id)
    except (InvalidRequest, NotFound):
        raise Http404 from None
    in_background = JSON in request.headers.get("Accept", "")
    try:
        ended = cancellation.cancel(found)
    except ApiError as error:
        if in_background:
            return refused(error)
        messages.error(request, error_words.refusal(error))
    else:
        if in_background:
            return pane(request, ended)
    address = redirect("console:playground", request.organization.public_id)
    address["Location"] += f"?task={found.public_id}"
    return address


def _copy(request: ConsoleRequest, into: BinaryIO) -> None:
    """Raises TooLarge as soon as more has come than the largest file has."""
    size = 0
    while piece := request.read(PIECE_BYTES):
        size += len(piece)
        if size > uploads.MAX_VIDEO_BYTES:
            raise upload_bodies.too_large()
        into.write(piece)


def _shape(file: StoredFile) -> dict[str, object]:
    seconds = float(file.duration_seconds) if file.duration_seconds is not None else None
    return {"url": files.public_url(file), "name": file.file_name, "is_video": file.is_video, "seconds": seconds}
