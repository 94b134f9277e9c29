"""The public pages in a browser: nothing from elsewhere, no finding of axe by day, by night and on a phone, in every
language; the calculator agrees with the server to the last digit; and the way from the page to the console.
"""

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from evolink_saas.site import calculator, offers
from evolink_saas.templatetags.pages import credits
from evolink_saas.templatetags.prices import exact_dollars
from tests.browser.conftest import Window
from tests.browser.walking import SERIOUS, barriers

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

KLING_3 = "/models/kling-3"
PHONE = {"width": 390, "height": 844}
MOST_BYTES = 300_000
Agreed = tuple[list[list[object]], list[list[str | None]]]


@pytest.fixture
def served(prices: None, live_server: LiveServer) -> None:
    """The prices are there before a window opens."""


@pytest.fixture
def agreed(served: None) -> Agreed:
    """Every cell and length there is, and what the server makes of it."""
    asked: list[list[object]] = []
    expected: list[list[str | None]] = []
    for offer in offers.read(None).all:
        data, allowed = calculator.data(offer), calculator.lengths(offer.spec)
        for variant in offer.variants:
            for seconds in range(allowed.shortest, allowed.longest + 1, allowed.step):
                one = calculator.cost(variant, seconds)
                official = None if one.official_usd is None else exact_dollars(one.official_usd)
                asked.append([data, variant.row.cell, str(seconds)])
                expected.append([credits(one.credits), exact_dollars(one.usd), official])
    return asked, expected


@pytest.mark.parametrize("code", [code for code, _ in settings.LANGUAGES])
def test_nothing_stands_in_anybodys_way(served: None, window: Window, code: str) -> None:
    for scheme, size in (("light", None), ("dark", PHONE)):
        window.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if size:
            window.page.set_viewport_size(size)
        for path in (KLING_3, "/models", "/models/kling-o3-reference-to-video"):
            page = window.open(f"{path}?lang={code}")
            for details in page.locator(".questions details").all():
                details.evaluate("one => { one.open = true; }")
            assert barriers(page, (*SERIOUS, "moderate")) == [], (path, scheme)
    assert (window.strangers, window.complaints) == ([], [])


def test_the_script_and_the_server_agree_on_every_cell_and_length(agreed: Agreed, window: Window) -> None:
    asked, expected = agreed
    page = window.open(KLING_3)
    found = page.evaluate(
        """async (asked) => {
            const { cost, written } = await import("/static/site/calculator.js");
            return asked.map(([prices, cell, seconds]) => {
                const one = cost(prices, cell, seconds);
                const official = one.official === null ? null : "$" + written(one.official, 2);
                return [written(one.credits), "$" + written(one.usd, 2), official];
            });
        }""",
        asked,
    )
    assert len(found) > 42 and found == expected


def test_it_works_out_what_one_types(served: None, window: Window) -> None:
    page = window.open(KLING_3)
    page.fill("#seconds", "15")
    page.select_option("#quality", "1080p")
    page.select_option("#kind", "on")
    shown = page.locator("[data-sum]")
    assert "162 credits" in shown.inner_text() and "$2.25" in shown.inner_text()
    page.fill("#seconds", "2")
    assert "32.4 credits" in shown.inner_text() and "in seconds: 3" in shown.inner_text()
    page.fill("#seconds", "16")
    assert not shown.is_visible() and page.locator("[role=alert]").is_visible()
    page.locator("[data-slider]").fill("4")
    assert page.input_value("#seconds") == "4" and not page.locator("[role=alert]").is_visible()
    page.get_by_role("radio", name="Python").check()
    assert "urlopen" in page.locator(".program:visible").inner_text()
    assert window.complaints == []


def test_the_page_is_light(served: None, window: Window) -> None:
    sizes: dict[str, int] = {}
    window.page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    window.open(KLING_3)
    assert len(sizes) >= 5 and sum(sizes.values()) < MOST_BYTES, sizes


def test_it_works_without_a_script(served: None, window: Window) -> None:
    context = window.page.context.browser.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(window.url + KLING_3)
    page.fill("#seconds", "10")
    page.click("text=Work it out")
    assert "54 credits" in page.locator("[data-sum]").inner_text()
    page.get_by_role("radio", name="JavaScript").check()
    assert "await fetch" in page.locator(".program:visible").inner_text()
    context.close()


def test_the_language_is_switched_and_remembered(served: None, window: Window) -> None:
    page = window.open(KLING_3)
    page.locator("summary[aria-label=Language]").click()
    page.get_by_role("link", name="简体中文").click()
    page.wait_for_url("**lang=zh-hans**")
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    assert window.open("/models").locator("html").get_attribute("lang") == "zh-hans"
