"""Callbacks of fal: signed by one of the keys that it publishes, and not older than five minutes."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from generations.providers.base import Account, CallbackRefused, OutcomeUnknown
from generations.providers.fal import Fal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD, NEW, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
BODY = b'{"request_id":"r-1","gateway_request_id":"r-1","status":"OK","payload":{}}'


def jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    x = urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k"}


def account(keys: Mapping[str, str] | None = None, **credentials: str) -> Account:
    return Account(
        base_url="https://queue.example", credentials={"api_key": "key"} | credentials, callback_keys=keys or {}
    )


def published(
    body: Any, status: int = 200, seen: list[httpx.Request] | None = None, **credentials: str
) -> dict[str, str]:
    """The keys that the adapter takes from this answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return httpx.Response(status, **content)

    return Fal(transport=httpx.MockTransport(answer)).callback_keys(account(**credentials))


def signed(key: Ed25519PrivateKey, *, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    message = "\n".join(("r-1", "user-1", timestamp, sha256(body).hexdigest())).encode()
    return {
        "x-fal-webhook-request-id": "r-1",
        "x-fal-webhook-user-id": "user-1",
        "x-fal-webhook-timestamp": timestamp,
        "x-fal-webhook-signature": key.sign(message).hex(),
    }


KNOWN = published({"keys": [jwk(OLD), jwk(NEW)]})


def read(headers: Mapping[str, str], body: bytes = BODY, keys: Mapping[str, str] = KNOWN) -> str:
    return Fal().read_callback(account(keys), headers, body, NOW)


def test_the_keys_are_asked_of_fal_or_where_the_account_says_and_without_a_credential() -> None:
    seen: list[httpx.Request] = []
    published({"keys": [jwk(NEW)]}, seen=seen)
    published({"keys": [jwk(NEW)]}, seen=seen, jwks_url="https://keys.example/jwks")

    assert [str(request.url) for request in seen] == [
        "https://rest.fal.ai/.well-known/jwks.json",
        "https://keys.example/jwks",
    ]
    assert ["authorization" in request.headers for request in seen] == [False, False]


def test_only_keys_that_we_can_use_are_kept() -> None:
    keys = published({"keys": [jwk(NEW), {"kty": "RSA"}, {"x": "short"}, {"x": "ä"}, jwk(OLD) | {"crv": "X25519"}, 3]})

    assert json.loads(keys["jwks"]) == [{"x": jwk(NEW)["x"]}]


@pytest.mark.parametrize(
    ("body", "status"), [({"keys": []}, 200), ({}, 200), ([], 200), (b"<html>", 200), ({"keys": [jwk(NEW)]}, 503)]
)
def test_no_keys_are_no_answer(body: Any, status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        published(body, status)


@pytest.mark.parametrize("key", [OLD, NEW])
@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_any_published_key_may_sign(key: Ed25519PrivateKey, seconds: int) -> None:
    assert read(signed(key, at=NOW + timedelta(seconds=seconds))) == "r-1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_callback_is_refused(seconds: int) -> None:
    with pytest.raises(CallbackRefused):
        read(signed(NEW, at=NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize(
    "changed",
    [
        {"x-fal-webhook-request-id": "r-2"},
        {"x-fal-webhook-user-id": "user-2"},
        {"x-fal-webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"x-fal-webhook-timestamp": ""},
        {"x-fal-webhook-timestamp": "now"},
        {"x-fal-webhook-signature": ""},
        {"x-fal-webhook-signature": "no hex"},
        {"x-fal-webhook-signature": "00" * 64},
    ],
)
def test_every_part_of_the_message_counts(changed: dict[str, str]) -> None:
    with pytest.raises(CallbackRefused):
        read(signed(NEW) | changed)


def test_another_body_or_key_is_refused() -> None:
    with pytest.raises(CallbackRefused):
        read(signed(NEW), body=BODY.replace(b"r-1", b"r-2"))
    with pytest.raises(CallbackRefused):
        read(signed(STRANGER))
    with pytest.raises(CallbackRefused):
        read({})


def test_before_the_keys_are_known_the_secret_address_is_enough() -> None:
    assert read({}, keys={}) == "r-1"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"request_id":null}', b"\xff"])
def test_a_callback_that_names_no_work_is_refused(body: bytes) -> None:
    with pytest.raises(CallbackRefused):
        read({}, body, keys={})
