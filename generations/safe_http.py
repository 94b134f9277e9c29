"""Calls to addresses that a customer gave: callbacks, reference media, upload by URL.

    FetchError
    ├── AddressRefused   we did not connect: spelling, port, or a number that is not public
    ├── Unreachable      no name, no connection, bad certificate, broken off, not HTTP
    ├── TimedOut         the whole call did not end in time
    ├── TooLarge         the answer exceeds the caller's limit
    └── BadStatus        a download was answered with anything but 200 (`status`); redirects are not followed

The name is resolved once, ALL its numbers must be public, and the connection goes to a number that was checked, while
certificate and Host header stay those of the name. httpcore lets us supply the network as `network_backend`, so this
holds for every byte: nothing below reads proxies, cookies or redirects. One deadline spans name, connection, TLS,
request and answer, since time limits for each read do not stop a server that trickles.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, BinaryIO

import certifi
import httpcore
from django.conf import settings

from generations.safe_addresses import (
    AddressRefused,
    FetchError,
    IPAddress,
    IPNetwork,
    Target,
    check_target,
    is_public,
    networks,
    read_url,
)

BODY_START_BYTES = 2048
USER_AGENT = "evolink-saas"

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to numeric addresses; the tests' way in, to play a name server that changes its mind."""


class Unreachable(FetchError):
    """Nobody answered there in HTTP."""


class TimedOut(FetchError):
    """The whole call did not end in time."""


class TooLarge(FetchError):
    """The answer exceeds the limit."""


class BadStatus(FetchError):
    """A download was answered with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The address answered with status {status} instead of the file.")
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was downloaded. What the server calls it is no reason to believe it."""

    status: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Any HTTP answer, redirects and errors included. Header names are lower-case; `seconds` is the whole call's."""

    status: int
    headers: Mapping[str, str]
    body_start: bytes
    seconds: float


def check_spelling(url: str, *, https_only: bool) -> None:
    """What a web process may check, without DNS; the worker checks every resolved number. Raises AddressRefused."""
    target = read_url(url)
    if https_only and target.scheme != "https":
        raise AddressRefused("The address must start with https://.")
    check_target(target, networks(settings.SAFE_HTTP_EXTRA_NETWORKS))


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def download(
    url: str,
    into: BinaryIO,
    *,
    max_bytes: int,
    timeout_seconds: float,
    trusted_origin: str | None = None,
    resolve: Resolve = resolve_by_system,
) -> Fetched:
    """Writes the file at `url` to `into`. Only the exact scheme, host and port of `trusted_origin` may be internal.

    Raises the FetchErrors above; `into` may then hold a part of the file.
    """
    trusted = trusted_origin is not None and read_url(url).origin == read_url(trusted_origin).origin
    with _answer("GET", url, {}, None, _Deadline(timeout_seconds), resolve, trusted=trusted) as response:
        if response.status != 200:
            raise BadStatus(response.status)
        headers = _response_headers(response)
        if (length := headers.get("content-length", "")).isdigit() and int(length) > max_bytes:
            raise TooLarge(f"The file exceeds {max_bytes / 2**20:g} MB.")
        size_bytes = 0
        for piece in response.iter_stream():
            size_bytes += len(piece)
            if size_bytes > max_bytes:
                raise TooLarge(f"The file exceeds {max_bytes / 2**20:g} MB.")
            into.write(piece)
    return Fetched(status=response.status, size_bytes=size_bytes)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_seconds: float,
    resolve: Resolve = resolve_by_system,
) -> Answered:
    """Sends exactly `body`. Reads the first 2 kB of the answer and hangs up. Raises FetchErrors, not for a status."""
    deadline = _Deadline(timeout_seconds)
    with _answer("POST", url, headers, body, deadline, resolve, trusted=False) as response:
        start = b""
        for piece in response.iter_stream():
            start += piece
            if len(start) >= BODY_START_BYTES:
                break
    return Answered(
        status=response.status,
        headers=_response_headers(response),
        body_start=start[:BODY_START_BYTES],
        seconds=deadline.spent(),
    )


