"""People who look at pages: signed in, or not."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts import members
from accounts.models import Membership, Organization, Role
from tests.cast import Person


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody's browser, without scripts, in one organization. Paths are those below the organization's."""

    client: Client
    organization: Organization

    def get(self, path: str = "", **query: Any) -> HttpResponse:
        return self.client.get(self.address(path), query)

    def post(self, path: str, **fields: Any) -> HttpResponse:
        """Post a form and follow to where it leads."""
        return self.client.post(self.address(path), fields, follow=True)

    def address(self, path: str = "") -> str:
        return f"/console/{self.organization.public_id}/{path}"


def visitor(membership: Membership, organization: Organization | None = None) -> Visitor:
    client = Client(headers={"accept-language": "en"})
    client.force_login(membership.user)
    return Visitor(client=client, organization=organization or membership.organization)


def joined(person: Person, role: Role) -> Visitor:
    """A further member of the person's organization."""
    return visitor(members.add(person.organization, f"{role.value}@acme.example", role))
