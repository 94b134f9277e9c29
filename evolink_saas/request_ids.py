"""Every answer carries `x-request-id`: the caller's own when it is sane, else a new one. The log lines carry it too."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import acting, ids

SANE = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestIds:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("x-request-id", "")
        request_id = given if SANE.fullmatch(given) else ids.encode("req_", ids.new())
        request.META[acting.REQUEST_ID] = request_id
        response = self.get_response(request)
        response["x-request-id"] = request_id
        return response
