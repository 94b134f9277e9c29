"""`manage.py up`: from nothing to a printed curl line that works, twice, with kill -9 in between."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from evolink_saas import ports
from evolink_saas.postgres import place
from evolink_saas.processes import ROOT

pytestmark = pytest.mark.system
OWN = ("DATABASE_URL", "DATABASE_OWNER_URL", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE", "EVOLINK_WORKER_ID")


class Installation:
    """One of its own: folder, database, ports."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.log = folder, port, folder / "up.log"
        self.environment = {name: value for name, value in os.environ.items() if name not in OWN}
        self.environment |= {"VAR_DIR": str(folder / "var"), "EVOLINK_PORT": str(port), "DEBUG": "on"}

    def start(self) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(self.command(), cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "up"]

    def start_and_wait(self) -> str:
        """What it said when it was ready."""
        self.start()
        until(lambda: "Ctrl-C stops everything" in self.said() or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.said()
        return self.said()

    def said(self) -> str:
        return self.log.read_text()

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )

    def left(self) -> list[str]:
        """The processes that belong to it, by its folder in their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("VAR_DIR") == self.environment["VAR_DIR"]:
                    found.append(" ".join(process.cmdline()))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return [command for command in found if command]


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited for {seconds} seconds"
        time.sleep(0.1)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """One whose database goes with it, wherever root's server had to keep it."""
    yield tmp_path
    if private := place.find_private(tmp_path / "var" / "postgres"):
        shutil.rmtree(private)


@pytest.fixture
def installation(folder: Path) -> Iterator[Installation]:
    made = Installation(folder, ports.find_free())
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    until(lambda: not made.left())


def curl(said: str) -> dict[str, object]:
    """What the printed line answers."""
    line = re.search(r"^ *(curl .*)$", said, re.MULTILINE)
    assert line
    done = subprocess.run(line[1], shell=True, capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def get_task(said: str, identifier: object) -> dict[str, object]:
    line = re.search(r"curl -s (\S+)/v1/\S+ -H '(Authorization: [^']+)'", said)
    assert line
    command = ["curl", "-s", f"{line[1]}/v1/tasks/{identifier}", "-H", line[2]]
    answer: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return answer


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_it_starts_twice_survives_kill_9_and_stops_by_ctrl_c(installation: Installation) -> None:
    said = installation.start_and_wait()
    first = curl(said)["id"]
    until(lambda: get_task(said, first)["status"] == "completed", 60)

    again = installation.run()
    assert again.returncode == 2
    assert f"running already, as process {installation.process.pid}" in again.stderr

    second = curl(said)["id"]
    installation.process.kill()
    installation.process.wait()
    until(lambda: not installation.left())

    said_again = installation.start_and_wait()
    assert re.findall(r"sk-\w+", said_again) == re.findall(r"sk-\w+", said)
    assert get_task(said_again, first)["status"] == "completed"
    until(lambda: get_task(said_again, second)["status"] == "completed", 60)

    for victim in ("granian", "generations.sandbox", "manage.py worker"):
        kill(installation, victim)
    third = curl(when_it_answers(said_again))["id"]
    until(lambda: get_task(said_again, third)["status"] == "completed", 60)

    installation.process.send_signal(signal.SIGINT)
    assert installation.process.wait(60) == 0
    until(lambda: not installation.left())


def kill(installation: Installation, words: str) -> None:
    """Kill -9 the process that `up` started with these words."""
    for child in psutil.Process(installation.process.pid).children():
        if child.status() != psutil.STATUS_ZOMBIE and words in " ".join(child.cmdline()):
            child.kill()
            return
    raise AssertionError(f"no process with {words}")


def when_it_answers(said: str) -> str:
    address = re.search(r"curl -s http://127.0.0.1:(\d+)", said)
    assert address

    def answers() -> bool:
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{address[1]}/readyz"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "200"

    until(answers)
    return said


def test_a_busy_port_is_said_in_a_sentence(folder: Path) -> None:
    port = ports.find_free()
    with socket.create_server((ports.HOST, port)):
        refused = Installation(folder, port)
        done = refused.run()
    until(lambda: not refused.left())
    assert done.returncode == 2
    assert f"Port {port} is in use; choose another" in done.stderr
    assert "Traceback" not in done.stderr
