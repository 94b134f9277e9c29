"""Find work again in the account's list of predictions, by what was sent: Replicate keeps no reference of ours."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from generations.providers.base import OutcomeUnknown, Trace
from generations.providers.replicate import answers, inputs
from generations.providers.wire import text

PATH = "/predictions"
MOST_PAGES = 40  # of 100: more than an account may create within the time in which we look
LIST_SECONDS = 60  # well within the time for which a worker holds a task
BEFORE = timedelta(minutes=2)  # their clock and ours
AFTER = timedelta(minutes=10)  # longer than any create takes

Row = dict[str, Any]
Ask = Callable[[str], httpx.Response]
"""Asks for a path below the base URL."""


def alike(ask: Ask, trace: Trace, seconds: float) -> tuple[list[Row], bool]:
    """The predictions that look like the traced one, likeliest first; and whether it is certainly none of the others.

    Raises OutcomeUnknown when the list cannot be read back to the call in so many seconds.
    """
    sent = trace.mark.get("input")
    if not isinstance(sent, dict) or not sent:
        raise OutcomeUnknown("what was sent is not known")
    until = trace.sent_at + AFTER
    rows = [row for row in _since(ask, trace.sent_at - BEFORE, seconds) if answers.created_at(row) <= until]
    same_model = [row for row in rows if row.get("model") == trace.mark.get("model")]
    likeness = [(row, _is_sent(row, sent)) for row in same_model]
    found = [row for row, is_sent in likeness if is_sent]
    found.sort(key=lambda row: abs(answers.created_at(row) - trace.sent_at))
    return found, all(is_sent is not None for _, is_sent in likeness)


def _is_sent(row: Row, sent: Mapping[str, Any]) -> bool | None:
    """Whether every field of ours is there as we wrote it; fields that Replicate added do not matter.

    None where nobody can tell: the input was removed, or only media differ, whose addresses Replicate may write anew.
    """
    given = row.get("input")
    if not isinstance(given, dict) or not given:
        return None
    others = {name for name, value in sent.items() if name not in given or _plain(given[name]) != _plain(value)}
    if not others:
        return True
    return None if row.get("data_removed") is True or others <= inputs.MEDIA else False


def _plain(value: Any) -> Any:
    """Spaces around a text may get lost on the way."""
    return value.strip() if isinstance(value, str) else value


def _since(ask: Ask, moment: datetime, seconds: float) -> list[Row]:
    """All predictions made at `moment` or later. The list is newest first, page by page."""
    rows: list[Row] = []
    path, end = PATH, time.monotonic() + seconds
    for _ in range(MOST_PAGES):
        if time.monotonic() >= end:
            break
        page, following = _page(ask(path))
        for row in page:
            if answers.created_at(row) < moment:
                return rows
            rows.append(row)
        if not following:
            return rows
        path = f"{PATH}?{httpx.QueryParams(cursor=following)}"
    raise OutcomeUnknown("the list is too long to be read back to the call")


def _page(response: httpx.Response) -> tuple[list[Row], str]:
    """Its rows, and the cursor of the next page: of its address only that is taken, so our key goes nowhere else."""
    found = answers.read(response)
    rows, following = found.get("results"), found.get("next")
    if not response.is_success or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OutcomeUnknown(f"HTTP {response.status_code}: no list")
    if following is None:
        return rows, ""
    try:
        cursor = httpx.URL(text(following)).params.get("cursor", "")
    except httpx.InvalidURL:
        cursor = ""
    if not cursor:
        raise OutcomeUnknown("the next page has no address")
    return rows, cursor
