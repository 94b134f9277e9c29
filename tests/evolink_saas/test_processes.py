"""Processes end with the one that started them, or at the next start."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from evolink_saas.processes import ROOT, AlreadyRunning, Family, end_leftovers, is_same

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
SLEEP_WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('both run', flush=True); time.sleep(600)",
]
PARENT = """
import sys, time; from pathlib import Path; from evolink_saas.processes import Family
family = Family(Path(sys.argv[1])).__enter__()
print(family.start("one", [sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True); time.sleep(600)
"""


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "waited for 20 seconds"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def write_record(record: Path, parent: list[float], leader: list[float]) -> None:
    host = os.uname().nodename
    record.write_text(json.dumps({"host": host, "parent": parent, "groups": {"one": leader}}))


def test_leaving_the_block_ends_every_process_and_its_children(tmp_path: Path) -> None:
    lines: list[str] = []
    with Family(tmp_path / "record.json") as family:
        child = family.start("one", SLEEP_WITH_CHILD, on_line=lambda name, line: lines.append(f"{name}: {line}"))
        until(lambda: lines == ["one: both run"])
        processes = [child.pid, *(found.pid for found in psutil.Process(child.pid).children())]
        assert len(processes) == 2
    until(lambda: all(is_gone(pid) for pid in processes))
    assert not (tmp_path / "record.json").exists()


def test_a_forked_function_leads_its_group_says_how_it_ended_and_ends_with_the_family(tmp_path: Path) -> None:
    heard, saying = os.pipe()

    def tell() -> None:
        os.write(1, f"{os.environ['WHO']} leads {os.getpgrp() == os.getpid()}".encode())
        raise SystemExit(3)

    with Family(tmp_path / "record.json") as family:
        told = family.fork("told", tell, {"WHO": "alice"}, output=saying)
        assert told.wait(20) == 1
        assert os.read(heard, 100) == b"alice leads True"
        sleeper = family.fork("sleeper", lambda: time.sleep(600), {}, output=saying)
        assert sleeper.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            sleeper.wait(0)
    assert sleeper.poll() == -signal.SIGTERM
    assert is_gone(sleeper.pid)
    os.close(heard)
    os.close(saying)


def test_a_signal_in_the_moment_of_the_fork_ends_the_child_and_not_by_our_handler(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with Path(os.devnull).open("w") as nowhere, Family(tmp_path / "record.json") as family:
            for _ in range(30):
                sleeper = family.fork("sleeper", lambda: time.sleep(600), {}, output=nowhere.fileno())
                sleeper.send_signal(signal.SIGTERM)
                assert sleeper.wait(20) == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what stayed behind")
def test_a_child_dies_with_its_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "record.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    until(lambda: is_gone(child))


def test_what_a_killed_start_left_behind_is_ended_by_the_next(tmp_path: Path) -> None:
    left = subprocess.Popen(SLEEP, start_new_session=True)
    write_record(tmp_path / "record.json", [2**22 - 1, 1.0], [left.pid, psutil.Process(left.pid).create_time()])
    with Family(tmp_path / "record.json"):
        assert left.wait(10) == -9


def test_a_process_that_got_a_reused_number_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(SLEEP, start_new_session=True)
    write_record(tmp_path / "record.json", [2**22 - 1, 1.0], [other.pid, 1000.0])
    end_leftovers(tmp_path / "record.json")
    assert other.poll() is None
    other.kill()
    other.wait()


def test_the_record_of_a_living_process_is_respected(tmp_path: Path) -> None:
    other = subprocess.Popen(SLEEP, start_new_session=True)
    identity = [other.pid, psutil.Process(other.pid).create_time()]
    write_record(tmp_path / "record.json", identity, identity)
    with pytest.raises(AlreadyRunning, match=str(other.pid)):
        end_leftovers(tmp_path / "record.json")
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_broken_record_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{")
    with Family(tmp_path / "record.json"):
        assert json.loads((tmp_path / "record.json").read_text())["parent"][0] == os.getpid()


def test_a_process_is_recognised_by_its_start_time() -> None:
    started_at = psutil.Process().create_time()
    assert is_same(os.getpid(), started_at)
    assert not is_same(os.getpid(), started_at - 60)
