"""A newcomer's way in a browser: sign-up, the code from the mail folder, a key, two-factor, out and in again; and an
invitation that is accepted. In both languages, by day and night, on a phone."""

import time
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import invitations, keys
from accounts.models import Role
from tests.browser.conftest import Window
from tests.browser.walking import DORA, PASSWORD, barriers, confirm, sign_up
from tests.cast import Person

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def invitation(alice: Person, settings: Settings, live_server: LiveServer) -> str:
    """The link of one for dora."""
    settings.PUBLIC_URL = live_server.url
    made = invitations.invite(alice.organization, DORA, Role.DEVELOPER, by=alice.membership, language="en")
    return invitations.link(made)


@pytest.fixture
def resume_link(alice: Person, settings: Settings, live_server: LiveServer) -> str:
    """What an e-mail about a paused key links to."""
    settings.PUBLIC_URL = live_server.url
    paused_at = timezone.now()
    with transaction.atomic():
        keys.pause(alice.key, paused_at)
    return keys.resume_link(alice.key.pk, paused_at)


def totp(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))


def is_fine(page: Page) -> None:
    """By day and by night, axe finds nothing serious, and nothing is wider than the window."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert barriers(page) == [], page.url
    page.emulate_media(color_scheme="light")


def test_from_sign_up_to_a_key_and_back_in_with_two_factors(mails: Path, window: Window) -> None:
    page = window.open("/account/signup/")
    is_fine(page)
    sign_up(page, "Dora Films")
    is_fine(page)
    confirm(page, mails)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    is_fine(page)

    page.get_by_role("link", name="Create a key").click()
    page.get_by_label("Name").fill("production")
    is_fine(page)
    page.get_by_role("button", name="Create the key").click()
    secret_key = page.locator("#secret").inner_text()
    is_fine(page)

    window.open("/account/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    secret = page.locator("#totp-secret").inner_text()
    is_fine(page)
    page.get_by_label("Code").fill(totp(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    is_fine(page)

    window.open("/console/")
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail address").fill(DORA)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    is_fine(page)
    page.get_by_label("Code").fill(totp_after(secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert window.strangers == window.complaints == []
    headers = {"authorization": f"Bearer {secret_key}"}
    assert page.request.get(f"{window.url}/v1/credits", headers=headers).status == 200


def totp_after(secret: str) -> str:
    """The code after the one that was used: the server takes one that is half a minute early."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + 1))


def test_an_invited_person_signs_up_on_a_phone_and_joins(mails: Path, invitation: str, window: Window) -> None:
    page = window.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(invitation)
    expect(page.get_by_role("heading", name="Join Acme")).to_be_visible()
    is_fine(page)
    page.get_by_role("link", name="Sign up and accept").click()
    expect(page.get_by_label("E-mail address")).to_have_value(DORA)
    expect(page.get_by_label("Organization")).to_have_count(0)
    sign_up(page)
    confirm(page, mails)
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page.get_by_text("Welcome to Acme.")).to_be_visible()
    is_fine(page)
    for name in ("API keys", "Members", "Settings"):
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        is_fine(page)
    assert window.strangers == window.complaints == []


def test_the_link_of_an_e_mail_lets_a_paused_key_work_again(resume_link: str, window: Window) -> None:
    page = window.page
    page.goto(resume_link)
    is_fine(page)
    page.get_by_role("button", name="Let it work again").click()
    expect(page.get_by_text("It works: this pause is over.")).to_be_visible()
    assert window.complaints == []


def test_a_visitor_switches_the_language(window: Window) -> None:
    page = window.open("/account/login/")
    page.get_by_text("English").first.click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    is_fine(page)
    assert window.complaints == []
