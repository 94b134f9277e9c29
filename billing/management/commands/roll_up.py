"""`manage.py roll_up`: roll up now what the job would, or some of it all over again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import ids
from accounts.models import Organization
from billing import provider_costs, report_rollups, rollups
from billing.models import Wallet


class Command(BaseCommand):
    help = "Roll up the transfers and provider costs that no roll-up holds yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", metavar="ORGANIZATION", help="Forget this one's roll-ups first (org_…).")
        parser.add_argument("--reports-again", action="store_true", help="Forget all roll-ups of reports first.")

    def handle(self, *, again: str | None, reports_again: bool, **options: Any) -> None:
        if again:
            identifier = ids.decode(Organization.PREFIX, again)
            if identifier is None or not Wallet.objects.filter(pk=identifier).exists():
                raise CommandError(f"No organization {again} has a wallet.")
            rollups.start_over(identifier)
            provider_costs.start_over(identifier)
        if reports_again:
            report_rollups.start_over()
        rolled, costs = rollups.roll_all(), provider_costs.roll_all()
        report_rollups.roll_all()
        if options["verbosity"]:
            self.stdout.write(f"Rolled up {rolled} transfers and {costs} provider costs.")
