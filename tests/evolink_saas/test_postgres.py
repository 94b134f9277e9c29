"""The embedded PostgreSQL: shared by processes, stopped by the last, and not impressed by kill -9."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest

from evolink_saas.postgres import PostgresProblem, place, postmaster, urls

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parent.parent.parent
USER = """
import sys; from pathlib import Path; from evolink_saas import postgres
print(postgres.urls(Path(sys.argv[1])).owner, flush=True); sys.stdin.read()
"""
START = Callable[[Path], "User"]


class User:
    """A process that uses the server of a directory until it is told to leave."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        command = [sys.executable, "-c", USER, str(directory)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start() -> Iterator[START]:
    users: list[User] = []

    def one(directory: Path) -> User:
        users.append(User(directory))
        return users[-1]

    yield one
    for user in users:
        user.kill()
    for user in users:
        until(partial(is_stopped, user.directory))


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        yield Path(made)
        for lock in Path(made).rglob("users.lock"):
            if private := place.find_private(lock.parent):
                shutil.rmtree(private)


@pytest.fixture
def directory(checkout: Path) -> Path:
    return checkout / "postgres"


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "waited for 30 seconds"
        time.sleep(0.02)


def data_of(directory: Path) -> Path:
    return place.of(directory).data


def server_of(directory: Path) -> psutil.Process | None:
    return postmaster.find(data_of(directory))


def is_stopped(directory: Path) -> bool:
    return server_of(directory) is None


def write_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (at timestamptz DEFAULT now())")
        connection.execute("INSERT INTO kept DEFAULT VALUES")


def count_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row
    return int(row[0])


def keeper_of(directory: Path) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "evolink_saas.postgres.keeper" in words and str(directory) in words:
            return process
    return None


def test_processes_share_one_server_and_the_last_one_out_stops_it(directory: Path, start: START) -> None:
    first, second = start(directory), start(directory)
    assert first.url == second.url
    server = server_of(directory)
    first.leave()
    write_row(second.url)
    assert server_of(directory) == server
    second.leave()
    until(lambda: server_of(directory) is None)


def test_the_rows_are_there_at_the_next_start(directory: Path, start: START) -> None:
    user = start(directory)
    write_row(user.url)
    user.leave()
    assert count_rows(start(directory).url) == 1


def test_a_killed_process_leaves_no_server_behind(directory: Path, start: START) -> None:
    start(directory).kill()
    until(lambda: server_of(directory) is None)


def test_a_killed_server_starts_again_with_its_rows(directory: Path, start: START) -> None:
    first = start(directory)
    write_row(first.url)
    server = server_of(directory)
    assert server
    server.kill()
    second = start(directory)
    assert second.url == first.url
    assert count_rows(second.url) == 1


def test_everything_killed_at_once_starts_again_with_its_rows(directory: Path, start: START) -> None:
    user = start(directory)
    write_row(user.url)
    keeper, server = keeper_of(directory), server_of(directory)
    assert keeper and server
    for process in (keeper, server):
        process.kill()
    user.kill()
    assert count_rows(start(directory).url) == 1


def test_a_killed_keeper_is_replaced_by_the_next_process(directory: Path, start: START) -> None:
    first = start(directory)
    until(lambda: keeper_of(directory))
    keeper = keeper_of(directory)
    assert keeper
    keeper.kill()
    until(lambda: not keeper.is_running() or keeper.status() == psutil.STATUS_ZOMBIE)
    first.leave()
    assert server_of(directory)
    start(directory).leave()
    until(lambda: server_of(directory) is None)


def test_a_pid_file_that_names_another_program_is_stale(directory: Path, start: START) -> None:
    user = start(directory)
    write_row(user.url)
    pid_file = data_of(directory) / "postmaster.pid"
    words = pid_file.read_text().splitlines()
    user.leave()
    until(lambda: server_of(directory) is None)
    pid_file.write_text("\n".join([str(os.getpid()), *words[1:]]))
    assert server_of(directory) is None
    assert count_rows(start(directory).url) == 1
    os.kill(os.getpid(), 0)


def test_another_port_is_taken_when_the_kept_one_is_busy(directory: Path, start: START) -> None:
    first = start(directory)
    write_row(first.url)
    first.leave()
    until(lambda: server_of(directory) is None)
    port = json.loads((directory / "state.json").read_text())["port"]
    with socket.create_server(("127.0.0.1", port)):
        second = start(directory)
        assert f":{port}/" not in second.url
        assert count_rows(second.url) == 1
    second.leave()
    until(lambda: server_of(directory) is None)
    assert start(directory).url == second.url


def test_two_checkouts_run_side_by_side(checkout: Path, start: START) -> None:
    first, second = start(checkout / "one"), start(checkout / "two")
    assert first.url != second.url
    write_row(first.url)
    with pytest.raises(psycopg.errors.UndefinedTable):
        count_rows(second.url)


def test_processes_that_start_at_once_start_one_server(directory: Path, start: START) -> None:
    command = [sys.executable, "-c", USER, str(directory)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in processes}) == 1


def test_passwords_are_random_private_and_asked_for(directory: Path, start: START) -> None:
    user = start(directory)
    assert (directory / "state.json").stat().st_mode & 0o777 == 0o600
    state = json.loads((directory / "state.json").read_text())
    assert len({state[f"{role}_password"] for role in ("superuser", "owner", "app")}) == 3
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(user.url.replace(state["owner_password"], "wrong"))


def test_the_server_is_reached_from_this_machine_alone(directory: Path, start: START) -> None:
    start(directory)
    server = server_of(directory)
    assert server
    listening = {found.laddr.ip for found in server.net_connections("all") if found.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert "unix_socket_directories = ''" in (data_of(directory) / "postgresql.conf").read_text()


def test_neither_role_is_a_superuser_and_only_the_owner_makes_databases(directory: Path, start: START) -> None:
    query = "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname ~ '^evolink' ORDER BY 1"
    with psycopg.connect(start(directory).url) as connection:
        rows = connection.execute(query).fetchall()
    assert rows == [("evolink_app", False, False, False), ("evolink_owner", False, True, False)]


def test_lost_passwords_are_said_in_a_sentence(directory: Path, start: START) -> None:
    start(directory).leave()
    until(lambda: server_of(directory) is None)
    (directory / "state.json").unlink()
    with pytest.raises(PostgresProblem, match=r"state\.json is lost"):
        urls(directory)


def test_a_wrong_pgbin_is_said_in_a_sentence(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGBIN", "/nowhere")
    with pytest.raises(PostgresProblem, match="PGBIN=/nowhere has no PostgreSQL 15 or newer"):
        urls(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_below_a_closed_folder_root_keeps_the_data_elsewhere_and_opens_nothing(checkout: Path, start: START) -> None:
    checkout.chmod(0o700)
    directory = checkout / "var" / "postgres"
    user = start(directory)
    write_row(user.url)
    server, data = server_of(directory), data_of(directory)
    assert server and server.uids().real != 0
    assert not data.is_relative_to(checkout)
    assert checkout.stat().st_mode & 0o777 == 0o700
    user.leave()
    assert count_rows(start(directory).url) == 1
