"""Where it is measured: a database of its own beside the checkout's, a price book, customers, and a web server."""

import io
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from psycopg import sql

from accounts.models import ApiKey, Organization
from billing import opening
from evolink_saas import ports, stack
from generations.models import Attempt, ProviderAccount, Task
from tests.cast import give_key

PLENTY = Decimal(10**9)


@dataclass(frozen=True, kw_only=True)
class Customer:
    organization: Organization
    key: ApiKey
    secret: str

    def running_task(self) -> Task:
        """A task as it mostly is when its customer looks at it: at work at a provider."""
        task = self.organization.tasks.create(
            api_key=self.key,
            model="kling-v3-text-to-video",
            type=Task.Type.VIDEO,
            status=Task.Status.PROCESSING,
            inputs={"prompt": "A lighthouse at dusk"},
            metadata={"order": "4711"},
            video_duration=5,
            estimated_seconds=120,
            price={},
            billing_rule="per_second",
            user_group="default",
            reserved_credits=Decimal("27"),
            accepted_at=timezone.now(),
            deadline_at=timezone.now(),
        )
        account, upstream_id = ProviderAccount.objects.get(serves="live"), str(task.pk)
        task.attempts.create(number=1, account=account, state=Attempt.State.RUNNING, upstream_id=upstream_id)
        return task


def open_customers(count: int) -> list[Customer]:
    return [open_customer(uuid.uuid4().hex) for _ in range(count)]


def open_customer(name: str) -> Customer:
    organization = opening.open_organization(name, f"{name}@customer.example", PLENTY)
    key, secret = give_key(organization)
    return Customer(organization=organization, key=key, secret=secret)


def open_sandbox_customer(name: str) -> Customer:
    """One whose tasks go to the simulated upstreams, many at once."""
    twin = opening.open_sandbox(open_customer(name).organization, PLENTY)
    Organization.objects.filter(pk=twin.pk).update(running_limit=1000, queued_limit=1000)
    twin.refresh_from_db()
    key, secret = give_key(twin)
    return Customer(organization=twin, key=key, secret=secret)


def open_account() -> None:
    """An account as in production, at an upstream that is never called."""
    costs = {"kling-v3-text-to-video": {"720p_on": "0.05", "1080p_on": "0.06"}}
    account = ProviderAccount(
        name="upstream", alias="one", provider="kling", base_url="http://127.0.0.1:9", costs=costs
    )
    account.set_credentials({"api_key": "nobody's"})
    account.save()


@contextmanager
def database() -> Iterator[None]:
    """The benchmarks' own database, empty but for the prices and a provider account."""
    name = connection.settings_dict["NAME"]
    on_server("DROP DATABASE IF EXISTS {}", name)
    on_server("CREATE DATABASE {}", name)
    try:
        call_command("migrate", verbosity=0)
        call_command("load_price_book", stdout=io.StringIO())
        open_account()
        yield
    finally:
        connections.close_all()
        on_server("DROP DATABASE IF EXISTS {}", name)


@contextmanager
def twin() -> Iterator[str]:
    """A copy of the database as it is now; yields how to connect to it."""
    name = connection.settings_dict["NAME"]
    connections.close_all()
    on_server("DROP DATABASE IF EXISTS {}", name + "_twin")
    on_server("CREATE DATABASE {} TEMPLATE {}", name + "_twin", name)
    try:
        yield psycopg.conninfo.make_conninfo(settings.DATABASE_URL, dbname=name + "_twin")
    finally:
        on_server("DROP DATABASE IF EXISTS {}", name + "_twin")


@contextmanager
def server(log: Path) -> Iterator[int]:
    """The web server as `make run` starts it, logging as in production; yields its port."""
    port = ports.find_free()
    environment = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings", "LOG_FORMAT": "json", "DIE_WITH_PARENT": "1"}
    with log.open("wb") as file:
        command = [str(word) for word in stack.web(port)]
        process = subprocess.Popen(command, env=os.environ | environment, stdout=file, stderr=file)
        try:
            wait_until_ready(port, process)
            yield port
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    while not stack.answers(port, "/readyz", ""):
        if process.poll() is not None:
            raise RuntimeError("The web server ended at once.")
        time.sleep(0.1)


def on_server(statement: str, *names: str) -> None:
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        owner.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def on_database(statement: str, *values: object) -> None:
    """As the owner, in the benchmarks' database."""
    with psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner:
        owner.execute(statement, values)
