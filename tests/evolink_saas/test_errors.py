"""Every refusal has one shape, whoever raised it and wherever."""

import json
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import errors
from accounts.models import ApiKey
from evolink_saas import urls
from tests.cast import Person, client_for

SECRET_DETAIL = "connection to 10.0.0.7 failed"


class Shot(serializers.Serializer):
    index = serializers.IntegerField()


class Body(serializers.Serializer):
    prompt = serializers.CharField(max_length=5)
    shots = Shot(many=True, required=False)


RAISED: dict[str, tuple[Exception, int, str, str]] = {
    "bad": (errors.InvalidRequest("invalid_parameter", "No."), 400, "invalid_request_error", "invalid_parameter"),
    "poor": (
        errors.QuotaExceeded("key_quota_exhausted", "No."),
        402,
        "insufficient_quota_error",
        "key_quota_exhausted",
    ),
    "forbidden": (errors.Forbidden("wallet_frozen", "No."), 403, "permission_error", "wallet_frozen"),
    "absent": (errors.NotFound("task_not_found", "No."), 404, "not_found_error", "task_not_found"),
    "conflict": (errors.Conflict("quote_expired", "No."), 409, "conflict_error", "quote_expired"),
    "large": (errors.TooLarge("file_too_large", "No."), 413, "request_too_large_error", "file_too_large"),
    "odd": (errors.Unprocessable("quote_mismatch", "No."), 422, "invalid_request_error", "quote_mismatch"),
    "busy": (errors.TooManyRequests("rate_limited", "No."), 429, "rate_limit_error", "rate_limited"),
    "down": (errors.Unavailable("model_unavailable", "No."), 503, "service_unavailable_error", "model_unavailable"),
    "parse": (drf.ParseError(), 400, "invalid_request_error", "invalid_json"),
    "unauthenticated": (drf.AuthenticationFailed(), 401, "authentication_error", "invalid_api_key"),
    "denied": (drf.PermissionDenied(), 403, "permission_error", "key_scope_missing"),
    "denied-by-django": (PermissionDenied(), 403, "permission_error", "key_scope_missing"),
    "nothing": (Http404(), 404, "invalid_request_error", "invalid_url"),
    "type": (drf.UnsupportedMediaType("a/b"), 415, "invalid_request_error", "unsupported_media_type"),
    "throttled": (drf.Throttled(wait=7), 429, "rate_limit_error", "rate_limited"),
    "too-big": (RequestDataTooBig(), 413, "request_too_large_error", "request_too_large"),
    "suspicious": (SuspiciousOperation(), 400, "invalid_request_error", "invalid_parameter"),
    "malformed": (BadRequest(), 400, "invalid_request_error", "invalid_parameter"),
    "database": (OperationalError(SECRET_DETAIL), 503, "service_unavailable_error", "maintenance"),
    "connection": (InterfaceError(SECRET_DETAIL), 503, "service_unavailable_error", "maintenance"),
    "crash": (ValueError(SECRET_DETAIL), 500, "internal_server_error", "internal_error"),
}


class Raising(APIView):
    required_scope = None

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name][0]


class Validating(APIView):
    required_scope = None

    def post(self, request: Request) -> Response:
        Body(data=request.data).is_valid(raise_exception=True)
        return Response({})


def raising(request: HttpRequest, name: str) -> HttpResponse:
    raise RAISED[name][0]


urlpatterns = [
    path("api/raise/<name>", Raising.as_view()),
    path("plain/raise/<name>", raising),
    path("validate", Validating.as_view()),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def error(answer: Any) -> dict[str, Any]:
    body = json.loads(answer.content)
    assert set(body) == {"error"}
    assert set(body["error"]) >= {"code", "message", "type"}
    assert answer["Content-Type"] == "application/json"
    assert answer["x-request-id"]
    return body["error"]


def post(person: Person, body: Any, kind: str = "application/json") -> Any:
    """POST these very bytes."""
    return person.client.generic("POST", "/v1/keys", body, content_type=kind)


@pytest.mark.parametrize("where", ["api", "plain"])
@pytest.mark.parametrize("name", RAISED)
def test_whatever_is_raised_leaves_in_the_one_shape(name: str, where: str) -> None:
    answer = Client(raise_request_exception=False).get(f"/{where}/raise/{name}")
    _, status, kind, code = RAISED[name]
    told = error(answer)
    assert (answer.status_code, told["type"], told["code"]) == (status, kind, code)
    assert SECRET_DETAIL not in answer.content.decode()


@pytest.mark.parametrize("where", ["api", "plain"])
def test_who_is_told_to_wait_is_told_how_long(where: str) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(f"/{where}/raise/throttled")["Retry-After"] == "7"
    assert client.get(f"/{where}/raise/database")["Retry-After"] == "5"


def test_details_stand_beside_the_message() -> None:
    refused = errors.QuotaExceeded("key_quota_exhausted", "No.", param="model", estimated_credits=27, reset_at=None)
    assert refused.body() == {
        "error": {
            "code": "key_quota_exhausted",
            "message": "No.",
            "type": "insufficient_quota_error",
            "param": "model",
            "estimated_credits": 27,
            "reset_at": None,
        }
    }


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "address", ["/v1/x", "/v1/videos/generations/task-video-1", "/v1/keys/", "/api/v1/nothing", "/x"]
)
def test_an_unknown_url_says_so_in_the_words_that_clients_look_for(
    client: Client, settings: Settings, address: str, debug: bool
) -> None:
    settings.DEBUG = debug
    answer = client.get(address)
    assert answer.status_code == 404
    assert json.loads(answer.content) == {
        "error": {"message": f"Invalid URL (GET {address})", "type": "invalid_request_error", "code": "invalid_url"}
    }


