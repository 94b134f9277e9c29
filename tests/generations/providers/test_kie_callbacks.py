"""kie.ai's callbacks: whose they are, and which task they are about."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from generations.providers.base import Account, CallbackRefused
from generations.providers.kie import Kie

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "kie-hmac-key"
SIGNED = Account(base_url="https://kie.example", credentials={"api_key": "key", "webhook_secret": SECRET})
UNSIGNED = Account(base_url="https://kie.example", credentials={"api_key": "key"})
# Computed once with another program: openssl dgst -sha256 -hmac kie-hmac-key -binary | base64
STAMP, SIGNATURE = "1795176000", "d8RKsHe4FeBQLs7irvufahSh+Io9tlE8z5d/ZV8Xo1I="
BODY = json.dumps({"code": 200, "msg": "success", "data": {"taskId": "77", "state": "success"}}).encode()


def read(account: Account = SIGNED, body: bytes = BODY, now: datetime = NOW, **changed: str) -> str:
    headers = {"x-webhook-timestamp": STAMP, "x-webhook-signature": SIGNATURE} | {
        name.replace("_", "-"): value for name, value in changed.items()
    }
    return Kie().read_callback(account, headers, body, now)


def refused(account: Account = SIGNED, body: bytes = BODY, now: datetime = NOW, **changed: str) -> bool:
    with pytest.raises(CallbackRefused):
        read(account, body, now, **changed)
    return True


def test_a_signed_callback_names_its_task() -> None:
    assert read() == "77"


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"taskId": "77"}},
        {"data": {"task_id": "77"}},
        {"taskId": "77", "state": "fail"},
        {"task_id": "77"},
        {"taskId": 77},
        {"taskId": "77", "data": {"result_video_url": "https://a/b.mp4"}},
        {"taskId": "77", "data": "x"},
    ],
)
def test_the_id_may_stand_in_several_places(body: dict[str, Any]) -> None:
    assert read(body=json.dumps(body).encode()) == "77"


def test_the_rest_of_the_body_is_not_signed() -> None:
    assert read(body=json.dumps({"data": {"taskId": "77", "state": "fail"}}).encode()) == "77"


def test_a_signature_is_good_for_one_task_alone() -> None:
    assert refused(body=json.dumps({"data": {"taskId": "78"}}).encode())


@pytest.mark.parametrize("signature", ["", "x", SIGNATURE[:-1], "é", SIGNATURE + "="])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    assert refused(x_webhook_signature=signature)


@pytest.mark.parametrize("stamp", ["", "soon", "-1795176000", "1795176001", "9" * 400])
def test_a_wrong_timestamp_is_refused(stamp: str) -> None:
    assert refused(x_webhook_timestamp=stamp)


@pytest.mark.parametrize(("seconds", "fresh"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_callback_is_good_for_five_minutes(seconds: int, fresh: bool) -> None:
    now = datetime.fromtimestamp(int(STAMP), UTC) + timedelta(seconds=seconds)

    assert read(now=now) == "77" if fresh else refused(now=now)


def test_without_a_secret_the_address_alone_is_proof() -> None:
    assert read(UNSIGNED, x_webhook_timestamp="", x_webhook_signature="") == "77"


@pytest.mark.parametrize("account", [SIGNED, UNSIGNED])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"data": {}}', b'{"data": {"taskId": ""}}', b'{"taskId": [7]}', b"\xff"],
)
def test_a_body_that_names_no_task_is_refused(account: Account, body: bytes) -> None:
    assert refused(account, body)
