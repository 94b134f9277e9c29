"""A page of a real browser that looks at the server, remembers what went wrong, and reaches no other host."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, Route, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.cast import Person
from tests.generations.gateway import Steps

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(kw_only=True)
class Window:
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path, wait_until="networkidle")
        return self.page

    def let_pass(self, route: Route) -> None:
        """Requests to the server and nothing else."""
        parts = urlsplit(route.request.url)
        if parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}" == self.url:
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()


def browser_path() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture
def window(live_server: LiveServer) -> Iterator[Window]:
    """Ask for it last: while it is open, an event loop runs in this thread and Django refuses the database."""
    path = browser_path()
    if path is None:
        pytest.skip("No chromium was found: install it to run the browser tests.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        opened = Window(page=page, url=live_server.url)
        page.route("**/*", opened.let_pass)
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
        yield opened
        browser.close()


@pytest.fixture
def alice_session(alice: Person) -> str:
    client = Client()
    client.force_login(alice.membership.user)
    return client.cookies[configured.SESSION_COOKIE_NAME].value


@pytest.fixture
def alice_window(alice_session: str, window: Window) -> Window:
    """Alice is signed in. Ask for it last."""
    cookie = {"name": configured.SESSION_COOKIE_NAME, "value": alice_session, "url": window.url}
    window.page.context.add_cookies([cookie])
    return window


@pytest.fixture
def mails(tmp_path: Path, settings: Settings) -> Path:
    """The folder of e-mails, as an installation without a mail server has it."""
    cache.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return tmp_path / "mail"


@pytest.fixture
def worker(gateway: Steps, live_server: LiveServer, settings: Settings) -> Iterator[None]:
    """Does what is due in a thread of its own, beside the browser."""
    settings.PUBLIC_URL = live_server.url
    stopping = Event()

    def work() -> None:
        while not stopping.wait(0.1):
            gateway.work()
        connections.close_all()

    thread = Thread(target=work)
    thread.start()
    yield
    stopping.set()
    thread.join()
