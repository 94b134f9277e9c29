"""`manage.py grow_year`: fill an empty database with a year of a million tasks, to measure and to look at."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from psycopg import sql

from evolink_saas import roles
from evolink_saas.year import growing

BAR = 30


class Command(BaseCommand):
    help = "Grow a year of customers, tasks, attempts and books in an empty database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tasks", type=int, default=1_000_000, help="(%(default)s)")
        parser.add_argument("--organizations", type=int, help="live ones; their number follows from the tasks")
        parser.add_argument("--days", type=int, default=365, help="that the year has, up to now (%(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same year (%(default)s)")
        parser.add_argument("--database", metavar="NAME", help="make a database of that name first, and use it")

    def handle(
        self, *, tasks: int, organizations: int | None, days: int, seed: int, database: str | None, **options: Any
    ) -> None:
        if tasks < 1 or days < 1:
            raise CommandError("A year has at least one task and one day.")
        if database:
            self._make(database)
        plan = growing.planned(tasks, days=days, organizations=organizations, seed=seed)
        bar = Bar(tasks, options["verbosity"] > 0)
        try:
            growing.grow(plan, bar.tell)
        except growing.NotEmpty as refusal:
            raise CommandError(str(refusal)) from refusal
        bar.end()
        where = connection.settings_dict["NAME"]
        self.stdout.write(f"{tasks:,} tasks of {plan.customers} organizations are in the database {where}.")

    def _make(self, name: str) -> None:
        """An empty database beside the one of DATABASE_URL, with our tables."""
        with roles.as_owner(connection), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone():
                raise CommandError(f"There is a database {name} already.")
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.close()
        connection.settings_dict["NAME"] = name
        call_command("migrate", verbosity=0)
        self.stdout.write(f"Made the database {name} on the server of {settings.DATABASE_URL.rpartition('@')[2]}.")


class Bar:
    """How far it is, on one line of a terminal; elsewhere a line at each tenth."""

    def __init__(self, whole: int, shown: bool) -> None:
        self.whole, self.shown, self.began, self.told = whole, shown, time.monotonic(), ""

    def tell(self, done: int, what: str) -> None:
        seconds = time.monotonic() - self.began
        share = done / self.whole
        bar = ("#" * int(BAR * share)).ljust(BAR, ".")
        line = f"[{bar}] {done:,} of {self.whole:,} tasks, {seconds:.0f} s, {what}"
        if not self.shown:
            return
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line:<100}")
        elif self.told != (told := f"{int(10 * share)} {what}"):
            self.told = told
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self.shown and sys.stderr.isatty():
            sys.stderr.write("\n")
