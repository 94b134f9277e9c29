"""Create and start one server, or join the one that runs.

`<directory>/state.json` (mode 600) holds the port and the passwords: random, made once. The port is a free one, kept
from then on, and another is taken when something else listens there.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql

from evolink_saas import ports
from evolink_saas.postgres import binaries, keeper, locks, place, postmaster
from evolink_saas.postgres.binaries import Binaries
from evolink_saas.postgres.place import Place
from evolink_saas.postgres.problem import PostgresProblem

DATABASE, OWNER, APP, SUPERUSER = "evolink", "evolink_owner", "evolink_app", "postgres"
LOG_LIMIT_BYTES = 10_000_000
CONFIGURATION = f"""
listen_addresses = '{ports.HOST}'
unix_socket_directories = ''
max_connections = 300
shared_buffers = '128MB'
"""


@dataclass(frozen=True, kw_only=True)
class Urls:
    app: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class State:
    port: int
    superuser_password: str
    owner_password: str
    app_password: str
    prepared: bool = False  # roles and database are there

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        return f"postgres://{role}:{password}@{ports.HOST}:{self.port}/{database}"

    def urls(self) -> Urls:
        return Urls(app=self.url(APP, self.app_password), owner=self.url(OWNER, self.owner_password))


joined: dict[Path, Place] = {}  # the servers that this process uses


def start(directory: Path) -> Urls:
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    locks.become_user(directory)
    with locks.starting(directory):
        here = place.of(directory)
        port = postmaster.ready_port(here.data)
        state = load(directory, here)
        if port is None:
            state = launch(directory, here, state)
        elif port != state.port:
            state = save(directory, replace(state, port=port))
        if not state.prepared:
            prepare(state)
            state = save(directory, replace(state, prepared=True))
        keeper.ensure(directory, here.data)
        joined[directory] = here
    return state.urls()


def revive() -> Urls | None:
    """Start a server that this process uses and that has died meanwhile; None when all is well."""
    for directory, here in joined.items():
        if postmaster.find(here.data) is None:
            return start(directory)
    return None


def load(directory: Path, here: Place) -> State:
    """The state of earlier starts; without one, new passwords and a free port."""
    path = directory / "state.json"
    if path.exists():
        return State(**json.loads(path.read_text()))
    if here.data.exists():
        raise PostgresProblem(f"{path} is lost, and with it the passwords: restore it or remove {here.data}.")
    superuser, owner, app = (secrets.token_urlsafe(24) for _ in range(3))
    state = State(port=ports.find_free(), superuser_password=superuser, owner_password=owner, app_password=app)
    return save(directory, state)


def save(directory: Path, state: State) -> State:
    fresh = directory / "state.json.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(state), file, indent=1)
    fresh.rename(directory / "state.json")
    return state


def launch(directory: Path, here: Place, state: State) -> State:
    """Start the server, made first if need be; returns the state with the port that it got."""
    found = reachable_binaries(directory, here)
    if not here.data.exists():
        state = save(directory, replace(state, prepared=False))
        create(here, found, state.superuser_password)
    made_by = int((here.data / "PG_VERSION").read_text())
    if made_by != found.version:
        raise PostgresProblem(
            f"The database in {here.data} needs PostgreSQL {made_by}, but {found.folder} is version {found.version}: "
            "set PGBIN to the right one."
        )
    postmaster.clear_remains(here.data)
    for _ in range(5):
        if not ports.is_free(state.port):
            state = save(directory, replace(state, port=ports.find_free()))
        if run_server(here, found, state.port):
            return state
    raise PostgresProblem(f"PostgreSQL found no free port; its log is {here.log}.")


def reachable_binaries(directory: Path, here: Place) -> Binaries:
    found = binaries.find()
    if here.can_run(found.folder / "postgres"):
        return found
    return binaries.copy(found, place.private_folder(directory))


def create(here: Place, found: Binaries, password: str) -> None:
    """Make the data folder; it gets its name only when it is complete."""
    sys.stderr.write(f"Creating a PostgreSQL database in {here.server} ...\n")
    fresh, secret = here.server / "data.new", here.server / "password"
    shutil.rmtree(fresh, ignore_errors=True)
    secret.write_text(password)
    secret.chmod(0o600)
    if here.runner:
        os.chown(secret, here.runner.pw_uid, here.runner.pw_gid)
    command = [found.command("initdb"), "-D", str(fresh), "-U", SUPERUSER, "--pwfile", str(secret)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    if found.version >= 17:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = here.run(*command, capture_output=True)
    secret.unlink()
    if done.returncode:
        raise PostgresProblem(f"PostgreSQL could not make its data folder: {last_line(done.stderr)}")
    with (fresh / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION)
    fresh.rename(here.data)


def run_server(here: Place, found: Binaries, port: int) -> bool:
    """True when the server runs, False when its port was taken from under it; any other failure is a problem."""
    if here.log.exists() and here.log.stat().st_size > LOG_LIMIT_BYTES:
        os.truncate(here.log, 0)
    before = here.log.stat().st_size if here.log.exists() else 0
    command = [found.command("pg_ctl"), "start", "-D", str(here.data), "-l", str(here.log), "-o", f"-p {port}"]
    done = here.run(*command, "-w", "-t", "300", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode == 0:
        return True
    said = here.log.read_bytes()[before:].decode(errors="replace") if here.log.exists() else ""
    if "Address already in use" in said:
        return False
    fatal = [line for line in said.splitlines() if re.search("FATAL|PANIC|could not|error", line)]
    raise PostgresProblem(f"PostgreSQL did not start: {last_line(fatal[0] if fatal else said)} (log: {here.log})")


def prepare(state: State) -> None:
    """Make the two roles and the database, whatever of them is missing."""
    with psycopg.connect(state.url(SUPERUSER, state.superuser_password, "postgres"), autocommit=True) as connection:
        for role, password, right in (
            (OWNER, state.owner_password, "CREATEDB"),
            (APP, state.app_password, "NOCREATEDB"),
        ):
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            statement = "{} ROLE {} LOGIN NOSUPERUSER {} PASSWORD {}"
            word = sql.SQL("CREATE" if known is None else "ALTER")
            connection.execute(sql.SQL(statement).format(word, sql.Identifier(role), sql.SQL(right), password))
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )


def last_line(words: str) -> str:
    return (words.strip().splitlines() or ["it said nothing"])[-1]
