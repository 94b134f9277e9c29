"""The cast of the books: alice's organization with an empty wallet, one of her keys, and charlie's organization."""

import secrets
from decimal import Decimal

import pytest

from accounts import ids
from accounts.models import ApiKey, KeyBudget, Organization, UserGroup
from billing import ledger


def organization(name: str) -> Organization:
    group, _ = UserGroup.objects.get_or_create(name="default")
    made = Organization.objects.create(name=name, user_group=group)
    ledger.open_wallet(made)
    return made


def api_key(owner: Organization, *, total: Decimal | None = None, daily: Decimal | None = None) -> ApiKey:
    budget = KeyBudget.objects.create(organization=owner, total_limit=total, daily_limit=daily)
    return ApiKey.objects.create(
        organization=owner, budget=budget, name=f"key {ids.new()}", digest=secrets.token_bytes(32), hint="sk-…"
    )


@pytest.fixture
def alice(db: None) -> Organization:
    return organization("Alice's films")


@pytest.fixture
def charlie(db: None) -> Organization:
    return organization("Charlie's clips")


@pytest.fixture
def alices_key(alice: Organization) -> ApiKey:
    return api_key(alice)
