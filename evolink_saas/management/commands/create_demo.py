"""`manage.py create_demo`: the demo organization, its logins and keys, and our accounts at the simulator."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from evolink_saas import demo
from generations import provider_accounts


class Command(BaseCommand):
    help = "Make or keep the demo organization; its secrets stand in var/demo.env. For development only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--simulator-url", help="Where the simulated upstream listens; without it, none is set up.")
        parser.add_argument("--simulator-key", default="demo", help="The API key we use there (%(default)s).")

    def handle(self, *, simulator_url: str | None, simulator_key: str, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("create_demo makes logins with known addresses: it runs with DEBUG=on only.")
        if simulator_url:
            provider_accounts.ensure_simulator_accounts(simulator_url, simulator_key)
        values = demo.create()
        self.stdout.write(f"Demo organization {demo.ORGANIZATION}: {values['EVOLINK_URL']}, secrets in {demo.file()}.")