@contextmanager
def _answer(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    deadline: "_Deadline",
    resolve: Resolve,
    *,
    trusted: bool,
) -> Iterator[httpcore.Response]:
    target = read_url(url)
    allowed = networks(settings.SAFE_HTTP_EXTRA_NETWORKS)
    if not trusted:
        check_target(target, allowed)
    address = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    try:
        with (
            httpcore.HTTPConnection(
                address.origin,
                ssl_context=_tls_context(settings.SAFE_HTTP_CA_FILE),
                network_backend=_CheckedNetwork(target, deadline, resolve, None if trusted else allowed),
            ) as connection,
            connection.stream(method, address, headers=_request_headers(target, headers), content=body) as response,
        ):
            yield response
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable("The address could not be reached, or did not answer in HTTP.") from error


def _request_headers(target: Target, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    ours = {"host": target.host_header, "accept-encoding": "identity", "connection": "close"}
    theirs = {name.lower(): value for name, value in headers.items()}
    return list(({"user-agent": USER_AGENT} | theirs | ours).items())


def _response_headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


@lru_cache
def _tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._started = time.monotonic()
        self._seconds = seconds

    def spent(self) -> float:
        return time.monotonic() - self._started

    def left(self) -> float:
        """Seconds, more than 0. Raises TimedOut."""
        if (left := self._seconds - self.spent()) <= 0:
            raise TimedOut("The address did not answer in time.")
        return left


class _CheckedNetwork(httpcore.NetworkBackend):
    """The one way out: connects to numbers that passed the check. `allowed` None = a trusted origin, no check."""

    def __init__(
        self, target: Target, deadline: _Deadline, resolve: Resolve, allowed: tuple[IPNetwork, ...] | None
    ) -> None:
        self._target = target
        self._deadline = deadline
        self._resolve = resolve
        self._allowed = allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._checked_addresses()
        for position, address in enumerate(addresses):
            share = self._deadline.left() / (len(addresses) - position)
            try:
                connected = socket.create_connection((str(address), self._target.port), share)
            except OSError:
                continue
            return _TimedStream(connected, self._deadline)
        self._deadline.left()
        raise Unreachable("The address could not be reached.")

    def _checked_addresses(self) -> list[IPAddress]:
        """Raises AddressRefused when ANY of them is not public: one good number does not excuse a bad one."""
        addresses = [self._target.literal] if self._target.literal else self._look_up()
        if self._allowed is not None and not all(is_public(address, self._allowed) for address in addresses):
            raise AddressRefused("The address is not public.")
        return addresses

    def _look_up(self) -> list[IPAddress]:
        """In a thread of its own, since the system's resolver knows no deadline; a late answer falls on the floor."""
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(self._target.host, self._target.port))
            except (OSError, UnicodeError) as error:
                answers.put(OSError(error))

        threading.Thread(target=ask, name="safe_http-resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline.left())
        except queue.Empty as error:
            raise TimedOut("The host name was not resolved in time.") from error
        if isinstance(answer, OSError) or not answer:
            raise Unreachable("The host name does not exist.")
        return list(dict.fromkeys(ip_address(number) for number in answer))


class _TimedStream(httpcore.NetworkStream):
    """A socket on which every step may take what is left of the one deadline, whatever time limit it is told."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._in_time(httpcore.ReadError):
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        unsent = memoryview(buffer)
        while unsent:
            with self._in_time(httpcore.WriteError):
                unsent = unsent[self._socket.send(unsent) :]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with self._in_time(httpcore.ConnectError):
            secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        return _TimedStream(secured, self._deadline)

    def close(self) -> None:
        self._socket.close()

    @contextmanager
    def _in_time(self, failure: type[httpcore.NetworkError]) -> Iterator[None]:
        self._socket.settimeout(self._deadline.left())
        try:
            yield
        except TimeoutError as error:
            raise TimedOut("The address did not answer in time.") from error
        except OSError as error:
            raise failure(str(error)) from error
