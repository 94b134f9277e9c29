"""Every page of the console, asked as every role, as a stranger and as nobody. A new page of `pages.PAGES` is asked by
itself; one whose address has a part that is not known here fails until it stands in `PARTS`.
"""

import re
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import members, roles
from accounts.models import Membership, Organization, Role
from accounts.roles import Act
from evolink_saas.console.pages import PAGES, Page
from tests.cast import Person
from tests.console.visitors import joined, visitor

NOT_THERE = {"int": "999999999", "str": "00000000000000000000000000", "uuid": "01890000-0000-7000-8000-000000000000"}
"""Parts of addresses that fit and name nothing: what is left to see is whether the door opens."""
PART = re.compile(r"<(?:(\w+):)?\w+>")
ALLOWED = {200, 201, 302, 400, 404, 405}
"""What a page may say to whoever is let in: it may want a form, or find no such row."""


def path_of(page: Page) -> str:
    return PART.sub(lambda part: NOT_THERE[part.group(1) or "str"], page.route)


def asked(client: Client, organization: Organization, page: Page) -> list[HttpResponse]:
    """The page's answers to looking and to an empty form."""
    address = f"/console/{organization.public_id}/{path_of(page)}"
    return [client.get(address), client.post(address)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_opens_for_the_roles_of_its_act_and_no_other(page: Page, alice: Person) -> None:
    for role in Role:
        person = joined(alice, role)
        allowed = roles.may(Membership(role=role), page.act)
        statuses = {answer.status_code for answer in asked(person.client, alice.organization, page)}
        assert statuses <= ALLOWED if allowed else statuses == {403}, (role, statuses)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_stranger_finds_nothing_and_nobody_is_asked_to_sign_in(page: Page, alice: Person, charlie: Person) -> None:
    stranger = visitor(charlie.membership, alice.organization)
    assert {answer.status_code for answer in asked(stranger.client, alice.organization, page)} == {404}
    for answer in asked(Client(), alice.organization, page):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/login/?next=/console/org_")


def test_every_page_has_its_own_name_and_address() -> None:
    assert len({page.name for page in PAGES}) == len({page.route for page in PAGES}) == len(PAGES)


def test_whatever_changes_something_is_no_mere_look(alice: Person) -> None:
    """A viewer's pages change nothing: what they may post is to leave."""
    viewer = joined(alice, Role.VIEWER)
    readable = [page for page in PAGES if page.act == Act.READ and not PART.search(page.route)]
    posted = {page.name: viewer.client.post(viewer.address(page.route)).status_code for page in readable}
    assert posted.pop("member-leave") == 302
    assert not alice.organization.memberships.filter(role=Role.VIEWER).exists()


def test_an_organization_that_does_not_exist_is_not_there(alice: Person) -> None:
    client = visitor(alice.membership).client
    for name in ("org_00000000000000000000000000", "org_x", "x"):
        assert client.get(f"/console/{name}/").status_code == 404


@pytest.mark.parametrize("end", [lambda one: members.remove(one), lambda one: members.leave(one)])
def test_whoever_is_no_member_any_more_is_out_at_once(
    end: Callable[[Membership], None], alice: Person, bob: Person
) -> None:
    page = visitor(bob.membership)
    assert page.get().status_code == 200
    end(alice.organization.memberships.get(pk=bob.membership.pk))
    assert page.get().status_code == 404


def test_the_members_of_an_organization_are_those_of_its_sandbox(alice: Person, charlie: Person) -> None:
    owner = visitor(alice.membership)
    opened = owner.post("sandbox")
    twin = Organization.objects.get(sandbox_of=alice.organization)
    assert opened.redirect_chain[-1][0] == f"/console/{twin.public_id}/"
    assert "Sandbox: test credits" in opened.content.decode()
    assert joined(alice, Role.VIEWER).client.get(f"/console/{twin.public_id}/").status_code == 200
    assert visitor(charlie.membership, twin).get().status_code == 404
