"""A create that fal did not accept: every type it names, every exception the wire has, every body that is none."""

from typing import Any

import httpx
import pytest

from generations.providers.base import Account, InputRefused, OutcomeUnknown, ProviderError, ProviderRefused
from generations.providers.fal import Fal, verdicts
from tests.generations import wire
from tests.generations.providers.requests import video
from tests.generations.providers.test_kling_refusals import NOT_SENDABLE, NOT_SENT, PERHAPS_SENT

ACCOUNT = Account(base_url="https://queue.example", credentials={"api_key": "key"})


def submit_error(adapter: Fal, account: Account = ACCOUNT) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        adapter.submit(account, video())
    return caught.value


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    """What the adapter makes of one answer at the wire; it was asked once."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, headers=headers, **content)

    error = submit_error(Fal(transport=httpx.MockTransport(answer)))
    assert len(asked) == 1
    return error


def named(kind: str, field: str = "prompt", message: str = "It is not right.") -> dict[str, Any]:
    """A model error as fal writes it."""
    url = f"https://docs.fal.ai/errors#{kind}"
    return {"detail": [{"loc": ["body", field], "msg": message, "type": kind, "url": url, "input": "x"}]}


# type: the code that a customer reads when it refuses a request
INPUT_TYPES = {
    "content_policy_violation": "content_policy_violation",
    "model_moderated": "content_policy_violation",
    "no_media_generated": "generation_failed_no_content",
    "image_too_small": "image_dimension_mismatch",
    "image_too_large": "image_dimension_mismatch",
    "image_load_error": "image_processing_error",
    "unsupported_image_format": "image_processing_error",
    "file_download_error": "media_unreachable",
    "face_detection_error": "face_not_found",
    "unsupported_video_format": "video_probe_failed",
    "video_duration_too_short": "video_probe_failed",
    "video_duration_too_long": "video_probe_failed",
    "file_too_large": "invalid_parameters",
    "feature_not_supported": "invalid_parameters",
    "unsupported_audio_format": "invalid_parameters",
    "audio_duration_too_long": "invalid_parameters",
    "audio_duration_too_short": "invalid_parameters",
    "bad_request": "invalid_parameters",
    "greater_than": "invalid_parameters",
    "greater_than_equal": "invalid_parameters",
    "less_than": "invalid_parameters",
    "less_than_equal": "invalid_parameters",
    "missing": "invalid_parameters",
    "multiple_of": "invalid_parameters",
    "one_of": "invalid_parameters",
    "sequence_too_long": "invalid_parameters",
    "sequence_too_short": "invalid_parameters",
    "string_too_long": "invalid_parameters",
    "string_too_short": "invalid_parameters",
    "value_error": "invalid_parameters",
    "a_type_of_next_year": "invalid_parameters",
}
PROVIDER_TYPES = {
    "internal_server_error",
    "generation_timeout",
    "request_timeout",
    "startup_timeout",
    "downstream_service_error",
    "downstream_service_unavailable",
    "runner_scheduling_failure",
    "runner_connection_timeout",
    "runner_connection_refused",
    "runner_connection_error",
    "runner_disconnected",
    "runner_incomplete_response",
    "runner_server_error",
    "client_cancelled",
    "client_disconnected",
}


def test_every_type_of_fal_is_in_these_tables() -> None:
    assert set(verdicts.TYPES) | {verdicts.DOWNSTREAM} == (set(INPUT_TYPES) | PROVIDER_TYPES) - {"a_type_of_next_year"}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("kind", INPUT_TYPES)
def test_each_type_about_the_input_refuses_it(kind: str, status: int) -> None:
    error = answered(status, named(kind))

    assert isinstance(error, InputRefused)
    assert (error.verdict.code, error.verdict.by_input) == (INPUT_TYPES[kind], True)
    assert error.verdict.retryable is (kind == "file_download_error")
    assert error.verdict.upstream_message == f"{kind}: It is not right."
    assert "It is not right" not in error.verdict.message


@pytest.mark.parametrize("kind", sorted(PROVIDER_TYPES))
@pytest.mark.parametrize(("retryable", "scope"), [("true", "soft"), ("false", "model"), ("", "model")])
def test_each_type_about_the_service_is_its_own_trouble(kind: str, retryable: str, scope: str) -> None:
    body = {"detail": "It broke.", "error_type": kind}
    error = answered(422, body, {"X-Fal-Retryable": retryable} if retryable else None)

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == (scope, 422)


@pytest.mark.parametrize("field", sorted(verdicts.OWN_FIELDS))
def test_a_refused_field_of_ours_is_not_the_customers_mistake(field: str) -> None:
    error = answered(422, named("value_error", field))

    assert isinstance(error, ProviderRefused)
    assert error.scope == "model"


def test_the_type_may_stand_in_a_header_or_in_the_sentence() -> None:
    for body, headers in (
        ({"detail": "No."}, {"X-Fal-Error-Type": "content_policy_violation"}),
        ({"detail": "Refused: content_policy_violation"}, None),
        ({"detail": "Failure to pass the risk control system"}, None),
    ):
        error = answered(422, body, headers)
        assert isinstance(error, InputRefused)
        assert error.verdict.code == "content_policy_violation"


EMPTY = {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}


@pytest.mark.parametrize(
    ("status", "body", "expected", "scope"),
    [
        (403, EMPTY, ProviderRefused, "account"),
        (401, {"detail": "Authentication is required to access this application."}, ProviderRefused, "account"),
        (402, {"detail": "?"}, ProviderRefused, "account"),
        (403, b"<html>blocked</html>", ProviderRefused, "account"),
        (404, {"detail": 'Application "kling-video" not found'}, ProviderRefused, "model"),
        (405, b"", ProviderRefused, "account"),
        (409, b"", ProviderRefused, "account"),
        (302, b"", ProviderRefused, "account"),
        (429, {"detail": "Too many requests"}, ProviderRefused, "soft"),
        (413, b"too large", InputRefused, ""),
        (422, b"{}", InputRefused, ""),
        (400, {"detail": "Bad request"}, InputRefused, ""),
        (422, {"detail": [1, None]}, InputRefused, ""),
        (408, b"", OutcomeUnknown, ""),
        (500, named("internal_server_error"), OutcomeUnknown, ""),
        (500, {"request_id": "r-1"}, OutcomeUnknown, ""),
        (502, b"<html>502 Bad Gateway</html>", OutcomeUnknown, ""),
        (503, {"detail": "No runner", "error_type": "runner_scheduling_failure"}, OutcomeUnknown, ""),
        (504, {"detail": "Late", "error_type": "startup_timeout"}, OutcomeUnknown, ""),
        (200, b"", OutcomeUnknown, ""),
        (200, b'{"request_id":"8', OutcomeUnknown, ""),
        (200, b"\xff\xfe", OutcomeUnknown, ""),
        (200, [1], OutcomeUnknown, ""),
        (200, {"status": "IN_QUEUE"}, OutcomeUnknown, ""),
        (200, {"request_id": None, "status": "IN_QUEUE"}, OutcomeUnknown, ""),
        (200, {"request_id": ""}, OutcomeUnknown, ""),
        (200, {"request_id": {"id": "1"}}, OutcomeUnknown, ""),
    ],
)
def test_an_answer_without_a_type(status: int, body: Any, expected: type[ProviderError], scope: str) -> None:
    error = answered(status, body)

    assert type(error) is expected
    assert getattr(error, "scope", "") == scope


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_refusal_in_fals_own_form_is_certain(status: int) -> None:
    assert certainty(status, {"detail": "User is locked."}) is True
    assert certainty(status, named("not_allowed")) is True


@pytest.mark.parametrize("status", [401, 402, 403, 404])
@pytest.mark.parametrize(
    "body", [b"<html>blocked</html>", b"", b"{", [1], {}, {"error": "blocked"}, {"detail": ""}, {"detail": []}]
)
def test_a_refusal_that_a_firewall_may_have_written_is_not_certain(status: int, body: Any) -> None:
    assert certainty(status, body) is False


@pytest.mark.parametrize("status", [302, 405, 407, 409, 429])
def test_no_other_refusal_is_certain(status: int) -> None:
    assert certainty(status, {"detail": "Not now."}) is False


def certainty(status: int, body: Any) -> bool:
    error = answered(status, body)
    assert isinstance(error, ProviderRefused)
    return error.certain


def test_an_empty_balance_is_told_to_the_operators() -> None:
    error = answered(403, EMPTY)

    assert isinstance(error, ProviderRefused)
    assert "Exhausted balance" in error.reason
    assert (error.upstream_code, error.retry_after_seconds) == (403, None)


@pytest.mark.parametrize(("value", "seconds"), [("7", 7), ("soon", None), (None, None)])
def test_the_pause_is_the_one_that_fal_asks_for(value: str | None, seconds: int | None) -> None:
    error = answered(429, {"detail": "Too many requests"}, {"Retry-After": value} if value else None)

    assert isinstance(error, ProviderRefused)
    assert error.retry_after_seconds == seconds


def raised(error: Exception) -> ProviderError:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return submit_error(Fal(transport=httpx.MockTransport(fail)))


@pytest.mark.parametrize("kind", [*NOT_SENT, *NOT_SENDABLE])
def test_what_never_left_us_was_not_accepted(kind: type[Exception]) -> None:
    error = raised(kind("boom"))

    assert isinstance(error, ProviderRefused)
    assert error.scope == "account"


@pytest.mark.parametrize("kind", PERHAPS_SENT)
def test_what_may_have_arrived_is_unknown(kind: type[Exception]) -> None:
    assert isinstance(raised(kind("boom")), OutcomeUnknown)


def test_a_closed_port_was_not_accepted() -> None:
    canary = wire.Canary()
    canary.close()

    assert isinstance(submit_error(Fal(), account_at(f"http://127.0.0.1:{canary.port}")), ProviderRefused)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"no http at all\r\n\r\n"])
def test_a_broken_answer_on_a_real_socket_is_unknown(answer: bytes) -> None:
    with wire.peer(answer) as peer:
        error = submit_error(Fal(), account_at(peer.url))

    assert isinstance(error, OutcomeUnknown)
    assert len(peer.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    canary = wire.Canary()
    location = f"http://127.0.0.1:{canary.port}/".encode()
    with wire.peer(b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as peer:
        error = submit_error(Fal(), account_at(peer.url))

    assert isinstance(error, ProviderRefused)
    assert canary.connections() == 0
    canary.close()


def account_at(url: str) -> Account:
    return Account(base_url=url, credentials={"api_key": "key"})
