"""Programs that make a video: create the task, ask for it until it ends, print the address. Each stands once, as a
template of a program; the page shows it, and tests/site/test_examples.py runs what the page shows.
"""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from generations.catalog.base import Spec

LANGUAGES = {"curl": "curl", "python": "Python", "javascript": "JavaScript"}
SHOWN_DEFAULTS = ("duration", "quality", "sound")
WAIT_SECONDS = 5


@dataclass(frozen=True)
class Example:
    """`name` is a word of addresses, `title` one for people."""

    name: str
    title: str
    program: str


def of(spec: Spec, *, address: str = "", wait_seconds: float = WAIT_SECONDS) -> tuple[Example, ...]:
    """The same in every language. The API key is read from the environment variable API_KEY."""
    wanted = json.dumps(body(spec), indent=2, ensure_ascii=False)
    known = {
        "address": address or settings.PUBLIC_URL,
        "body": wanted,
        "is_element": spec.type == "element",
        "quoted_body": shlex.quote(wanted),
        "wait_seconds": f"{wait_seconds:g}",
        "wait_milliseconds": round(wait_seconds * 1000),
    }
    return tuple(
        Example(name, title, render_to_string(f"site/examples/{name}.txt", known).strip())
        for name, title in LANGUAGES.items()
    )


def body(spec: Spec) -> dict[str, Any]:
    """The model's first example, with the defaults that decide its price spelled out."""
    fields = spec.root.fields
    defaults = {name: fields[name].schema()["default"] for name in SHOWN_DEFAULTS if name in fields}
    return {**spec.plain_request, **{name: value for name, value in defaults.items() if name not in spec.plain_request}}
