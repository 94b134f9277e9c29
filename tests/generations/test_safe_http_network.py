"""A call goes to the number that was checked, by the name that was asked for, within one deadline, and nowhere else."""

import inspect
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpcore
import pytest
import trustme
from pytest_django import Settings

from generations.safe_http import AddressRefused, Answered, BadStatus, Fetched, TimedOut, Unreachable, download, post
from tests.generations.wire import ANSWER, Canary, peer, read_request

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def loopback_allowed(settings: Settings) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = LOOPBACK


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings.SAFE_HTTP_CA_FILE = str(tmp_path / "ca.pem")
    return authority


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


def fetch(url: str, *, seconds: float = 5, **options: Any) -> Fetched:
    return download(url, io.BytesIO(), max_bytes=1000, timeout_seconds=seconds, **options)


def send(url: str, *, body: bytes = b"{}", seconds: float = 5, **options: Any) -> Answered:
    return post(url, body, {"Content-Type": "application/json"}, timeout_seconds=seconds, **options)


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_name_server_that_changes_its_mind_is_asked_once_and_its_first_answer_is_used(settings: Settings) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.2/32"]
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    with peer(host="127.0.0.2") as public:
        canary = Canary("127.0.0.1", public.port)
        assert send(f"http://rebinding.example:{public.port}/", resolve=lambda *_: next(answers)).status == 200
        assert next(answers) == ["127.0.0.1"]
        assert canary.connections() == 0
        canary.close()


@pytest.mark.usefixtures("loopback_allowed")
def test_the_next_number_is_tried_when_the_first_does_not_answer() -> None:
    with peer() as public:
        answers = ["127.0.0.3", "127.0.0.1"]
        assert send(f"http://good.example:{public.port}/", resolve=lambda *_: answers).status == 200


@pytest.mark.usefixtures("loopback_allowed")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, canary: Canary) -> None:
    location = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{canary.port}/\r\nContent-Length: 0\r\n\r\n"
    with peer(location.encode()) as public:
        assert send(public.url).status == status
        with pytest.raises(BadStatus) as refused:
            fetch(public.url)
        assert refused.value.status == status
    assert canary.connections() == 0


@pytest.mark.usefixtures("loopback_allowed")
def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, canary: Canary) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    with peer() as public:
        assert send(public.url).status == 200
    assert canary.connections() == 0


@pytest.mark.usefixtures("loopback_allowed")
def test_host_header_and_certificate_stay_those_of_the_name(authority: trustme.CA) -> None:
    asked_for: list[str | None] = []
    context = certified(authority, "receiver.example")
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    with peer(tls=context) as receiver:
        answer = send(f"https://receiver.example:{receiver.port}/hook", resolve=lambda *_: ["127.0.0.1"])
    assert answer.status == 200
    assert asked_for == ["receiver.example"]
    assert f"host: receiver.example:{receiver.port}".encode() in receiver.requests[0].split(b"\r\n")


@pytest.mark.usefixtures("loopback_allowed")
def test_a_certificate_for_another_name_is_not_accepted(authority: trustme.CA) -> None:
    with peer(tls=certified(authority, "another.example")) as receiver:
        with pytest.raises(Unreachable):
            send(f"https://receiver.example:{receiver.port}/", resolve=lambda *_: ["127.0.0.1"])
        assert receiver.requests == []


@pytest.mark.usefixtures("loopback_allowed")
def test_a_certificate_of_an_unknown_authority_is_not_accepted() -> None:
    with peer(tls=certified(trustme.CA(), "receiver.example")) as receiver:
        with pytest.raises(Unreachable):
            send(f"https://receiver.example:{receiver.port}/", resolve=lambda *_: ["127.0.0.1"])
        assert receiver.requests == []


def test_a_trusted_origin_may_be_internal_and_nothing_beside_it(canary: Canary) -> None:
    with peer() as simulator:
        assert fetch(f"{simulator.url}/a.mp4", trusted_origin=f"{simulator.url}/v1").size_bytes == 5
        for other in (
            f"http://127.0.0.1:{canary.port}/a.mp4",
            f"https://127.0.0.1:{simulator.port}/a.mp4",
            f"http://localhost:{simulator.port}/a.mp4",
        ):
            with pytest.raises(AddressRefused):
                fetch(other, trusted_origin=simulator.url)
        assert len(simulator.requests) == 1
    assert canary.connections() == 0


def drip(connection: socket.socket, first: bytes, drop: bytes) -> None:
    connection.sendall(first)
    while True:
        connection.sendall(drop)
        time.sleep(0.02)


def never_answers(connection: socket.socket) -> None:
    read_request(connection)
    connection.recv(1)


def never_reads(connection: socket.socket) -> None:
    time.sleep(5)


SLOW: dict[str, Callable[[socket.socket], None]] = {
    "never answers": never_answers,
    "trickles the status line": lambda connection: drip(connection, b"HTTP/1.1 200 ", b"O"),
    "trickles headers": lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "trickles the body": lambda connection: drip(connection, ANSWER.replace(b"5", b"500", 1), b"x"),
    "trickles chunks": lambda connection: drip(
        connection, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"
    ),
    "sends interim answers": lambda connection: drip(connection, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.usefixtures("loopback_allowed")
@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW.keys())
def test_a_slow_server_costs_no_more_than_the_whole_deadline(behaviour: Callable[[socket.socket], None]) -> None:
    with peer(behaviour) as slow:
        for call in (fetch, send):
            started = time.monotonic()
            with pytest.raises(TimedOut):
                call(slow.url, seconds=0.3)
            assert 0.25 < time.monotonic() - started < 1.5


@pytest.mark.usefixtures("loopback_allowed")
def test_a_server_that_takes_the_body_slowly_costs_no_more_than_the_deadline() -> None:
    with peer(never_reads) as slow:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            send(slow.url, body=bytes(30_000_000), seconds=0.3)
        assert time.monotonic() - started < 1.5


@pytest.mark.usefixtures("loopback_allowed")
def test_a_handshake_that_never_ends_costs_no_more_than_the_deadline() -> None:
    with peer(never_reads) as slow:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            send(f"https://127.0.0.1:{slow.port}/", seconds=0.3)
        assert time.monotonic() - started < 1.5


def test_a_name_server_that_never_answers_costs_no_more_than_the_deadline() -> None:
    asked = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimedOut):
        send("https://good.example/", seconds=0.3, resolve=lambda *_: asked.wait(5) or [])
    assert time.monotonic() - started < 1.5
    asked.set()


def test_a_name_without_numbers_is_unreachable() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def empty(host: str, port: int) -> list[str]:
        return []

    for resolve in (unknown, empty):
        with pytest.raises(Unreachable, match=r"^The host name does not exist\.$"):
            send("https://good.example/", resolve=resolve)


def test_the_network_interface_of_httpcore_has_no_other_way_out() -> None:
    """`safe_http` supplies `connect_tcp`; should httpcore learn another method, `safe_http` must be read again."""
    ways = {name for name, _ in inspect.getmembers(httpcore.NetworkBackend, inspect.isfunction)}
    assert ways == {"connect_tcp", "connect_unix_socket", "sleep"}
    assert "network_backend" in inspect.signature(httpcore.HTTPConnection).parameters
    streams = {name for name, _ in inspect.getmembers(httpcore.NetworkStream, inspect.isfunction)}
    assert streams == {"read", "write", "close", "start_tls", "get_extra_info"}
