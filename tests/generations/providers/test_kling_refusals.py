"""A create that was not accepted: every code Kling has, every exception the wire has, every body that is none."""

from typing import Any

import httpx
import pytest

from generations.providers.base import Account, InputRefused, OutcomeUnknown, ProviderError, ProviderRefused
from generations.providers.kling import Kling
from generations.sandbox.kling import wire as kling_wire
from tests.generations import wire
from tests.generations.providers.requests import element, from_image, trace, video
from tests.generations.simulator import RunningSimulator

ACCOUNT = Account(base_url="https://kling.example", credentials={"api_key": "key"})

# code: class, and its code or scope, and the pause it asks for
CODES: dict[int, tuple[type[ProviderError], str, int | None]] = {
    1000: (ProviderRefused, "account", None),
    1001: (ProviderRefused, "account", None),
    1002: (ProviderRefused, "account", None),
    1003: (ProviderRefused, "account", None),
    1004: (ProviderRefused, "account", None),
    1100: (ProviderRefused, "account", None),
    1101: (ProviderRefused, "account", None),
    1102: (ProviderRefused, "account", None),
    1103: (ProviderRefused, "model", None),
    1200: (InputRefused, "invalid_parameters", None),
    1201: (InputRefused, "invalid_parameters", None),
    1202: (ProviderRefused, "model", None),
    1203: (ProviderRefused, "model", None),
    1300: (InputRefused, "content_policy_violation", None),
    1301: (InputRefused, "content_policy_violation", None),
    1302: (ProviderRefused, "soft", 1),
    1303: (ProviderRefused, "soft", 5),
    1304: (ProviderRefused, "account", None),
    5000: (OutcomeUnknown, "", None),
    5001: (ProviderRefused, "account", 60),
    5002: (OutcomeUnknown, "", None),
}


