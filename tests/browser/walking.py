"""What people do on several pages, as steps of a walk."""

import re
from collections.abc import Collection
from pathlib import Path

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.generations.simulator import wait_for

DORA, PASSWORD = "dora@acme.example", "correct horse battery staple"
CODE = re.compile(r"^([A-Z0-9]{3,}-?[A-Z0-9]{2,})$", re.MULTILINE)
DONE = 60_000
"""Milliseconds in which the worker has surely done what was asked."""


SERIOUS = ("serious", "critical")


def barriers(page: Page, impacts: Collection[str] = SERIOUS) -> list[str]:
    """What keeps people out, by axe's rule and place; a page that is wider than the window does as well."""
    found = [one for one in Axe().run(page)["violations"] if one["impact"] in impacts]
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    lines = [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]
    return lines + ["wider than the window"] * wide


def code_from(folder: Path) -> str:
    newest = max(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
    found = CODE.search(newest.read_text())
    assert found
    return found.group(1)


def sign_up(page: Page, organization: str = "") -> None:
    page.get_by_label("E-mail address").fill(DORA)
    page.get_by_label("Password").fill(PASSWORD)
    if organization:
        page.get_by_label("Organization").fill(organization)
    page.get_by_role("button", name="Create the login").click()
    expect(page.get_by_role("heading", name="Confirm your e-mail address")).to_be_visible()


def confirm(page: Page, mails: Path) -> None:
    page.get_by_label("Code").fill(code_from(mails))
    page.get_by_role("button", name="Confirm").click()


def choose(page: Page, field: str, *files: Path) -> None:
    zone = page.locator(f'[data-field="{field}"]')
    zone.locator("input[type=file]").set_input_files(list(files))
    expect(zone.locator(".thumb")).to_have_count(len(files))
    for thumb in zone.locator(".thumb input").all():
        expect(thumb).not_to_have_value("", timeout=DONE)


def until(page: Page, expression: str) -> None:
    """The page's policy refuses the evaluation of strings by itself, so we look from outside."""
    wait_for(lambda: page.evaluate(expression) or None, seconds=DONE / 1000)


def run(page: Page) -> None:
    expect(page.locator("#run")).to_be_enabled(timeout=DONE)
    page.locator("#run").click()
