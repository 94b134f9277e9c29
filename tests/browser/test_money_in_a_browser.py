"""Pages about money in a browser: usage, buying, a voucher, a statement, a callback; by day, by night, on a phone."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing import ledger
from generations import webhooks
from generations.models import Delivery
from tests.billing.books import give, reserve
from tests.billing.operators import batch
from tests.browser.conftest import Window
from tests.browser.walking import barriers
from tests.cast import Person
from tests.generations.receivers import Receiver, receiver
from tests.stripe_peer.server import Peer

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]
PAGES = (
    *("usage", "usage?group_by=model", "billing", "billing/movements", "billing/top-ups", "billing/auto-recharge"),
    *("billing/statements", "billing/limits", "callbacks"),
)
LOOKS = (("light", 1400), ("dark", 1400), ("light", 390))


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Alice's organization with something on every page, a voucher for it, and where its callbacks go."""

    home: str
    voucher: str
    hooks: Receiver
    stripe: Peer


@pytest.fixture
def shop(
    alice: Person, stripe_peer: Peer, live_server: LiveServer, settings: Settings, authority: trustme.CA
) -> Iterator[Shop]:
    settings.TOP_UP_RETURN_URL = f"{live_server.url}/console/billing"
    stripe_peer.webhook_url = f"{live_server.url}/webhooks/stripe"
    give(alice.organization, 100, expires_at=timezone.now() + timedelta(days=7))
    task = reserve(alice.organization, Decimal(30), api_key=alice.key, model="kling-v3-text-to-video")
    ledger.capture(task.pk, Decimal(27))
    _, [code] = batch(credits=Decimal("12.5"))
    with receiver(authority) as hooks:
        yield Shop(home=f"/console/{alice.organization.public_id}/", voucher=code, hooks=hooks, stripe=stripe_peer)


def deliver_all() -> None:
    """What a worker does, in a thread of its own: beside an open browser Django refuses the database."""

    def work() -> None:
        for delivery in Delivery.objects.filter(state=Delivery.State.DUE):
            webhooks.deliver(str(delivery.pk))
        connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(work).result()


def test_from_the_figures_to_a_paid_top_up(shop: Shop, alice_window: Window) -> None:
    window, page = alice_window, alice_window.open(f"{shop.home}usage")
    assert page.locator("svg.chart .bar").count() == 1
    assert page.locator("tfoot td[data-label=Used]").inner_text() == "27"
    page.get_by_label("Group by").select_option("model")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody th").inner_text() == "kling-v3-text-to-video"
    with page.expect_download() as file:
        page.get_by_role("link", name="Download CSV").click()
    assert len(Path(file.value.path()).read_text().splitlines()) == 2
    assert page.locator("[data-downloading] span").text_content() == "2 of 2 lines"

    page.route(f"{shop.stripe.url}/**", lambda route: route.continue_())
    page.get_by_role("link", name="Billing").click()
    page.get_by_label("$10 — 720 credits").check()
    page.get_by_role("button", name="Go to payment").click()
    page.wait_for_url(f"{shop.stripe.url}/pay/**")
    page.get_by_role("button", name="Pay", exact=True).click()
    page.wait_for_url(f"**{shop.home}billing")
    assert page.locator(".figure dd").first.inner_text() == "793"
    assert page.locator(".badge", has_text="paid").count() == 1
    assert (window.strangers, window.complaints) == ([], [])


def test_a_voucher_and_a_statement(shop: Shop, alice_window: Window, tmp_path: Path) -> None:
    window, page = alice_window, alice_window.open(f"{shop.home}billing")
    page.get_by_label("Voucher code").fill(shop.voucher)
    page.keyboard.press("Enter")
    page.get_by_text("12.5 credits were added.").wait_for()
    page.get_by_role("link", name="Statements").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="PDF").first.click()
    waiting.value.save_as(tmp_path / "statement.pdf")
    assert (tmp_path / "statement.pdf").read_bytes().startswith(b"%PDF-")
    for kind in ("CSV", "JSON"):
        link = page.get_by_role("link", name=kind).first
        with page.expect_download() as waiting:
            link.click()
        waiting.value.save_as(tmp_path / kind)
        assert waiting.value.suggested_filename.endswith(f"-provisional.{kind.lower()}")
        assert page.locator("[data-downloading] span").text_content() == "3 of 3 lines"
        assert page.locator("[data-downloading]").is_hidden()
    assert len((tmp_path / "CSV").read_text().splitlines()) == 3 + 3  # the header and both balances
    assert len(json.loads((tmp_path / "JSON").read_text())["data"]) == 3
    assert (window.strangers, window.complaints) == ([], [])


SLOW = """() => {
  window.fetch = async (address, { signal }) => new Response(new ReadableStream({
    start(stream) {
      stream.enqueue(new TextEncoder().encode("a line\\nand a half"));
      signal.addEventListener("abort", () => stream.error(signal.reason));
    },
  }), { headers: { "Content-Disposition": 'attachment; filename="slow.csv"' } });
}"""


def test_a_slow_download_says_how_far_it_is_and_can_be_cancelled(shop: Shop, alice_window: Window) -> None:
    window, page = alice_window, alice_window.open(f"{shop.home}billing/statements")
    csv = page.get_by_role("link", name="CSV").first
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(SLOW)
    csv.click()
    said = page.get_by_text("1 of 2 lines")
    said.wait_for()
    assert page.locator("[data-downloading] progress").get_attribute("value") == "1"
    assert barriers(page) == []
    with page.expect_download() as second:  # meanwhile another is the browser's own affair
        page.get_by_role("link", name="JSON").first.click()
    assert second.value.suggested_filename.endswith(".json")
    page.get_by_role("button", name="Cancel").click()
    said.wait_for(state="hidden")
    assert page.locator("[data-downloading-news]").text_content() == "Cancelled."
    page.evaluate("() => { window.fetch = async () => { throw new TypeError('no connection') } }")
    with page.expect_download() as plain:  # what cannot be fetched is a plain download
        csv.click()
    assert plain.value.suggested_filename.endswith(".csv")
    assert (window.strangers, window.complaints) == ([], [])


def test_a_test_callback_turns_delivered_before_ones_eyes(shop: Shop, alice_window: Window) -> None:
    window, page = alice_window, alice_window.open(f"{shop.home}callbacks")
    page.get_by_label("Address").fill(shop.hooks.url)
    page.get_by_role("button", name="Send the test").click()
    page.locator(".badge", has_text="on its way").wait_for()
    deliver_all()
    page.locator(".badge", has_text="delivered").wait_for()
    assert page.get_by_text("HTTP 200").is_visible() and len(shop.hooks.messages) == 1
    page.get_by_role("link", name="Callbacks").first.click()
    page.get_by_role("button", name="Show the secret").click()
    assert page.locator("#secret").inner_text().startswith("whsec_")
    assert (window.strangers, window.complaints) == ([], [])


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_can_be_read_by_everybody(shop: Shop, alice_window: Window, scheme: Any, width: int) -> None:
    page = alice_window.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    found = {}
    for path in PAGES:
        alice_window.open(f"{shop.home}{path}")
        found[path] = barriers(page)
    assert found == {path: [] for path in PAGES}
    assert alice_window.complaints == []
