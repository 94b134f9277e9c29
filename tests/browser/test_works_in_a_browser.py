"""What an organization made, in a browser: a video that plays, a failure that says its refund, elements, files."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generations.models import Task
from tests.browser.conftest import Window
from tests.browser.walking import barriers
from tests.cast import Person
from tests.generations.gateway import Steps, ask, ask_element, upload
from tests.generations.uploading import FACE, NO_FACE

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
PLAY = """video => new Promise(done => {
  video.addEventListener("timeupdate", () => { if (video.currentTime > 0.3) done(video.readyState); });
  video.muted = true;
  video.play();
})"""


@pytest.fixture
def works(gateway: Steps, alice: Person, live_server: LiveServer, settings: Settings) -> dict[str, str]:
    """The paths of alice's pages: a video, a failed task, an element made of two pictures, and the lists."""
    settings.PUBLIC_URL = live_server.url
    video = ask(alice, prompt="A lighthouse at dusk", sound="on", metadata={"order": "7"})
    failed = ask(alice, prompt="A heron [sim:fail content]")
    urls = [upload(alice.organization, path) for path in (FACE, NO_FACE)]
    element = ask_element(alice, frontal=urls[0], others=urls[1:])
    for task, end in ((video, "completed"), (failed, "failed"), (element, "completed")):
        gateway.until(task, end)
    top = f"/console/{alice.organization.public_id}"
    tasks = {"video": video, "failed": failed, "element": element}
    paths = {name: f"{top}/tasks/{task.public_id}" for name, task in tasks.items()}
    return paths | {name: f"{top}/{name}" for name in ("tasks", "elements", "files")} | {"overview": f"{top}/"}


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """A thread that works with the database while a window is open."""
    with ThreadPoolExecutor(1) as thread:
        yield thread
        thread.submit(connections.close_all).result()


def test_a_video_plays_and_a_failure_says_its_refund(works: dict[str, str], alice_window: Window) -> None:
    page = alice_window.open(works["tasks"])
    page.get_by_role("link", name="A lighthouse at dusk").click()
    assert page.locator("video").evaluate(PLAY) >= 2  # it has the picture of the moment it is at
    expect(page.get_by_text("1280 × 720 · with sound")).to_be_visible()

    page.get_by_text("In the ledger").click()
    expect(page.get_by_role("cell", name="Charged")).to_be_visible()

    page = alice_window.open(works["failed"])
    expect(page.get_by_role("alert")).to_contain_text("The content policy does not allow this request.")
    expect(page.get_by_text("27 credits: you pay nothing for it.")).to_be_visible()
    assert (alice_window.strangers, alice_window.complaints) == ([], [])


def test_a_page_of_a_waiting_task_becomes_that_of_its_video_by_itself(
    gateway: Steps,
    alice: Person,
    live_server: LiveServer,
    settings: Settings,
    aside: ThreadPoolExecutor,
    alice_window: Window,
) -> None:
    settings.PUBLIC_URL = live_server.url
    task: Task = aside.submit(ask, alice).result()
    page = alice_window.open(f"/console/{alice.organization.public_id}/tasks/{task.public_id}")
    expect(page.get_by_role("heading", name="Waiting to be made")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the task").first).to_be_visible()
    aside.submit(gateway.until, task, "completed").result()
    expect(page.locator("video")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Cancel the task")).to_have_count(0)
    assert alice_window.complaints == []


def test_elements_have_pictures_and_files_come_and_go(
    works: dict[str, str], alice_window: Window, tmp_path: Path
) -> None:
    page = alice_window.open(works["elements"])
    pictures = page.locator("img.picture")
    assert [picture.evaluate("img => img.decode().then(() => img.naturalWidth)") for picture in pictures.all()] == [
        512,
        600,
    ]

    page = alice_window.open(works["files"])
    (tmp_path / "notes.txt").write_text("no picture")
    page.set_input_files("input[type=file]", tmp_path / "notes.txt")
    expect(page.get_by_text("Only JPEG, PNG, WebP, GIF, MP4 and MOV files are taken.")).to_be_visible()
    expect(page.get_by_role("button", name="Upload")).to_be_disabled()

    page.set_input_files("input[type=file]", NO_FACE)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("coffee.png was uploaded.")).to_be_visible()
    expect(page.get_by_text("3 of 100 files")).to_be_visible()

    page.get_by_role("button", name="Delete coffee.png").first.click()
    page.get_by_role("button", name="Delete the file").locator("visible=true").click()
    expect(page.get_by_text("2 of 100 files")).to_be_visible()
    assert (alice_window.strangers, alice_window.complaints) == ([], [])


def test_nobody_is_kept_out(works: dict[str, str], alice_window: Window) -> None:
    found = {}
    for name, path in works.items():
        page = alice_window.open(path)
        for look, size in (("light", DESK), ("dark", PHONE)):
            page.emulate_media(color_scheme=look, reduced_motion="reduce")
            page.set_viewport_size(size)
            found[name, look] = barriers(page)
    assert {place: what for place, what in found.items() if what} == {}