def test_an_unknown_url_is_unknown_to_every_method(client: Client) -> None:
    answer = client.post("/v1/x", "{}", content_type="application/json")
    assert error(answer)["message"] == "Invalid URL (POST /v1/x)"


def test_people_in_the_admin_get_pages(client: Client) -> None:
    assert client.get("/admin")["Location"].endswith("/admin/")
    assert client.get("/admin/nothing/")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("language", "heading"), [("en-US,en", "There is nothing here"), ("zh-CN", "页面不存在")])
def test_a_browser_at_an_unknown_address_gets_a_page_in_its_language(
    client: Client, language: str, heading: str
) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": language}
    answer = client.get("/nothing", headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert f"<h1>{heading}</h1>" in answer.content.decode()
    assert client.get("/v1/nothing", headers=headers).json()["error"]["code"] == "invalid_url"


def test_a_method_that_a_route_lacks_is_refused_with_those_it_has(alice: Person) -> None:
    for method in ("put", "options", "trace"):
        answer = getattr(alice.client, method)("/v1/keys")
        assert (answer.status_code, error(answer)["code"]) == (405, "method_not_allowed")
        assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[]",
        b"null",
        b'"text"',
    ],
)
def test_a_body_that_is_no_sound_json_object_is_refused(alice: Person, body: bytes) -> None:
    answer = post(alice, body)
    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_json")
    assert ApiKey.objects.count() == 1


def test_an_escaped_backslash_is_no_escape(alice: Person) -> None:
    answer = post(alice, rb'{"name": "\\u0000 \u00e9"}')
    assert answer.json()["name"] == "\\u0000 é"


def test_another_content_type_is_refused(alice: Person) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = post(alice, b"name=x", kind)
        assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")


def test_a_body_beyond_the_limit_is_refused(alice: Person) -> None:
    body = b'{"name": "' + b"n" * 2_700_000 + b'"}'
    answer = post(alice, body)
    assert (answer.status_code, error(answer)["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*;q=0"])
def test_any_accept_header_is_answered_in_json(alice: Person, accept: str) -> None:
    answer = alice.client.get("/v1/keys?format=xml", HTTP_ACCEPT=accept)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("body", "code", "param", "message"),
    [
        ({}, "missing_parameter", "prompt", "`prompt` is required."),
        ({"prompt": "too long"}, "invalid_parameter", "prompt", "Ensure `prompt` has no more than 5 characters."),
        ({"prompt": "a", "shots": [{"index": 1}, {}]}, "missing_parameter", "shots[1].index", None),
        ({"prompt": "a", "shots": [{"index": "x"}]}, "invalid_parameter", "shots[0].index", None),
        ({"prompt": "a", "shots": 7}, "invalid_parameter", "shots", None),
    ],
)
def test_a_wrong_field_is_named_by_its_path(body: dict, code: str, param: str, message: str | None) -> None:
    answer = client_for(None).post("/validate", body)
    told = error(answer)
    assert (answer.status_code, told["code"], told["param"]) == (400, code, param)
    assert message is None or told["message"] == message


def test_the_request_id_of_the_caller_is_kept_when_it_is_sane(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "trace-0123.abc"})["x-request-id"] == "trace-0123.abc"


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space", "new\nline", "é" * 10])
def test_another_request_id_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/healthz", headers={"x-request-id": given} if given else {})
    assert answer["x-request-id"].startswith("req_")
    assert len(answer["x-request-id"]) == 30
