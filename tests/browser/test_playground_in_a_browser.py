"""The playground in a browser, with the real worker and the simulator: an element of two photographs, a video with it,
an element of a video, an empty balance, and a failed task with its refund.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from evolink_saas.demo_run import photos
from tests.browser.conftest import Window
from tests.browser.walking import DONE, barriers, choose, run, until
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, ask

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def organization(alice: Person) -> str:
    return f"/console/{alice.organization.public_id}"


@pytest.fixture
def talking(tmp_path: Path) -> Path:
    """Five seconds of a face."""
    return film(tmp_path / "talking.mp4", seconds=5, pictures=[PHOTOS / "astronaut.png"], sound=True)


@pytest.fixture
def poor(gateway: Steps, alice: Person) -> None:
    """What alice has is reserved but for 190 of her 1,000 credits."""
    for _ in range(2):
        ask(alice, duration=15, quality="4k")


def answer(page: Page, value: str) -> None:
    """Choose one of a few."""
    page.locator(f'input[type=radio][value="{value}"]').check()


def test_two_photographs_become_an_element_and_the_element_a_video(
    worker: None, organization: str, tmp_path: Path, alice_window: Window
) -> None:
    frontal, other = photos.write(tmp_path)
    page = alice_window.open(f"{organization}/playground?model=kling-custom-element")
    choose(page, "model_params.element_image_list.frontal_image", frontal)
    choose(page, "model_params.element_image_list.refer_images", other)
    page.get_by_label("Name").fill("Eileen")
    page.get_by_label("Description").fill("An astronaut in an orange suit")
    expect(page.locator("#price")).to_contain_text("1 credit")
    page.get_by_role("tab", name="Request as code").click()
    expect(page.locator("#code-curl")).to_contain_text('"element_name": "Eileen"')
    run(page)
    page.get_by_role("link", name="Use this element").click(timeout=DONE)

    expect(page.locator(".element input:checked")).to_have_count(1)
    choose(page, "image_start", frontal)
    page.locator("textarea[name=prompt]").fill("waves: ")
    page.get_by_role("button", name="+ Element 1").click()
    expect(page.locator("textarea[name=prompt]")).to_have_value("waves: <<<element_1>>>")
    answer(page, "1080p")
    expect(page.locator("#price")).to_contain_text("35.991 credits")
    run(page)
    video = page.locator("#pane video")
    video.wait_for(timeout=DONE)
    until(page, "document.querySelector('#pane video').readyState >= 1")
    assert page.evaluate("document.querySelector('#pane video').duration") == pytest.approx(5, abs=0.2)
    page.evaluate("document.querySelector('#pane video').play()")
    until(page, "document.querySelector('#pane video').currentTime > 0.3")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".mp4")

    page.reload()
    expect(page.locator("#history")).to_contain_text("2 finished")
    page.get_by_role("link", name="waves").click()
    expect(page.get_by_role("link", name="Run again")).to_be_visible()
    page.get_by_role("link", name="Run again").click()
    expect(page.locator("textarea[name=prompt]")).to_have_value("waves: <<<element_1>>>")
    assert (alice_window.strangers, alice_window.complaints) == ([], [])


def test_a_video_becomes_an_element_with_a_voice(
    worker: None, organization: str, talking: Path, alice_window: Window
) -> None:
    page = alice_window.open(f"{organization}/playground?model=kling-custom-element")
    expect(page.get_by_label("Voice")).to_be_hidden()
    answer(page, "video_refer")
    expect(page.get_by_text("Frontal view")).to_be_hidden()
    choose(page, "model_params.element_video_list.video_url", talking)
    page.get_by_label("Voice").select_option(index=1)
    page.get_by_label("Name").fill("Anchor")
    page.get_by_label("Description").fill("A woman who reads the news")
    run(page)
    expect(page.get_by_role("heading", name="Anchor")).to_be_visible(timeout=DONE)
    expect(page.locator("#pane")).to_contain_text("completed")
    assert alice_window.complaints == []


def test_what_is_wrong_stands_beside_its_field_and_a_failure_gives_everything_back(
    worker: None, organization: str, tmp_path: Path, alice_window: Window
) -> None:
    small = tmp_path / "small.txt"
    small.write_text("no picture")
    page = alice_window.open(f"{organization}/playground?model=kling-v3-image-to-video")
    start = page.locator('[data-field="image_start"]')
    start.locator("input[type=file]").set_input_files(small)
    expect(start.locator("[data-error]")).to_have_text("This must be JPG/JPEG, PNG; small.txt is something else.")
    run(page)
    expect(start.locator("[data-error]")).to_have_text("This is needed.")

    page = alice_window.open(f"{organization}/playground?model=kling-v3-text-to-video")
    page.get_by_label("Several shots").check()
    page.get_by_role("button", name="Add a shot").click()
    prompts = page.locator(".shot textarea")
    expect(prompts).to_have_count(3)
    for number, prompt in enumerate(("A heron [sim:fail content]", "It flies", "It lands")):
        prompts.nth(number).fill(prompt)
    page.locator("input[name=duration]").fill("9")
    expect(page.locator("[data-sum]")).to_have_text("9 of 9 seconds")
    run(page)
    pane = page.locator("#pane")
    expect(pane).to_contain_text("content_policy_violation", timeout=DONE)
    expect(pane).to_contain_text("Given back in full: 48.6 credits.")


def test_an_empty_balance_says_so_and_nothing_happens(
    poor: None, worker: None, organization: str, alice: Person, alice_window: Window
) -> None:
    page = alice_window.open(f"{organization}/playground")
    page.locator("textarea[name=prompt]").fill("Too much")
    answer(page, "4k")
    page.locator("input[name=duration]").fill("15")
    run(page)
    expect(page.locator("#refusal")).to_contain_text("The available credits do not cover the price.")
    expect(page.locator("#refusal a")).to_have_text("Get credits")
    expect(page.locator("#history")).to_contain_text("0 running")


def test_videos_are_played_in_step(worker: None, organization: str, alice_window: Window) -> None:
    page = alice_window.open(f"{organization}/playground")
    for prompt in ("One", "Two"):
        page.locator("textarea[name=prompt]").fill(prompt)
        run(page)
        page.locator("#pane video").wait_for(timeout=DONE)
        expect(page.locator("#history")).to_contain_text(prompt)
        page.reload()
    for box in page.locator(".history-list input").all():
        box.check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Play").click()
    until(page, "[...document.querySelectorAll('video')].every((video) => video.currentTime > 0.5)")
    moments = page.evaluate("[...document.querySelectorAll('video')].map((video) => video.currentTime)")
    assert len(moments) == 2 and abs(moments[0] - moments[1]) < 0.25
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("[...document.querySelectorAll('video')].every((video) => video.paused)")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 390)])
def test_everybody_can_use_it(
    gateway: Steps, organization: str, live_server: LiveServer, alice_window: Window, scheme: str, width: int
) -> None:
    alice_window.page.emulate_media(color_scheme=scheme)
    alice_window.page.set_viewport_size({"width": width, "height": 900})
    for model in ("kling-custom-element", "kling-v3-image-to-video"):
        page = alice_window.open(f"{organization}/playground?model={model}")
        assert barriers(page) == []
