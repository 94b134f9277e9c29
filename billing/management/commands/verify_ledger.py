"""`manage.py verify_ledger`: run the auditor now. Unclean books: a table of findings, and exit status 1."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import ids
from accounts.models import Organization
from billing import audit
from billing.models import AuditRun, Wallet

COLUMNS = ("invariant", "subject", "problem")


def audit_organization(text: str) -> AuditRun:
    """Audit the one organization with this id (`org_…`)."""
    identifier = ids.decode(Organization.PREFIX, text)
    wallets = Wallet.objects.filter(pk=identifier)
    if identifier is None or not wallets.exists():
        raise CommandError(f"No organization {text} has a wallet.")
    return audit.run(f"wallet of {text}", wallets)


class Command(BaseCommand):
    help = "Check the invariants of the ledger and freeze wallets that fail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument("--organization", help="Only this one's wallet (org_…).")
        scope.add_argument("--changed", action="store_true", help="Only what changed since it was last found clean.")

    def handle(self, *, organization: str | None, changed: bool, **options: Any) -> None:
        if organization:
            run = audit_organization(organization)
        else:
            run = audit.audit_changed() if changed else audit.audit_all()
        self.stdout.write(f"Audit {run.pk}, {run.scope}: {run.wallets} wallets, {len(run.findings)} findings.")
        if run.findings:
            rows = [COLUMNS, *(tuple(finding[name] for name in COLUMNS) for finding in run.findings)]
            widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
            for row in rows:
                self.stdout.write(
                    "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
                )
            sys.exit(1)
