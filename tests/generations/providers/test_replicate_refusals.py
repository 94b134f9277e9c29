"""A create that Replicate did not accept: every status, every exception of the wire, every body that is none."""

from typing import Any

import httpx
import pytest

from generations.providers.base import Account, InputRefused, OutcomeUnknown, ProviderError, ProviderRefused
from generations.providers.replicate import Replicate
from tests.generations import wire
from tests.generations.providers.requests import video
from tests.generations.providers.test_kling_refusals import NOT_SENDABLE, NOT_SENT, PERHAPS_SENT

ACCOUNT = Account(base_url="https://replicate.example/v1", credentials={"api_key": "r8_secret"})


def problem(status: int, detail: str, title: str = "") -> dict[str, Any]:
    """A refusal as Replicate writes it."""
    return {"title": title, "detail": detail, "status": status}


def submit_error(adapter: Replicate, account: Account = ACCOUNT) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        adapter.submit(account, video())
    return caught.value


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    """What the adapter makes of one answer at the wire."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return submit_error(
        Replicate(transport=httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, **content)))
    )


def raised(error: Exception) -> ProviderError:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return submit_error(Replicate(transport=httpx.MockTransport(fail)))


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ("- input.duration: Must be less than or equal to 15\n", "invalid_parameters"),
        ("- input: prompt is required\n", "invalid_parameters"),
        ('- input.aspect_ratio: aspect_ratio must be one of the following: "16:9", "9:16"\n', "invalid_parameters"),
        ("- input.prompt: The content violates our policy\n", "content_policy_violation"),
        ("The input was flagged as sensitive. (E005)", "content_policy_violation"),
        ("- input.start_image: Image pixel is invalid\n", "image_dimension_mismatch"),
        ("- input.start_image: could not download the image\n", "media_unreachable"),
        ("- input.prompt: too many requests to show at once\n", "invalid_parameters"),
    ],
)
def test_a_refused_input_is_the_customers(detail: str, code: str) -> None:
    error = answered(422, problem(422, detail, "Input validation failed"))

    assert isinstance(error, InputRefused)
    assert (error.verdict.code, error.verdict.by_input) == (code, True)
    assert error.verdict.upstream_message == detail
    assert detail not in error.verdict.message
    assert "replicate" not in error.verdict.message.lower()


@pytest.mark.parametrize(
    "detail",
    [
        "- webhook: Does not match format 'uri'\n",
        "- webhook_events_filter.0: must be one of the following\n",
        "- version is required\n- Additional property model is not allowed\n",
        "- input: Additional property negative_prompt is not allowed\n",
        "- input.duration: Invalid type. Expected: integer, given: string\n",
        "The specified version does not exist (or perhaps you don't have permission to use it?)",
    ],
)
def test_a_refused_field_of_ours_is_not_the_customers_mistake(detail: str) -> None:
    error = answered(422, problem(422, detail, "Input validation failed"))

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == ("model", 422)


NO_CREDIT = (
    "You have insufficient credit to run this model. Go to https://replicate.com/account/billing to purchase credit."
)


@pytest.mark.parametrize(
    ("status", "body", "scope"),
    [
        (401, problem(401, "You did not pass a valid authentication token", "Unauthenticated"), "account"),
        (402, problem(402, NO_CREDIT, "Insufficient credit"), "account"),
        (403, problem(403, "You do not have permission to perform this action."), "account"),
        (404, problem(404, "The requested resource could not be found."), "model"),
        (405, {"detail": 'Method "POST" not allowed.'}, "model"),
        (407, b"", "account"),
        (429, {"detail": "Request was throttled."}, "soft"),
        (302, b"", "account"),
        (403, b"<html>blocked</html>", "account"),
    ],
)
def test_a_refusal_that_is_about_us_lets_the_account_or_the_model_rest(status: int, body: Any, scope: str) -> None:
    error = answered(status, body)

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code, error.retry_after_seconds) == (scope, status, None)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 407])
@pytest.mark.parametrize(
    ("body", "certain"),
    [
        (problem(0, "You may not do this."), True),
        ({"title": "Unauthenticated"}, True),
        (b"<html>blocked</html>", False),
        (b"", False),
        (["Forbidden"], False),
        ({"error": "blocked"}, False),
        ({"detail": " ", "title": None}, False),
        ({"detail": 403, "title": {"a": 1}}, False),
    ],
)
def test_only_replicates_own_words_are_certain(status: int, body: Any, certain: bool) -> None:
    error = answered(status, body)

    assert isinstance(error, ProviderRefused)
    assert error.certain is certain


def test_slow_down_is_never_certain() -> None:
    error = answered(429, problem(429, "Request was throttled."))

    assert isinstance(error, ProviderRefused)
    assert not error.certain


@pytest.mark.parametrize("status", [400, 409, 413, 418])
def test_another_refusal_for_itself_stops_nobody_else(status: int) -> None:
    error = answered(status, b"no")

    assert isinstance(error, InputRefused)
    assert error.verdict.code == "invalid_parameters"


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"detail": "Request was throttled. Your rate limit resets in ~30s."}, {}, 30),
        ({"detail": "Request was throttled. Your rate limit resets in ~30s."}, {"Retry-After": "7"}, 7),
        ({"detail": "Request was throttled.", "retry_after": 9}, {}, 9),
        ({"detail": "Request was throttled.", "retry_after": -1}, {}, None),
        ({"detail": "Request was throttled.", "retry_after": True}, {}, None),
        ({"detail": "It resets in ~123456s."}, {}, None),
        ({"detail": "Request was throttled."}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (b"slow down", {}, None),
    ],
)
def test_slow_down_says_for_how_long(body: Any, headers: dict[str, str], seconds: int | None) -> None:
    error = answered(429, body, headers)

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.retry_after_seconds) == ("soft", seconds)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, problem(500, "Internal server error")),
        (502, b"<html>502 Bad Gateway</html>"),
        (503, {"detail": "high demand"}),
        (504, b""),
        (500, {"id": "abc", "status": "starting"}),
        (408, b""),
        (100, b""),
        (200, b""),
        (201, b'{"id":"ab'),
        (201, b"\xff\xfe"),
        (201, b"[" * 100_000),
        (201, [1]),
        (201, {}),
        (201, {"id": ""}),
        (201, {"id": None}),
        (201, {"id": True}),
        (204, b""),
    ],
)
def test_an_answer_that_may_follow_an_acceptance_is_unknown(status: int, body: Any) -> None:
    assert type(answered(status, body)) is OutcomeUnknown


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("word", ["starting", "processing", "succeeded", "failed"])
def test_any_success_with_an_id_is_an_acceptance(status: int, word: str) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json={"id": "abc", "status": word}))
    accepted = Replicate(transport=transport).submit(ACCOUNT, video())

    assert (accepted.upstream_id, accepted.state_word, accepted.queued) == ("abc", word, False)
    assert accepted.route == "/models/kwaivgi/kling-v3-video/predictions"


@pytest.mark.parametrize("kind", [*NOT_SENT, *NOT_SENDABLE])
def test_what_never_left_us_was_not_accepted(kind: type[Exception]) -> None:
    error = raised(kind("boom"))

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == ("account", None)


@pytest.mark.parametrize("kind", PERHAPS_SENT)
def test_what_may_have_arrived_is_unknown(kind: type[Exception]) -> None:
    assert isinstance(raised(kind("boom")), OutcomeUnknown)


def test_a_closed_port_was_not_accepted() -> None:
    canary = wire.Canary()
    canary.close()
    account = Account(base_url=f"http://127.0.0.1:{canary.port}", credentials={"api_key": "r8_secret"})

    assert isinstance(submit_error(Replicate(), account), ProviderRefused)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{", b"no http at all\r\n\r\n"]
)
def test_a_broken_answer_on_a_real_socket_is_unknown(answer: bytes) -> None:
    with wire.peer(answer) as peer:
        error = submit_error(Replicate(), Account(base_url=peer.url, credentials={"api_key": "r8_secret"}))

    assert isinstance(error, OutcomeUnknown)
    assert len(peer.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    canary = wire.Canary()
    location = f"http://127.0.0.1:{canary.port}/".encode()
    with wire.peer(b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as peer:
        error = submit_error(Replicate(), Account(base_url=peer.url, credentials={"api_key": "r8_secret"}))

    assert isinstance(error, ProviderRefused)
    assert canary.connections() == 0
    canary.close()