def submit_error(adapter: Kling, account: Account = ACCOUNT, **changes: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        adapter.submit(account, video(**changes))
    return caught.value


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    """What the adapter makes of one answer at the wire."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return submit_error(
        Kling(transport=httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, **content)))
    )


def raised(error: Exception) -> ProviderError:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return submit_error(Kling(transport=httpx.MockTransport(fail)))


def test_every_code_of_kling_is_in_the_table() -> None:
    assert set(CODES) == set(kling_wire.MESSAGES)


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_class(simulator: RunningSimulator, code: int) -> None:
    error = submit_error(Kling(), simulator.account, prompt=f"x [sim:refuse {code}]")

    expected, detail, wait = CODES[code]
    assert type(error) is expected
    if isinstance(error, InputRefused):
        assert (error.verdict.code, error.verdict.by_input, error.verdict.retryable) == (detail, True, False)
    elif isinstance(error, ProviderRefused):
        assert (error.scope, error.upstream_code, error.retry_after_seconds) == (detail, code, wait)
    assert simulator.creates() == {"attempt-1": {"requests": 1, "tasks": 0}}


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_the_code_decides_whatever_the_status(status: int) -> None:
    error = answered(status, {"code": "1303", "message": "parallel task over resource pack limit"})

    assert isinstance(error, ProviderRefused)
    assert (error.scope, error.upstream_code) == ("soft", 1303)


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (1201, "Image pixel is invalid", "image_dimension_mismatch"),
        (1201, "Failed to download image", "media_unreachable"),
        (1201, "image format is invalid", "image_processing_error"),
        (1201, "prompt is too long", "invalid_parameters"),
        (1201, "internal server error while reading the field", "invalid_parameters"),
        (1203, "element_id not found", "resource_not_found"),
        (1203, "voice does not exist", "resource_not_found"),
    ],
)
def test_the_message_says_what_of_the_input_was_refused(code: int, message: str, expected: str) -> None:
    error = answered(400, {"code": code, "message": message})

    assert isinstance(error, InputRefused)
    assert (error.verdict.code, error.verdict.by_input) == (expected, True)
    assert error.verdict.upstream_message == message
    assert message not in error.verdict.message


@pytest.mark.parametrize(
    "message",
    [
        "callback_url is invalid",
        "model_name value is invalid",
        "watermark_info error",
        "model is required",
        "model_name: does not exist",
    ],
)
def test_a_refused_field_of_ours_is_not_the_customers_mistake(message: str) -> None:
    error = answered(400, {"code": 1201, "message": message})

    assert isinstance(error, ProviderRefused)
    assert error.scope == "model"


@pytest.mark.parametrize(
    "message",
    [
        "the mode is not supported by this model",
        "model does not support a duration of 12",
        "this model requires an image",
        "model kling-v3: duration is invalid",
        "the prompt is required for this model",
    ],
)
def test_a_message_that_only_mentions_the_model_is_about_the_request(message: str) -> None:
    error = answered(400, {"code": 1201, "message": message})

    assert isinstance(error, InputRefused)
    assert error.verdict.by_input


def test_a_reference_that_exists_already_must_be_looked_up(simulator: RunningSimulator) -> None:
    Kling().submit(simulator.account, video())
    error = submit_error(Kling(), simulator.account)

    assert isinstance(error, OutcomeUnknown)
    assert simulator.creates() == {"attempt-1": {"requests": 2, "tasks": 1}}


@pytest.mark.parametrize(
    ("status", "body", "expected", "scope"),
    [
        (502, b"<html>502 Bad Gateway</html>", OutcomeUnknown, ""),
        (500, {"code": 7777, "message": "?"}, OutcomeUnknown, ""),
        (408, b"", OutcomeUnknown, ""),
        (403, b"<html>blocked</html>", ProviderRefused, "account"),
        (413, b"too large", InputRefused, ""),
        (422, b"{}", InputRefused, ""),
        (302, b"", ProviderRefused, "account"),
        (429, b"slow down", ProviderRefused, "soft"),
        (400, {"code": 7777, "message": "?"}, InputRefused, ""),
        (401, {"code": 7777, "message": "?"}, ProviderRefused, "account"),
        (404, b"no such page", ProviderRefused, "account"),
        (200, {"code": 7777, "message": "?"}, OutcomeUnknown, ""),
        (500, {"code": 0, "data": {"id": "1"}}, OutcomeUnknown, ""),
        (200, b"", OutcomeUnknown, ""),
        (200, b'{"code":0,"data":{"id":"8', OutcomeUnknown, ""),
        (200, b"\xff\xfe", OutcomeUnknown, ""),
        (200, [1], OutcomeUnknown, ""),
        (200, {"data": {"id": "1"}}, OutcomeUnknown, ""),
        (200, b'{"code": Infinity}', OutcomeUnknown, ""),
        (200, {"code": 0, "data": {}}, OutcomeUnknown, ""),
        (200, {"code": 0, "data": None}, OutcomeUnknown, ""),
        (200, {"code": 0, "data": {"id": ""}}, OutcomeUnknown, ""),
        (200, {"code": 0, "data": {"id": "1", "external_id": "other"}}, OutcomeUnknown, ""),
    ],
)
def test_an_answer_without_a_known_code(status: int, body: Any, expected: type[ProviderError], scope: str) -> None:
    error = answered(status, body)

    assert type(error) is expected
    assert getattr(error, "scope", "") == scope


def test_a_relays_numeric_id_and_textual_code_are_accepted() -> None:
    body = {"code": "0", "data": {"task_id": 8811, "task_status": "submitted"}}
    accepted = Kling(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=body))).submit(
        ACCOUNT, video()
    )

    assert (accepted.upstream_id, accepted.route, accepted.state_word) == (
        "8811",
        "/text-to-video/kling-3.0",
        "submitted",
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("Wed, 21 Oct 2026 07:28:00 GMT", 1), ("-1", 1), ("999999", 999999), ("1000000", 1), ("9" * 5000, 1)],
)
def test_the_providers_own_pause_wins(value: str, seconds: int) -> None:
    error = answered(429, {"code": 1302, "message": ""}, {"Retry-After": value})

    assert isinstance(error, ProviderRefused)
    assert error.retry_after_seconds == seconds


NOT_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
NOT_SENDABLE = [httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL]
PERHAPS_SENT = [
    httpx.WriteTimeout,
    httpx.WriteError,
    httpx.ReadTimeout,
    httpx.ReadError,
    httpx.RemoteProtocolError,
    httpx.CloseError,
    httpx.DecodingError,
    httpx.TooManyRedirects,
]


def _leaves(kind: type[Exception]) -> set[type[Exception]]:
    below = kind.__subclasses__()
    return set().union(*map(_leaves, below)) if below else {kind}


def test_every_exception_of_a_request_is_in_the_tables() -> None:
    assert _leaves(httpx.RequestError) <= {*NOT_SENT, *NOT_SENDABLE, *PERHAPS_SENT}


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
    account = Account(base_url=f"http://127.0.0.1:{canary.port}", credentials={"api_key": "key"})

    assert isinstance(submit_error(Kling(), account), ProviderRefused)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"no http at all\r\n\r\n"])
def test_a_broken_answer_on_a_real_socket_is_unknown(answer: bytes) -> None:
    with wire.peer(answer) as peer:
        account = Account(base_url=peer.url, credentials={"api_key": "key"})
        error = submit_error(Kling(), account)

    assert isinstance(error, OutcomeUnknown)
    assert len(peer.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    canary = wire.Canary()
    location = f"http://127.0.0.1:{canary.port}/".encode()
    with wire.peer(b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as peer:
        error = submit_error(Kling(), Account(base_url=peer.url, credentials={"api_key": "key"}))

    assert isinstance(error, ProviderRefused)
    assert canary.connections() == 0
    canary.close()


def test_a_proxy_of_the_environment_is_not_used(simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert Kling().submit(simulator.account, video()).state_word == "submitted"


@pytest.mark.parametrize("key", ["", "wrong", "ключ"])
def test_a_bad_credential_is_the_accounts_trouble(simulator: RunningSimulator, key: str) -> None:
    error = submit_error(Kling(), Account(base_url=simulator.url, credentials={"api_key": key}))

    assert isinstance(error, ProviderRefused)
    assert error.scope == "account"


def test_an_unknown_element_is_the_customers_mistake_on_both_generations(simulator: RunningSimulator) -> None:
    for request in (from_image(element_ids=("811",)), from_image(negative_prompt="rain", element_ids=("811",))):
        with pytest.raises(InputRefused) as caught:
            Kling().submit(simulator.account, request)
        assert caught.value.verdict.code == "resource_not_found"


def test_an_unknown_voice_is_the_customers_mistake(simulator: RunningSimulator) -> None:
    request = element(kind="video_refer", frontal_image=None, video="http://127.0.0.1:9/a.mp4", voice_id="1")
    with pytest.raises(InputRefused) as caught:
        Kling().submit(simulator.account, request)
    assert caught.value.verdict.code == "resource_not_found"


@pytest.mark.parametrize(
    ("fault", "tasks"),
    [
        ("bad-gateway", 0),
        ("hang-before-accept 0.2", 0),
        ("reset-before-body", 0),
        ("bad-gateway-created", 1),
        ("internal-created", 1),
        ("hang-after-accept 0.2", 1),
        ("reset-after-body", 1),
        ("close-after-body", 1),
        ("half-answer", 1),
        ("garbage", 1),
        ("no-id", 1),
    ],
)
def test_a_lost_answer_is_settled_by_our_reference(simulator: RunningSimulator, fault: str, tasks: int) -> None:
    request = video(prompt=f"x [sim:{fault}]")
    error = submit_error(Kling(), simulator.account, prompt=request.prompt)
    found = Kling().find(simulator.account, trace("attempt-1", Kling().plan(request).route))

    assert isinstance(error, OutcomeUnknown)
    assert len(found) == tasks
    assert simulator.creates() == {"attempt-1": {"requests": 1, "tasks": tasks}}
