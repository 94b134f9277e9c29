"""The list of ended requests: what was sent, and what came of it, long after the queue has forgotten.

It is on another host than the queue and comes by the page. Requests that wait or run are not in it: absence proves
nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from generations.providers.base import Account, Handle, OutcomeUnknown, Progress, Trace
from generations.providers.fal import answers
from generations.providers.wire import text

PLATFORM_URL = "https://api.fal.ai"
PATH = "/v1/models/requests/by-endpoint"
PAGE = 100
MOST_PAGES = 50
LIST_SECONDS = 40
"""After which no further page is asked for; with a last one that is slow it is a minute."""
PAGE_TIMEOUT = httpx.Timeout(connect=5, read=10, write=5, pool=5)
CLOCKS_APART = timedelta(minutes=10)
FROM_THE_BEGINNING = "2026-01-01T00:00:00Z"
"""The list shows the last day unless told otherwise."""

Ask = Callable[[str], answers.Answer]
"""Asks for an address."""


def page_of_one(account: Account, handle: Handle) -> str:
    """The address of the page that holds this request alone."""
    return _address(account, handle.route, start=FROM_THE_BEGINNING, request_id=handle.upstream_id)


def since(ask: Ask, account: Account, trace: Trace, seconds: float) -> Iterator[dict[str, Any]]:
    """The entries of everything that was sent to the endpoint since the trace was left.

    Raises OutcomeUnknown when there are more than can be read in so many seconds: the likeliest may be among the rest.
    """
    cursor, end = "", time.monotonic() + seconds
    for _ in range(MOST_PAGES):
        if time.monotonic() >= end:
            break
        page = ask(_page_since(account, trace, cursor))
        yield from items(page)
        cursor = next_cursor(page)
        if not cursor:
            return
    raise OutcomeUnknown("the list of ended requests is too long to be read")


def _page_since(account: Account, trace: Trace, cursor: str) -> str:
    """Open towards now: the list is cut by the time of the end, and nobody knows how long the request waited."""
    start = (trace.sent_at - CLOCKS_APART).isoformat()
    return _address(account, trace.route, start=start, **({"cursor": cursor} if cursor else {}))


def items(answer: answers.Answer) -> list[dict[str, Any]]:
    """The entries of a page. Raises OutcomeUnknown when it is none."""
    found = answer.body.get("items")
    if not answer.is_success or not isinstance(found, list):
        raise answer.unknown("no list of requests")
    return [item for item in found if isinstance(item, dict)]


def next_cursor(answer: answers.Answer) -> str:
    """Where the next page begins; empty on the last."""
    return text(answer.body.get("next_cursor")) if answer.body.get("has_more") else ""


def one(answer: answers.Answer, request_id: str) -> Progress:
    """What came of this request. Raises OutcomeUnknown when the list does not know."""
    for item in items(answer):
        if text(item.get("request_id")) == request_id:
            found = answers.ended(item)
            if found.state != "running":
                return found
    raise OutcomeUnknown("the list of ended requests does not say what came of it")


def like(found: Iterator[dict[str, Any]], trace: Trace) -> list[Progress]:
    """Those that were sent at that time with what the trace is marked by, nearest in time first."""
    gaps = [(abs(moment - trace.sent_at), item) for item in found if (moment := _sent(item, trace.mark)) is not None]
    near = sorted((pair for pair in gaps if pair[0] <= CLOCKS_APART), key=lambda pair: pair[0])
    return [answers.ended(item) for _, item in near]


def _sent(item: Mapping[str, Any], mark: Mapping[str, Any]) -> datetime | None:
    """When an entry that holds the mark was sent; None for every other."""
    if not text(item.get("request_id")) or not answers.holds(item.get("json_input"), mark):
        return None
    return answers.sent_at(item)


def _address(account: Account, route: str, **parameters: str) -> str:
    platform = account.credentials.get("platform_url", PLATFORM_URL).rstrip("/")
    named = {"endpoint_id": route.lstrip("/"), "expand": "payloads", "limit": str(PAGE)}
    return f"{platform}{PATH}?{urlencode(named | parameters)}"
