"""`python -m tests.benchmarks.pages`: what a page weighs with everything it loads, and how soon a browser has drawn it.

Chromium opens each page on the web server as `make run` starts it, with an empty cache of its own every time. Weight is
what the server sends; compressed is what gzip would make of it, which is the work of the proxy in front.
"""

import argparse
import gzip
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import django

from evolink_saas import environment, postgres

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ.setdefault("DEBUG", "on")  # for the development secrets; the settings switch it off
environment.load()
postgres.provide()
django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from tests.benchmarks import figures, place  # noqa: E402
from tests.browser.conftest import browser_path  # noqa: E402
from tests.cast import owner_of  # noqa: E402

MOST_BYTES, MOST_SECONDS = 300_000, 1.0
DRAWN = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done([
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    performance.getEntriesByType("navigation")[0].loadEventEnd,
]))))"""
TITLES = ("Page", "Weight", "Compressed", "Requests", "First paint", "Whole page", "To reach")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One opening of a page; times in milliseconds from the click on."""

    sizes: Sequence[int]
    compressed: int
    painted: float
    loaded: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each page is opened (9)")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, place.database():
        found = measured(options.rounds, Path(folder) / "log")
    text = figures.grid(TITLES, found)
    sys.stdout.write(text)
    if options.write:
        how = f"{options.rounds} times each, medians, an empty cache every time"
        figures.write("pages", text, how, "python -m tests.benchmarks.pages")


def measured(rounds: int, log: Path) -> list[tuple[str, ...]]:
    owner = owner_of(place.open_customer("acme").organization)
    session = Client()
    session.force_login(owner.user)
    cookie = session.cookies[settings.SESSION_COOKIE_NAME].value
    pages = {path: path for path in ("/models/kling-3", "/models", "/models/kling-v3-text-to-video", "/status")}
    pages["the console's first page"] = f"/console/{owner.organization.public_id}/"
    rows = []
    with place.server(log) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for name, path in pages.items():
            address = f"http://127.0.0.1:{port}{path}"
            seen = [look(browser, address, cookie if path.startswith("/console") else "") for _ in range(rounds + 1)]
            rows.append(row(name, seen[1:]))
        browser.close()
    return rows


def look(browser: Browser, address: str, session: str) -> Opened:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-US")
    if session:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    page, bodies = context.new_page(), dict[str, bytes]()
    page.on("response", lambda answer: bodies.update({answer.url: answer.body()}))
    answer = page.goto(address, wait_until="networkidle")
    if answer is None or answer.status != 200 or answer.url != address:
        raise RuntimeError(f"{address} was not shown.")
    painted, loaded = page.evaluate(DRAWN)
    context.close()
    compressed = sum(len(gzip.compress(body)) for body in bodies.values())
    return Opened(sizes=[len(body) for body in bodies.values()], compressed=compressed, painted=painted, loaded=loaded)


def row(name: str, seen: Sequence[Opened]) -> tuple[str, ...]:
    last = seen[-1]
    return (
        f"`{name}`" if name.startswith("/") else name,
        f"{sum(last.sizes) / 1000:.0f} kB",
        f"{last.compressed / 1000:.0f} kB",
        str(len(last.sizes)),
        f"{statistics.median(one.painted for one in seen):.0f} ms",
        f"{statistics.median(one.loaded for one in seen):.0f} ms",
        f"{MOST_BYTES / 1000:.0f} kB, {MOST_SECONDS:g} s",
    )


if __name__ == "__main__":
    main()
