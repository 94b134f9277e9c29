"""A whole installation on this machine: web server, worker and simulated upstream, kept alive together.

`manage.py up` runs one on the database of the checkout; others run their own by other ports, folder and database in
`environment`. A part that dies is started again (crash-only); one that keeps dying ends the whole.
"""

import os
import signal
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from evolink_saas import ports
from evolink_saas.processes import Family, OnLine

READY_SECONDS = 90
DEATHS, DEATHS_SECONDS = 5, 60  # so many deaths in that time are too many


class PartFailed(Exception):
    """A part of the stack does not stay alive, or does not become ready."""


class Stack:
    def __init__(self, family: Family, *, environment: Mapping[str, str], on_line: OnLine) -> None:
        self.family, self.on_line = family, on_line
        self.environment = {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "DIE_WITH_PARENT": "1", **environment}
        self.commands: dict[str, Sequence[object]] = {}
        self.deaths: defaultdict[str, list[float]] = defaultdict(list)

    def start(self, name: str, command: Sequence[object]) -> None:
        self.commands[name] = command
        self.family.start(name, command, self.environment, self.on_line)

    def tend(self) -> None:
        """Start again what has died; raises PartFailed when that happens too often."""
        while name := self.family.dead():
            now = time.monotonic()
            self.deaths[name] = [at for at in self.deaths[name] if now - at < DEATHS_SECONDS] + [now]
            if len(self.deaths[name]) == DEATHS:
                raise PartFailed(
                    f"The {name} ended {DEATHS} times in {DEATHS_SECONDS} seconds; its last lines say why."
                )
            self.on_line(name, f"ended with status {self.family.children[name].poll()}; starting it again")
            self.family.end_group(name)
            self.start(name, self.commands[name])

    def wait_for(self, name: str, port: int, path: str, words: str = "") -> None:
        """Return once GET `path` on our own `port` answers 200 with `words` in it; raises PartFailed."""
        deadline = time.monotonic() + READY_SECONDS
        while not answers(port, path, words):
            if time.monotonic() > deadline:
                raise PartFailed(f"The {name} did not become ready within {READY_SECONDS} seconds.")
            self.tend()
            time.sleep(0.3)


def web(port: int, *, threads: int = 8) -> list[object]:
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", ports.HOST, "--port", port]
    return [*granian, "--blocking-threads", threads, "--log-level", "error", "evolink_saas.wsgi:application"]


def worker() -> list[object]:
    return [sys.executable, "manage.py", "worker"]


def simulator(port: int, folder: Path) -> list[object]:
    return [sys.executable, "-m", "generations.sandbox", "--port", port, "--data", folder]


def answers(port: int, path: str, words: str) -> bool:
    """Whether our own process there says 200 and these words; it is not there yet otherwise."""
    try:
        with socket.create_connection((ports.HOST, port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {ports.HOST}:{port}\r\n\r\n".encode())
            said = b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
    except OSError:
        return False
    status = said.partition("\r\n")[0].split(" ")
    return len(status) > 1 and status[1] == "200" and words in said


def die_of_signals(status: int = 0) -> None:
    """Let Ctrl-C and SIGTERM unwind the stack once, to end with `status`; the second one ends us at once, and our
    children with us."""

    def unwind(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
        signal.signal(signal.SIGINT, lambda *_: os._exit(1))
        raise SystemExit(status)

    signal.signal(signal.SIGTERM, unwind)
    signal.signal(signal.SIGINT, unwind)
