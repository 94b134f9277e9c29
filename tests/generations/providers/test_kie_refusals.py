"""A create at kie.ai that was not accepted: each code, every way a connection breaks, every body that is none."""

from typing import Any

import httpx
import pytest

from generations.providers.base import Account, InputRefused, OutcomeUnknown, ProviderError, ProviderRefused
from generations.providers.kie import Kie
from tests.generations import wire
from tests.generations.providers.requests import trace, video
from tests.generations.providers.test_kling_refusals import NOT_SENDABLE, NOT_SENT, PERHAPS_SENT

ACCOUNT = Account(base_url="https://kie.example", credentials={"api_key": "key"})

# code: class, and its code or scope, and the pause it asks for
CODES: dict[int, tuple[type[ProviderError], str, int | None]] = {
    400: (InputRefused, "invalid_parameters", None),
    401: (ProviderRefused, "account", None),
    402: (ProviderRefused, "account", None),
    404: (ProviderRefused, "model", None),
    422: (InputRefused, "invalid_parameters", None),
    429: (ProviderRefused, "soft", 5),
    455: (ProviderRefused, "account", 60),
    500: (OutcomeUnknown, "", None),
    501: (OutcomeUnknown, "", None),
    505: (ProviderRefused, "model", None),
}


def submit_error(adapter: Kie, account: Account = ACCOUNT) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        adapter.submit(account, video())
    return caught.value


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    """What the adapter makes of one answer at the wire."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return submit_error(
        Kie(transport=httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, **content)))
    )


def raised(error: Exception) -> ProviderError:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return submit_error(Kie(transport=httpx.MockTransport(fail)))


@pytest.mark.parametrize("spelled", [int, str])
@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_class_although_http_says_200(code: int, spelled: type) -> None:
    error = answered(200, {"code": spelled(code), "msg": "?", "data": None})

    expected, detail, wait = CODES[code]
    assert type(error) is expected
    if isinstance(error, InputRefused):
        assert (error.verdict.code, error.verdict.by_input, error.verdict.retryable) == (detail, True, False)
    elif isinstance(error, ProviderRefused):
        assert (error.scope, error.upstream_code, error.retry_after_seconds) == (detail, code, wait)


@pytest.mark.parametrize("status", [400, 403, 429])
def test_the_code_decides_whatever_the_status(status: int) -> None:
    error = answered(status, {"code": 402, "msg": "Credits insufficient"})

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == ("account", 402)


@pytest.mark.parametrize("code", [200, 422, 429])
def test_a_broken_server_proves_nothing_whatever_it_says(code: int) -> None:
    assert isinstance(answered(500, {"code": code, "msg": "?", "data": {"taskId": "1"}}), OutcomeUnknown)


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (422, "Image pixel is invalid", "image_dimension_mismatch"),
        (400, "Image fetch failed", "media_unreachable"),
        (422, "Your prompt was flagged as violating content policies", "content_policy_violation"),
        (422, "duration cannot be less than 3", "invalid_parameters"),
        (422, "internal server error while reading the field", "invalid_parameters"),
        (422, "the mode is not supported by this model", "invalid_parameters"),
        (422, "model kling-3.0: the prompt is invalid", "invalid_parameters"),
    ],
)
def test_the_message_says_what_of_the_input_was_refused(code: int, message: str, expected: str) -> None:
    error = answered(200, {"code": code, "msg": message})

    assert isinstance(error, InputRefused)
    assert (error.verdict.code, error.verdict.by_input) == (expected, True)
    assert error.verdict.upstream_message == message
    assert message not in error.verdict.message


@pytest.mark.parametrize(
    "message",
    ["callBackUrl is invalid", "The model name you specified is not supported", "model is required", "model not found"],
)
def test_a_refused_field_of_ours_is_not_the_customers_mistake(message: str) -> None:
    error = answered(200, {"code": 422, "msg": message})

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == ("model", 422)


def test_a_key_that_may_not_use_one_model_may_use_the_others() -> None:
    error = answered(200, {"code": 401, "msg": "The API key is not authorized to use this model"})

    assert isinstance(error, ProviderRefused)
    assert error.scope == "model"


@pytest.mark.parametrize(
    ("status", "body", "expected", "scope"),
    [
        (502, b"<html>502 Bad Gateway</html>", OutcomeUnknown, ""),
        (524, b"", OutcomeUnknown, ""),
        (408, b"", OutcomeUnknown, ""),
        (403, b"<html>blocked</html>", ProviderRefused, "account"),
        (404, b"no such page", ProviderRefused, "account"),
        (401, {"code": 7777, "msg": "?"}, ProviderRefused, "account"),
        (413, b"too large", InputRefused, ""),
        (422, b"{}", InputRefused, ""),
        (302, b"", ProviderRefused, "account"),
        (429, b"slow down", ProviderRefused, "soft"),
        (200, {"code": 7777, "msg": "?"}, OutcomeUnknown, ""),
        (200, {"code": 403, "msg": "?"}, OutcomeUnknown, ""),
        (200, {"code": 201, "data": {"taskId": "1"}}, OutcomeUnknown, ""),
        (200, b"", OutcomeUnknown, ""),
        (200, b'{"code":200,"data":{"taskId":"8', OutcomeUnknown, ""),
        (200, b"\xff\xfe", OutcomeUnknown, ""),
        (200, [1], OutcomeUnknown, ""),
        (200, b'{"code": Infinity}', OutcomeUnknown, ""),
        (200, {"data": {"taskId": "1"}}, OutcomeUnknown, ""),
        (200, {"code": 200}, OutcomeUnknown, ""),
        (200, {"code": 200, "data": {}}, OutcomeUnknown, ""),
        (200, {"code": 200, "data": None}, OutcomeUnknown, ""),
        (200, {"code": 200, "data": {"taskId": ""}}, OutcomeUnknown, ""),
        (200, {"code": 200, "data": ["1"]}, OutcomeUnknown, ""),
    ],
)
def test_an_answer_without_a_known_code(status: int, body: Any, expected: type[ProviderError], scope: str) -> None:
    error = answered(status, body)

    assert type(error) is expected
    assert getattr(error, "scope", "") == scope


@pytest.mark.parametrize("code", [200, "200"])
@pytest.mark.parametrize("upstream_id", ["8811", 8811])
def test_an_accepted_create_names_its_task(code: Any, upstream_id: Any) -> None:
    body = {"code": code, "msg": "success", "data": {"taskId": upstream_id}}
    accepted = Kie(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=body))).submit(
        ACCOUNT, video()
    )

    assert (accepted.upstream_id, accepted.route, accepted.queued) == ("8811", "kling-3.0/video", False)


@pytest.mark.parametrize(("value", "seconds"), [("7", 7), ("Wed, 21 Oct 2026 07:28:00 GMT", 5), ("9" * 5000, 5)])
def test_the_providers_own_pause_wins(value: str, seconds: int) -> None:
    error = answered(200, {"code": 429, "msg": ""}, {"Retry-After": value})

    assert isinstance(error, ProviderRefused)
    assert error.retry_after_seconds == seconds


@pytest.mark.parametrize("kind", [*NOT_SENT, *NOT_SENDABLE])
def test_what_never_left_us_was_not_accepted(kind: type[Exception]) -> None:
    error = raised(kind("boom"))

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == ("account", None)


@pytest.mark.parametrize("kind", PERHAPS_SENT)
def test_what_may_have_arrived_is_unknown(kind: type[Exception]) -> None:
    assert isinstance(raised(kind("boom")), OutcomeUnknown)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"no http at all\r\n\r\n"])
def test_a_broken_answer_on_a_real_socket_is_unknown(answer: bytes) -> None:
    with wire.peer(answer) as peer:
        error = submit_error(Kie(), Account(base_url=peer.url, credentials={"api_key": "key"}))

    assert isinstance(error, OutcomeUnknown)
    assert len(peer.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    canary = wire.Canary()
    location = f"http://127.0.0.1:{canary.port}/".encode()
    with wire.peer(b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as peer:
        error = submit_error(Kie(), Account(base_url=peer.url, credentials={"api_key": "key"}))

    assert isinstance(error, ProviderRefused)
    assert canary.connections() == 0
    canary.close()


def test_a_lost_answer_cannot_be_looked_up_and_nothing_is_asked() -> None:
    def forbidden(request: httpx.Request) -> httpx.Response:
        raise AssertionError("there is nothing to ask")

    with pytest.raises(OutcomeUnknown):
        Kie(transport=httpx.MockTransport(forbidden)).find(ACCOUNT, trace("attempt-1", "kling-3.0/video"))
