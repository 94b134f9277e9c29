"""The cast: alice owns an organization, bob is a developer in it, charlie owns another and is a stranger to theirs."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from rest_framework.test import APIClient

from accounts import keys, members, organizations
from accounts.models import ApiKey, Membership, Organization, Role, Scope
from billing import ledger

ALL_SCOPES = tuple(Scope.values)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member with a key that may do everything, and a client that calls with it."""

    membership: Membership
    key: ApiKey
    secret: str
    client: APIClient

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    def key_with(self, *scopes: str, **rights: object) -> tuple[ApiKey, str]:
        """Another key of the organization, given by its owner."""
        return give_key(self.organization, scopes, **rights)

    def client_with(self, *scopes: str, **rights: object) -> APIClient:
        return client_for(self.key_with(*scopes, **rights)[1])


def client_for(secret: str | None) -> APIClient:
    """A client that calls with this key, or without any."""
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    if secret is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def owner_of(organization: Organization) -> Membership:
    live = organization.sandbox_of or organization
    return live.memberships.get(role=Role.OWNER)


def give_key(organization: Organization, scopes: Iterable[str] = ALL_SCOPES, **rights: object) -> tuple[ApiKey, str]:
    name = "+".join(scopes) or "all"
    return keys.create(organization, by=owner_of(organization), name=name[:80], scopes=list(scopes), **rights)


def person(membership: Membership) -> Person:
    key, secret = give_key(membership.organization)
    return Person(membership=membership, key=key, secret=secret, client=client_for(secret))


def organization_of(name: str, email: str) -> Organization:
    """A new organization with its owner and an empty wallet."""
    made = organizations.create(name, email)
    ledger.open_wallet(made)
    return made


@pytest.fixture
def alice(db: None) -> Person:
    """The owner of Acme."""
    return person(owner_of(organization_of("Acme", "alice@acme.example")))


@pytest.fixture
def bob(alice: Person) -> Person:
    """A developer in alice's organization."""
    return person(members.add(alice.organization, "bob@acme.example", Role.DEVELOPER))


@pytest.fixture
def charlie(db: None) -> Person:
    """A stranger: the owner of another organization."""
    return person(owner_of(organization_of("Zenith", "charlie@zenith.example")))


@pytest.fixture
def anyone() -> APIClient:
    """A client without a key."""
    return client_for(None)
