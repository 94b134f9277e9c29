"""The admin in a browser: operators get in and see a task's story, owners of organizations do not."""

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from generations.models import Task
from tests.browser.conftest import Window
from tests.browser.walking import barriers
from tests.cast import Person
from tests.generations.gateway import Steps, ask

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

OPERATOR = "olga@gateway.example"
PASSWORD = "correct horse battery staple"
LINK_COLOUR = "getComputedStyle(document.querySelector('.row-link')).color"


@pytest.fixture
def film(gateway: Steps, alice: Person, live_server: LiveServer, settings: Settings) -> Task:
    """A finished task, and an operator who may look at it."""
    settings.PUBLIC_URL = live_server.url
    User.objects.create_superuser(OPERATOR, PASSWORD)
    return gateway.until(ask(alice), "completed")


@pytest.fixture
def owner(alice: Person) -> User:
    """Alice with a password."""
    user = alice.membership.user
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def sign_in(window: Window, email: str) -> Page:
    page = window.open("/admin/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    return page


def test_an_operator_signs_in_and_opens_a_task(film: Task, window: Window) -> None:
    sign_in(window, OPERATOR)
    page = window.open("/admin/generations/task/")
    page.get_by_role("link", name=film.public_id).first.click()
    page.wait_for_load_state("networkidle")
    story = page.content()
    assert film.public_id in story
    assert "completed" in page.locator("body").inner_text().lower()
    assert window.strangers == []
    assert window.complaints == []


def test_an_owner_is_not_let_in(owner: User, window: Window) -> None:
    page = sign_in(window, owner.email)
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    assert window.open("/admin/generations/task/").url.startswith(f"{window.url}/admin/login/")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 390)])
def test_the_dashboard_can_be_read_by_everybody(film: Task, window: Window, scheme: Any, width: int) -> None:
    window.page.emulate_media(color_scheme=scheme)
    window.page.set_viewport_size({"width": width, "height": 900})
    page = sign_in(window, OPERATOR)
    expect(page.get_by_role("heading", name="Money today")).to_be_visible()
    assert barriers(page) == []
    assert (window.strangers, window.complaints) == ([], [])


def test_reports_and_the_audit_log_are_taken_away_as_files(film: Task, window: Window) -> None:
    page = sign_in(window, OPERATOR)
    window.open("/admin/reports/")
    for kind, said in (("CSV", " lines"), ("XLSX", "so far")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=kind, exact=True).first.click()
        assert waiting.value.suggested_filename.startswith("sales-")
        assert said in str(page.locator("[data-downloading] span").text_content())
    sheet = load_workbook(io.BytesIO(Path(waiting.value.path()).read_bytes())).active
    assert next(row[0] for row in sheet.iter_rows(values_only=True)) == "month"
    window.open("/admin/accounts/auditentry/")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download these entries as CSV").click()
    assert waiting.value.suggested_filename == "audit-log.csv"
    assert page.locator("[data-downloading-news]").text_content() == "audit-log.csv was saved."
    light = page.evaluate(LINK_COLOUR)
    page.evaluate("document.documentElement.classList.add('dark')")
    assert light != page.evaluate(LINK_COLOUR)
    assert (window.strangers, window.complaints) == ([], [])
