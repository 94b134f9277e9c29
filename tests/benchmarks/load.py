"""An HTTP load generator: some keep-alive connections that ask again as soon as they are answered.

It speaks over bare sockets, because on a small machine every cycle of an HTTP client is taken from the server that is
measured.
"""

import itertools
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

HEAD = "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n"
BODY = "Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"


class Refused(Exception):
    """The server gave another answer than 200: nothing was measured."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What to ask. The callers (an API key and a path each) take turns; a body is sent with a fresh Idempotency-Key."""

    port: int
    callers: tuple[tuple[str, str], ...]
    body: dict[str, object] | None = None

    def requests(self) -> Iterator[bytes]:
        body = json.dumps(self.body)
        for secret, path in itertools.cycle(self.callers):
            head = HEAD.format(method="POST" if self.body else "GET", path=path, secret=secret)
            rest = BODY.format(key=uuid.uuid4().hex, length=len(body), body=body) if self.body else "\r\n"
            yield (head + rest).encode()


def requests_per_second(traffic: Traffic, *, connections: int, seconds: float) -> float:
    """How many of its requests were answered in that time, a second. Raises Refused."""
    counts, failures, end = [0] * connections, [], time.monotonic() + seconds

    def caller(number: int) -> None:
        try:
            for _ in answers(traffic, offset=number * len(traffic.callers) // connections, end=end):
                counts[number] += 1
        except (OSError, Refused) as failure:
            failures.append(failure)

    started = time.monotonic()
    threads = [threading.Thread(target=caller, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Refused(f"{len(failures)} of {connections} connections ended early: {failures[0]}")
    return sum(counts) / (time.monotonic() - started)


def answers(traffic: Traffic, *, offset: int, end: float) -> Iterator[bytes]:
    """Ask over one connection until `end`."""
    with socket.create_connection(("127.0.0.1", traffic.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in itertools.islice(traffic.requests(), offset, None):
            if time.monotonic() >= end:
                return
            connection.sendall(request)
            yield answer(connection)


def answer(connection: socket.socket) -> bytes:
    """One whole answer, which has a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += more(connection)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise Refused(f"{head.decode()}\n{body.decode(errors='replace')}")
    return body


def more(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise Refused("The server closed the connection.")
    return received
