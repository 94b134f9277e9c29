"""`manage.py create_organization NAME --owner EMAIL`: open a tenant with its owner, welcome credits and a first key."""

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts import keys
from accounts.errors import ApiError
from accounts.models import Scope
from billing import opening


class Command(BaseCommand):
    help = "Open an organization, and print its first API key, which is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="A login is made when there is none.")
        parser.add_argument(
            "--credits", type=Decimal, default=settings.WELCOME_CREDITS, help="Welcome credits (%(default)s)."
        )

    @transaction.atomic
    def handle(self, *, name: str, owner: str, credits: Decimal, **options: Any) -> None:
        try:
            validate_email(owner)
            organization = opening.open_organization(name, owner, credits)
        except (ValidationError, ApiError, ValueError) as refused:
            raise CommandError(getattr(refused, "message", str(refused))) from refused
        by = organization.memberships.get()
        _, secret = keys.create(organization, by=by, name="First key", scopes=list(Scope.values))
        self.stdout.write(f"Organization {organization.public_id} of {owner}, {credits} credits.")
        self.stdout.write(f"API key (shown this once): {secret}")
