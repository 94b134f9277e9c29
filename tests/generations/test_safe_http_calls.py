"""What a download and a callback send, what they hand back, and where they stop."""

import io
import json

import pytest
from pytest_django import Settings

from generations.safe_http import BadStatus, Fetched, TooLarge, Unreachable, download, post
from tests.generations.wire import ANSWER, peer

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"


@pytest.fixture(autouse=True)
def loopback_allowed(settings: Settings) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8"]


def test_a_download_writes_the_file_and_says_what_the_server_claims() -> None:
    into = io.BytesIO()
    with peer(ANSWER) as server:
        fetched = download(f"{server.url}/a.png?x=1", into, max_bytes=5, timeout_seconds=5)
    assert fetched == Fetched(status=200, size_bytes=5)
    assert into.getvalue() == b"hello"
    assert server.requests[0].startswith(b"GET /a.png?x=1 HTTP/1.1\r\n")
    assert b"accept-encoding: identity" in server.requests[0]


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_a_download_takes_no_other_status_than_200(status: int) -> None:
    with peer(f"HTTP/1.1 {status} Other\r\nContent-Length: 0\r\n\r\n".encode()) as server:
        with pytest.raises(BadStatus) as refused:
            download(server.url, io.BytesIO(), max_bytes=5, timeout_seconds=5)
        assert refused.value.status == status


def test_a_file_that_announces_too_much_is_not_read() -> None:
    into = io.BytesIO()
    with peer(ANSWER) as server, pytest.raises(TooLarge):
        download(server.url, into, max_bytes=4, timeout_seconds=5)
    assert into.getvalue() == b""


def test_a_file_that_grows_past_the_limit_is_left() -> None:
    into = io.BytesIO()
    with peer(CHUNKED) as server, pytest.raises(TooLarge):
        download(server.url, into, max_bytes=9, timeout_seconds=5)
    assert into.getvalue() in (b"", b"hello")


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ANSWER[:-1], CHUNKED[:-5], b"HTTP/1.1 200 OK\r\n" + b"a" * 200_000]
)
def test_an_answer_that_is_not_whole_http_is_unreachable(answer: bytes) -> None:
    with peer(answer) as server, pytest.raises(Unreachable):
        download(server.url, io.BytesIO(), max_bytes=1000, timeout_seconds=5)


def test_nobody_listening_is_unreachable() -> None:
    with peer() as server:
        url = server.url
    with pytest.raises(Unreachable):
        post(url, b"", {}, timeout_seconds=5)


def test_a_callback_sends_exactly_its_bytes_and_headers() -> None:
    body = json.dumps({"name": "图片"}, ensure_ascii=False).encode()
    with peer(ANSWER) as receiver:
        answer = post(f"{receiver.url}/hook", body, {"Webhook-Id": "dlv_1", "Host": "other"}, timeout_seconds=5)
    head, _, sent = receiver.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    assert b"webhook-id: dlv_1" in head
    assert f"host: 127.0.0.1:{receiver.port}".encode() in head
    assert b"other" not in head
    assert (answer.status, answer.body_start, answer.headers["content-length"]) == (200, b"hello", "5")
    assert 0 < answer.seconds < 5


def test_every_status_of_a_receiver_is_an_answer() -> None:
    for status in (204, 301, 410, 500):
        with peer(f"HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n".encode()) as receiver:
            assert post(receiver.url, b"", {}, timeout_seconds=5).status == status


def test_only_the_first_2_kb_of_an_answer_are_read() -> None:
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: 10000000\r\n\r\n"
    with peer(head + b"x" * 5000) as receiver:
        answer = post(receiver.url, b"", {}, timeout_seconds=5)
    assert answer.body_start == b"x" * 2048
