"""All of a newcomer's way in one walk: sign-up, the code, a key, an element of two photographs, a video with it that is
watched, and the statement. The credits of the sign-up pay for just that.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from evolink_saas.demo_run import photos
from tests.browser.conftest import Window
from tests.browser.walking import DONE, choose, confirm, run, sign_up, until

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


def test_from_sign_up_to_a_video_and_the_statement(mails: Path, worker: None, tmp_path: Path, window: Window) -> None:
    frontal, other = photos.write(tmp_path)
    page = window.open("/account/signup/")
    sign_up(page, "Dora Films")
    confirm(page, mails)
    expect(page.locator(".figure dd").first).to_have_text("30")
    page.get_by_role("link", name="Create a key").click()
    page.get_by_label("Name").fill("production")
    page.get_by_role("button", name="Create the key").click()
    expect(page.locator("#secret")).to_contain_text("sk-")

    page.get_by_role("link", name="Elements").click()
    page.get_by_role("link", name="Open the playground").click()
    choose(page, "model_params.element_image_list.frontal_image", frontal)
    choose(page, "model_params.element_image_list.refer_images", other)
    page.get_by_label("Name").fill("Eileen")
    page.get_by_label("Description").fill("An astronaut in an orange suit")
    run(page)
    page.get_by_role("link", name="Use this element").click(timeout=DONE)

    choose(page, "image_start", frontal)
    page.locator("textarea[name=prompt]").fill("<<<element_1>>> waves")
    expect(page.locator("#price")).to_contain_text("27 credits")
    run(page)
    page.locator("#pane video").wait_for(timeout=DONE)
    page.evaluate("document.querySelector('#pane video').play()")
    until(page, "document.querySelector('#pane video').currentTime > 0.3")

    page.get_by_role("link", name="Billing").click()
    page.get_by_role("link", name="Statements").click()
    expect(page.locator("[data-label='Came in']")).to_have_text("30")
    expect(page.locator("[data-label='Went out']")).to_have_text("28")
    expect(page.locator("[data-label='Closing balance']")).to_have_text("2")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^PDF")).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    assert window.strangers == window.complaints == []
