"""/status in a browser: read by day, by night and on a phone, worked with the keyboard, and without any script."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from generations import catalog, health, jobs
from tests.browser.conftest import Window
from tests.cast import Person
from tests.generations.gateway import Steps

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]
MODEL = catalog.SPECS[0].id


@pytest.fixture
def looked_at(gateway: Steps, alice: Person, live_server: LiveServer) -> None:
    """Every model was looked at some minutes ago, and one has refused a request."""
    with time_machine.travel(timezone.now() - timedelta(minutes=3)):
        jobs.observe()
        health.note_refusal(alice.organization, MODEL)


def test_the_page_needs_no_other_host_and_nothing_complains(looked_at: None, window: Window) -> None:
    page = window.open("/status")
    assert page.locator("h1").inner_text() == "Status of the models"
    assert page.locator("time").first.inner_text().endswith("UTC")
    assert (window.strangers, window.complaints) == ([], [])


def test_an_empty_page_is_clear(live_server: LiveServer, window: Window) -> None:
    page = window.open("/status")
    assert "There are no figures yet." in page.locator("[role=status]").inner_text()
    assert page.locator("table").count() == 0


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_it_follows_day_and_night(looked_at: None, window: Window, scheme: str, is_dark: bool) -> None:
    window.page.emulate_media(color_scheme=scheme)
    page = window.open("/status")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [int(word) for word in ground.removeprefix("rgb(").removesuffix(")").split(",")]
    assert (sum(channels) < 3 * 64) == is_dark


@pytest.mark.parametrize("width", [320, 390, 800, 1217, 1400])
def test_nothing_is_wider_than_the_window(looked_at: None, window: Window, width: int) -> None:
    window.page.set_viewport_size({"width": width, "height": 900})
    page = window.open("/status")
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('.models').scrollWidth <= document.querySelector('main').clientWidth")


def test_the_keyboard_opens_the_figures_of_a_model(looked_at: None, window: Window) -> None:
    page = window.open("/status")
    figures = page.locator("table.figures").first
    assert not figures.is_visible()
    for _ in range(15):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.status summary')"):
            break
    page.keyboard.press("Enter")
    assert figures.is_visible()
    assert "Last 30 days" in figures.inner_text()


def test_it_works_without_javascript(looked_at: None, window: Window) -> None:
    context = window.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(window.url + "/status")
    assert page.locator(".name").count() == len(catalog.SPECS)
    page.locator("summary").first.click()
    assert page.locator("table.figures").first.is_visible()
    context.close()
