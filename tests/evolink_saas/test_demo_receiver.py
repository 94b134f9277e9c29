"""The demo's receiver takes callbacks over HTTPS and believes only what is signed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from standardwebhooks import Webhook

from evolink_saas.demo_run.claims import DemoFailed
from evolink_saas.demo_run.receiver import Receiver
from generations import safe_http

SECRET, OTHER_SECRET = "whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8
TASK = {"id": "task-video-1", "status": "completed"}


@pytest.fixture
def receiving(tmp_path: Path, settings: Settings) -> Iterator[Receiver]:
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8"]
    settings.SAFE_HTTP_CA_FILE = str(tmp_path / "ca.pem")
    with Receiver(tmp_path / "ca.pem") as here:
        yield here


def send(url: str, secret: str) -> safe_http.Answered:
    body, now = json.dumps(TASK), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    return safe_http.post(url, body.encode(), headers, timeout_seconds=10)


def test_a_signed_message_is_answered_and_told(receiving: Receiver) -> None:
    assert send(receiving.url, SECRET).status == 204
    assert receiving.message("task-video-1", SECRET) == TASK


def test_a_message_of_another_signer_is_not_believed(receiving: Receiver) -> None:
    send(receiving.url, OTHER_SECRET)
    with pytest.raises(DemoFailed, match="not signed by the gateway"):
        receiving.message("task-video-1", SECRET)


def test_its_certificate_is_worth_nothing_to_others(receiving: Receiver, settings: Settings) -> None:
    settings.SAFE_HTTP_CA_FILE = ""
    with pytest.raises(safe_http.Unreachable):
        send(receiving.url, SECRET)
    assert receiving.messages == []


def test_a_message_that_does_not_come_ends_the_wait(receiving: Receiver) -> None:
    receiving.wait_seconds = 0.05
    with pytest.raises(DemoFailed, match="No callback about task-video-2"):
        receiving.message("task-video-2", SECRET)
