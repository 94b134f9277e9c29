"""An installation of the demo's own: database, folder, ports and processes, all gone at the end.

Its database lies beside the checkout's, on the same server; nothing else is shared with a gateway that runs. What a
killed demo left behind is ended and removed by the next one.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from dotenv import dotenv_values
from psycopg import sql

from evolink_saas import ports, processes, stack
from evolink_saas.demo_run.claims import DemoFailed
from evolink_saas.processes import Family
from evolink_saas.stack import Stack

PATIENCE_SECONDS = 5
SUFFIX = "_demo"


class Installation:
    """`environment` names its database, folder and addresses: every command of ours that gets it works on it alone."""

    def __init__(self, family: Family, folder: Path, log: TextIO) -> None:
        self.family, self.folder, self.log = family, folder, log
        self.ca_file = folder / "ca.pem"  # of whoever receives callbacks; the worker trusts it
        self.port, self.simulator_port = ports.find_free(), ports.find_free()
        self.url = f"http://{ports.HOST}:{self.port}"
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "evolink_saas.settings",
            "DEBUG": "on",
            "DATABASE_URL": beside(settings.DATABASE_URL),
            "DATABASE_OWNER_URL": beside(settings.DATABASE_OWNER_URL),
            "VAR_DIR": str(folder),
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": "*",
            "Q_BROKER": "orm",
            "SAFE_HTTP_EXTRA_NETWORKS": "127.0.0.0/8",
            "SAFE_HTTP_CA_FILE": str(self.ca_file),
            "PYTHONWARNINGS": "ignore",
        }
        self.stack = Stack(family, environment=self.environment, on_line=self.note)

    def note(self, name: str, line: str) -> None:
        self.log.write(f"{name:<9} {line}\n")

    def manage(self, *words: object) -> str:
        """Run one of our commands on this installation; what it printed. Raises DemoFailed."""
        with TemporaryFile("w+") as output:
            command = [sys.executable, "manage.py", *words]
            child = self.family.start("command", command, self.environment, output=output.fileno())
            status = child.wait()
            self.family.end_group("command")
            output.seek(0)
            said = output.read()
        self.note("command", f"{words[0]}: {said.strip()}")
        if status:
            raise DemoFailed(f"`manage.py {words[0]}` ended with status {status}. {said.strip()}")
        return said

    def start(self) -> None:
        """What needs no tables comes up while they are made; the worker afterwards."""
        self.stack.start("simulator", stack.simulator(self.simulator_port, self.folder / "sandbox"))
        self.stack.start("web", stack.web(self.port))
        self.manage("migrate", "--verbosity", 0)
        self.manage("load_price_book")
        self.stack.start("worker", stack.worker())

    def open_organizations(self) -> tuple[str, str]:
        """The API keys of one organization with credits, and of another with hardly any."""
        self.manage("create_demo", "--simulator-url", f"http://{ports.HOST}:{self.simulator_port}")
        poor = self.manage("create_organization", "Poor", "--owner", "poor@demo.example", "--credits", "20")
        return str(dotenv_values(self.folder / "demo.env")["EVOLINK_API_KEY"]), poor.split()[-1]

    def wait_until_ready(self) -> None:
        self.stack.wait_for("simulator", self.simulator_port, "/__sim/health")
        self.stack.wait_for("web", self.port, "/readyz")
        self.stack.wait_for("worker", self.port, "/readyz", '"worker": true')


@contextmanager
def own(home: Path) -> Iterator[Installation]:
    """An empty installation, not started yet; its log stays in `home`. Raises AlreadyRunning, DemoFailed."""
    folder = home / "installation"
    with Family(home / "running.json") as family, (home / "log").open("w", buffering=1) as log:
        clear(folder)
        folder.mkdir()
        make_database()
        try:
            yield Installation(family, folder, log)
        finally:
            family.end(PATIENCE_SECONDS)
            drop_database()
            clear(folder)


def clear(folder: Path) -> None:
    for left in (folder / "run").glob("*.json"):
        processes.end_leftovers(left)
    shutil.rmtree(folder, ignore_errors=True)


def beside(url: str) -> str:
    """The address of the demo's database, on the same server."""
    parts = urlsplit(url)
    return parts._replace(path=parts.path + SUFFIX).geturl()


def make_database() -> None:
    drop_database()
    on_server("CREATE DATABASE {}")


def drop_database() -> None:
    """Whoever still uses it has just been killed; the server needs a moment to see that."""
    on_server("DROP DATABASE IF EXISTS {}")


def on_server(statement: str) -> None:
    name = urlsplit(beside(settings.DATABASE_OWNER_URL)).path.strip("/")
    try:
        with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise DemoFailed(f"The demo's own database, {name}: {str(error).strip()}") from error
