"""`manage.py record_costs`: write down what attempts cost that succeeded before costs were recorded."""

from typing import Any

from django.core.management.base import BaseCommand

from generations import costs


class Command(BaseCommand):
    help = "Record the provider costs that are missing (I23). Run it again freely."

    def handle(self, **options: Any) -> None:
        recorded = costs.record_missing()
        if options["verbosity"]:
            self.stdout.write(f"Recorded {recorded} provider costs.")
