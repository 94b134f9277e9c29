"""/docs in a browser: every operation is there, and it works without the internet."""

import pytest

from tests.browser.conftest import Window
from tests.routes import operations

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


def test_the_docs_show_every_operation_and_need_no_other_host(window: Window) -> None:
    page = window.open("/docs")
    page.wait_for_selector(".opblock")
    shown = {
        (block.locator(".opblock-summary-method").inner_text(), block.locator(".opblock-summary-path").inner_text())
        for block in page.locator(".opblock").all()
    }
    assert {(method, path.replace("\u200b", "")) for method, path in shown} == set(operations())
    assert window.strangers == []
    assert window.complaints == []


def test_an_operation_opens_and_shows_its_examples(window: Window) -> None:
    page = window.open("/docs")
    page.locator(".opblock-summary-path", has_text="generations").first.click()
    page.wait_for_selector(".opblock.is-open .opblock-body")
    assert "kling-v3-text-to-video" in page.locator(".opblock.is-open").inner_text()
    assert window.complaints == []
