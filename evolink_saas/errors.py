"""Every refusal leaves in one shape: `{"error": {"code", "message", "type", "param"?, …}}`, whoever raised it.

`render` is DRF's exception handler. The `handler…` functions answer what never reaches a DRF view (unknown URLs,
refused bodies, crashes); people on a page, or in a browser at an unknown address, get one that says so instead. A
crash says nothing of itself: the log has it, with the request id that the answer carries.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views import defaults
from rest_framework import exceptions as drf
from rest_framework.response import Response

from accounts import errors
from evolink_saas import audiences

logger = logging.getLogger("evolink.errors")

DATABASE_TROUBLE = (OperationalError, InterfaceError)
DATABASE_RETRY_SECONDS = 5


class InvalidUrl(errors.NotFound):
    """An unknown route. Its type differs from other 404s because clients know it so."""

    error_type = "invalid_request_error"


class MethodNotAllowed(errors.InvalidRequest):
    status_code = 405


class InternalError(errors.ApiError):
    """A defect of ours."""


def render(exception: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to whatever a DRF view raised."""
    error = translate(exception, context["request"])
    if isinstance(exception, DATABASE_TROUBLE):
        logger.warning("The database did not answer: %s", str(exception).partition("\n")[0])
    elif isinstance(error, InternalError):
        logger.error("%s failed", type(context["view"]).__name__, exc_info=exception)
        got_request_exception.send(sender=type(context["view"]), request=context["request"]._request)
    return Response(error.body(), status=error.status_code, headers=_headers(error))


def translate(exception: BaseException | None, request: Any) -> errors.ApiError:
    """The ApiError that says what `exception` means to the caller."""
    match exception:
        case errors.ApiError():
            return exception
        case drf.ValidationError():
            return _validation(exception.detail)
        case drf.ParseError():
            return errors.InvalidRequest("invalid_json", "The request body cannot be read: it is not valid JSON.")
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return errors.Unauthenticated("invalid_api_key", "The API key was not accepted.")
        case drf.PermissionDenied() | PermissionDenied():
            return errors.Forbidden("key_scope_missing", "This API key may not do that.")
        case Http404() | drf.NotFound():
            return InvalidUrl("invalid_url", f"Invalid URL ({request.method} {request.path})")
        case drf.MethodNotAllowed():
            return MethodNotAllowed("method_not_allowed", f"{request.method} is not allowed here.")
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMediaType("unsupported_media_type", "This content type is not understood here.")
        case drf.Throttled():
            wait = max(1, round(getattr(exception, "wait", None) or 1))
            message = "This API key makes too many requests a minute; please slow down."
            return errors.TooManyRequests("rate_limited", message, retry_after_seconds=wait)
        case RequestDataTooBig():
            return errors.TooLarge("request_too_large", "The request body is too large.")
        case SuspiciousOperation() | BadRequest():
            return errors.InvalidRequest("invalid_parameter", "The request is malformed.")
        case _ if isinstance(exception, DATABASE_TROUBLE):
            message = "We are briefly unavailable; please try again in a moment."
            return errors.Unavailable("maintenance", message, retry_after_seconds=DATABASE_RETRY_SECONDS)
        case _:
            return InternalError("internal_error", "Something went wrong on our side; quote x-request-id to support.")


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return defaults.bad_request(request, exception) if _is_for_people(request) else _answer(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return defaults.permission_denied(request, exception) if _is_for_people(request) else _answer(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_people(request):
        return defaults.page_not_found(request, exception)
    if audiences.is_opened(request):
        with translation.override(translation.get_language_from_request(request)):
            return defaults.page_not_found(request, exception)
    return _answer(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    return defaults.server_error(request) if _is_for_people(request) else _answer(request, sys.exc_info()[1])


def invalid_url(request: HttpRequest) -> HttpResponse:
    """The URL map's last line, so that an unknown route has its shape with DEBUG on, too."""
    return handler404(request, Http404())


def _is_for_people(request: HttpRequest) -> bool:
    return audiences.is_admin(request.path) or audiences.is_page(request.path)


def _answer(request: HttpRequest, exception: BaseException | None) -> JsonResponse:
    error = translate(exception, request)
    return JsonResponse(error.body(), status=error.status_code, headers=_headers(error))


def _headers(error: errors.ApiError) -> dict[str, str]:
    headers = {}
    if error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return headers


def _validation(detail: Any) -> errors.InvalidRequest:
    """The first thing wrong in a serializer's error tree, with the path to it as `param`."""
    path = ""
    while not _is_leaf(detail):
        members = detail.items() if isinstance(detail, dict) else enumerate(detail)
        step, detail = next((step, member) for step, member in members if member)
        if isinstance(step, int):
            path += f"[{step}]"
        elif step != "non_field_errors":
            path += f".{step}" if path else step
    first = detail[0]
    code = "missing_parameter" if first.code == "required" else "invalid_parameter"
    message = re.sub(r"\b[Tt]his field\b", f"`{path}`", first) if path else str(first)
    return errors.InvalidRequest(code, message, param=path or None)


def _is_leaf(detail: Any) -> bool:
    return isinstance(detail, list) and isinstance(detail[0], str)
