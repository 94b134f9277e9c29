"""Long names, long addresses, very big numbers: nothing is cut off, broken in two or squeezed to one letter a line."""

from decimal import Decimal

import pytest

from accounts import invitations, keys
from accounts.models import Role
from billing import ledger
from tests.billing.books import reserve
from tests.browser.conftest import Window
from tests.browser.walking import barriers
from tests.cast import Person

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

PAGES = ("", "keys", "members", "billing", "billing/movements", "billing/statements", "usage")
BROKEN = """() => [
  ...[...document.querySelectorAll(".figure dd:not(.note)")].filter((one) =>
    one.offsetHeight > 1.8 * parseFloat(getComputedStyle(one).fontSize)),
  ...[...document.querySelectorAll(".table tbody :is(th, td), .button")].filter((one) =>
    one.checkVisibility() && one.innerText.trim() && one.offsetWidth < 40),
  ...[...document.querySelectorAll(".card.flush")].filter((one) => one.scrollWidth > one.clientWidth),
].map((one) => `${one.className}: ${one.innerText.slice(0, 80)} ${one.scrollWidth}/${one.clientWidth}`)"""
"""Figures on two lines, squeezed cells and buttons, tables that must be scrolled."""


@pytest.fixture
def home(alice: Person) -> str:
    organization, member = alice.organization, alice.membership
    ledger.top_up(organization, Decimal("123456789.1234"), reference="big")
    ledger.capture(reserve(organization, Decimal("1234567.5")).pk)
    keys.create(organization, by=member, name="production backend of the film studio in Shanghai, blue/green")
    long = "a.very.long.address.of.somebody.new@subsidiary.of.a.large.company.example"
    invitations.invite(organization, long, Role.ADMIN, by=member, language="en")
    return f"/console/{organization.public_id}/"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everything_fits(home: str, alice_window: Window, language: str, width: int) -> None:
    page = alice_window.page
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.context.add_cookies([{"name": "django_language", "value": language, "url": alice_window.url}])
    found = {}
    for path in PAGES:
        alice_window.open(f"{home}{path}")
        found[path] = page.evaluate(BROKEN) + barriers(page)
    assert {path: what for path, what in found.items() if what} == {}
