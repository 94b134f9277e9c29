"""Replicate's callbacks: signed by Standard Webhooks with a secret that it gives out, and naming a prediction."""

import base64
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook

from generations.providers.base import Account, CallbackRefused, OutcomeUnknown
from generations.providers.replicate import Replicate

SECRET = "whsec_" + base64.b64encode(b"a secret of replicate's own").decode()
OTHER = "whsec_" + base64.b64encode(b"a secret of somebody else's").decode()
BODY = '{"id": "abc", "status": "succeeded", "output": "https://replicate.delivery/abc.mp4"}'


def account(*, fetched: str = "", configured: str = "") -> Account:
    credentials = {"api_key": "r8_secret"} | ({"webhook_secret": configured} if configured else {})
    return Account(
        base_url="https://replicate.example/v1",
        credentials=credentials,
        callback_keys={"secret": fetched} if fetched else {},
    )


def signed(body: str, secret: str = SECRET, *, age: timedelta = timedelta(0)) -> dict[str, str]:
    moment = datetime.now(UTC) - age
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", moment, body),
    }


def read(account: Account, headers: dict[str, str], body: str = BODY) -> str:
    return Replicate().read_callback(account, headers, body.encode(), datetime.now(UTC))


def test_a_signed_callback_names_its_prediction() -> None:
    assert read(account(fetched=SECRET), signed(BODY)) == "abc"
    assert read(account(configured=SECRET), signed(BODY)) == "abc"


def test_the_secret_that_an_operator_wrote_wins() -> None:
    assert read(account(fetched=OTHER, configured=SECRET), signed(BODY)) == "abc"


def test_without_a_known_secret_the_address_has_to_do() -> None:
    assert read(account(), {}) == "abc"
    assert read(account(), signed(BODY, OTHER)) == "abc"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(BODY, OTHER),
        signed(BODY + " "),
        signed(BODY, age=timedelta(minutes=10)),
        signed(BODY, age=timedelta(days=-1)),
        signed(BODY) | {"webhook-signature": "v1,nonsense"},
        signed(BODY) | {"webhook-timestamp": "soon"},
        signed(BODY) | {"webhook-id": "msg_2"},
    ],
)
def test_a_known_secret_must_have_signed(headers: dict[str, str]) -> None:
    with pytest.raises(CallbackRefused):
        read(account(fetched=SECRET), headers)


def test_a_secret_that_is_none_lets_nothing_pass() -> None:
    with pytest.raises(CallbackRefused):
        read(account(configured="whsec_not-base64"), signed(BODY))


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"id": ""}', '{"id": null}', '{"id": {"x": 1}}', "\ud83d", '{"id"'])
def test_a_callback_that_names_no_prediction_is_refused(body: str) -> None:
    with pytest.raises(CallbackRefused):
        Replicate().read_callback(account(), {}, body.encode("utf-8", "surrogatepass"), datetime.now(UTC))


def test_the_secret_is_asked_for_with_our_key() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://replicate.example/v1/webhooks/default/secret"
        assert (request.method, request.headers["authorization"]) == ("GET", "Bearer r8_secret")
        return httpx.Response(200, json={"key": SECRET})

    assert Replicate(transport=httpx.MockTransport(answer)).callback_keys(account()) == {"secret": SECRET}


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"{}"), (200, b""), (200, b'{"key": ""}'), (401, b'{"key": "x"}'), (503, b"no")]
)
def test_an_answer_without_a_secret_is_unknown(status: int, body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=body))

    with pytest.raises(OutcomeUnknown):
        Replicate(transport=transport).callback_keys(account())
