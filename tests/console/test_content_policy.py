"""What a browser may do with our pages: nothing from elsewhere, no inline script, nobody's frame."""

import re

import pytest
from django.test import Client

from accounts.models import Role, User
from evolink_saas.console.pages import PAGES
from tests.cast import Person
from tests.console.signing import newcomer
from tests.console.visitors import joined

pytestmark = pytest.mark.django_db
FREE = ("/account/login/", "/account/signup/", "/account/password/reset/", "/status", "/invitations/x")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/)[^>]*>|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE
)
FOREIGN = re.compile(r"(?:src|href)=\"(?:https?:)?//", re.IGNORECASE)


def policy(client: Client, path: str) -> dict[str, str]:
    header = client.get(path)["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in header.split("; "))


@pytest.mark.parametrize("path", FREE)
def test_a_page_may_load_from_us_alone(path: str) -> None:
    found = policy(newcomer(), path)
    assert found["default-src"] == "'self'"
    assert "script-src" not in found and "style-src" not in found
    assert found["frame-ancestors"] == found["object-src"] == found["base-uri"] == "'none'"


def test_the_admin_and_the_docs_have_policies_of_their_own() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("olga@gateway.example", "correct horse battery"))
    assert policy(client, "/admin/")["script-src"] == "'self' 'unsafe-inline' 'unsafe-eval'"
    assert policy(client, "/docs")["script-src"] == "'self' 'unsafe-inline'"
    assert "script-src" not in policy(client, "/console/me")


def test_refusals_and_the_api_carry_it_too(alice: Person) -> None:
    for path in ("/console/org_x/", "/v1/credits", "/nowhere"):
        assert "default-src 'self'" in Client().get(path)["Content-Security-Policy"]


def test_no_page_has_what_the_policy_forbids(alice: Person) -> None:
    owner = joined(alice, Role.OWNER)
    paths = [owner.address(page.route) for page in PAGES if "<" not in page.route]
    for path in (*paths, *FREE, "/console/me", "/console/new", "/account/2fa/"):
        answer = owner.client.get(path) if path not in FREE else newcomer().get(path)
        if answer.status_code == 200 and not answer.streaming:
            page = answer.content.decode()
            assert INLINE.findall(page) == [], path
            assert FOREIGN.findall(page) == [], path
