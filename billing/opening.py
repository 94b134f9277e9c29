"""An organization opened with its wallet and its first credits; the one way in for commands and sign-up."""

from decimal import Decimal

from django.db import transaction

from accounts import organizations
from accounts.models import Organization
from billing import ledger
from billing.models import CreditLot


@transaction.atomic
def open_organization(name: str, owner_email: str, credits: Decimal) -> Organization:
    """A new organization of this owner with `credits` as a welcome; 0 gives none."""
    organization = organizations.create(name, owner_email)
    _welcome(organization, credits, "Welcome credits")
    return organization


@transaction.atomic
def open_sandbox(organization: Organization, credits: Decimal) -> Organization:
    """The organization's sandbox twin, with test credits the first time."""
    twin = organizations.sandbox_twin(organization)
    _welcome(twin, credits, "Test credits")
    return twin


def _welcome(organization: Organization, credits: Decimal, reason: str) -> None:
    ledger.open_wallet(organization)
    if credits:
        reference = f"welcome:{organization.public_id}"
        ledger.grant(organization, credits, kind=CreditLot.Kind.PROMO, reference=reference, reason=reason)
