"""`manage.py demo`: it leaves videos, a receipt that adds up, and nothing else, however the one before it ended."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from evolink_saas.processes import ROOT
from generations import media

pytestmark = pytest.mark.system
OTHERS = ("DATABASE_URL", "DATABASE_OWNER_URL", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE", "EVOLINK_WORKER_ID")


class Demo:
    """One run in a folder of its own, with the embedded server there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / "output"
        others = {name: value for name, value in os.environ.items() if name not in OTHERS}
        environment = others | {"VAR_DIR": str(folder), "DEBUG": "on", "COLUMNS": "120"}
        with self.output.open("w") as output:
            command = [sys.executable, "manage.py", "demo"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)

    def said(self) -> str:
        return self.output.read_text()

    def runs_until(self, words: str) -> None:
        until(lambda: words in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def left(self) -> list[str]:
        """The processes of its installation and of itself, by the folder in their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("VAR_DIR", "").startswith(str(self.folder)):
                    found.append(" ".join(process.cmdline()))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return [command for command in found if command and "postgres.keeper" not in command]

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "demo").iterdir()}


def until(holds: Callable[[], object], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited for {seconds} seconds"
        time.sleep(0.05)


def test_it_runs_after_kill_9_after_ctrl_c_and_to_its_end(tmp_path: Path) -> None:
    killed = Demo(tmp_path)
    killed.runs_until("Ordered")
    killed.process.kill()
    killed.process.wait()
    until(lambda: not killed.left(), 30)

    interrupted = Demo(tmp_path)
    interrupted.runs_until("Ordered")
    interrupted.process.send_signal(signal.SIGINT)
    assert interrupted.process.wait(60) == 130
    until(lambda: not interrupted.left(), 10)
    assert interrupted.files() == {"log"}

    demo = Demo(tmp_path)
    assert demo.process.wait(240) == 0, demo.said()
    until(lambda: not demo.left(), 10)
    assert demo.files() == {"log", "image-to-video.mp4", "text-to-video.mp4"}
    assert_it_adds_up(demo.said())
    assert_they_play(tmp_path / "demo")


def assert_it_adds_up(said: str) -> None:
    total = re.search(r"reserved ([\d.,]+) = charged ([\d.,]+) \+ refunded ([\d.,]+)", said)
    balance = re.search(r"balance before ([\d.,]+) - after ([\d.,]+) = ([\d.,]+) = charged ([\d.,]+)", said)
    assert total and balance, said
    assert number(total[1]) == number(total[2]) + number(total[3]) == Decimal("93.691")
    assert number(balance[1]) - number(balance[2]) == number(balance[3]) == number(balance[4]) == number(total[2])
    assert re.search(r"failing video +failed +16.2 +0 +16.2", said)
    assert re.search(r"without credits +refused: 402 +0 +0 +0", said)
    assert "4 callbacks came over HTTPS to https://127.0.0.1:" in said
    assert "wallets, 0 findings" in said


def assert_they_play(folder: Path) -> None:
    text, image = (media.read_video(folder / f"{name}-to-video.mp4") for name in ("text", "image"))
    assert (text.duration_seconds, text.width, text.height, text.has_audio) == (5, 1280, 720, True)
    assert (image.duration_seconds, image.width, image.height, image.has_audio) == (5, 1080, 1080, False)


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))
