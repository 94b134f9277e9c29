"""Recognise the server of a data folder, and stop it. A pid proves nothing: it may be another program's by now."""

import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from evolink_saas.postgres.problem import PostgresProblem

PORT_LINE, STATUS_LINE = 3, 7  # of postmaster.pid, which the server writes
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


def lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def find(data: Path) -> psutil.Process | None:
    """The running server of this data folder, if its pid file names a live server of this very folder."""
    told = lines(data)
    if not told or not told[0].strip().isdigit():
        return None
    try:
        process = psutil.Process(int(told[0]))
        is_ours = is_alive(process) and str(data) in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if is_ours else None


def ready_port(data: Path) -> int | None:
    """The port of the running server; None when there is none. One that is starting or stopping is waited for."""
    deadline = time.monotonic() + 300
    while find(data):
        told = lines(data)
        if len(told) > STATUS_LINE and told[STATUS_LINE].strip() == "ready":
            return int(told[PORT_LINE])
        if time.monotonic() > deadline:
            raise PostgresProblem(f"The PostgreSQL of {data} has not become ready for five minutes; its log says why.")
        time.sleep(0.02)
    return None


def stop(data: Path) -> None:
    server = find(data)
    if server is None:
        return
    for word, patience_seconds in ((FAST, 30), (IMMEDIATE, 10), (signal.SIGKILL, 10)):
        with suppress(psutil.NoSuchProcess):
            server.send_signal(word)
        if not still_there([server], patience_seconds):
            return


def still_there(processes: list[psutil.Process], patience_seconds: float) -> list[psutil.Process]:
    """Those that have not ended in that time. A zombie has: only its parent, maybe a slow one, has not looked yet."""
    deadline = time.monotonic() + patience_seconds
    while left := [process for process in processes if is_alive(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def clear_remains(data: Path) -> None:
    """After a crash: end the server's orphaned processes, which still hold its memory, and drop its stale pid file."""
    orphans = [process for process in psutil.process_iter() if works_in(process, data)]
    for process in still_there(orphans, 5):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if left := still_there(orphans, 10):
        raise PostgresProblem(f"Process {left[0].pid} of a crashed PostgreSQL still uses {data} and cannot be ended.")
    (data / "postmaster.pid").unlink(missing_ok=True)


def works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and process.cwd() == str(data)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
