"""How adapters call: a create leaves once, a query may fail, and what an exception means is decided in one place.

raised before anything left us        ProviderRefused (nothing was accepted)
any other break of a create           OutcomeUnknown (perhaps accepted)
any break of a query                  OutcomeUnknown (nothing is decided)
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import httpx

from generations.providers.base import Handle, OutcomeUnknown, Progress, ProviderRefused, tls

# A long read on a create turns many unknown outcomes into answers.
CREATE_TIMEOUT = httpx.Timeout(connect=5, read=60, write=30, pool=5)
QUERY_TIMEOUT = httpx.Timeout(connect=5, read=30, write=30, pool=5)
QUERIES_AT_ONCE = 8
MAX_WAIT_DIGITS = 6
BEYOND_BELIEF = Decimal(10) ** 12

# Raised before anything left us, so the work was certainly not accepted; the second group is a mistake of ours, and its
# texts quote what could not be sent, a credential too: they are never kept.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NOT_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)

Headers = Mapping[bytes, bytes]
Query = Callable[[], Awaitable[dict[str, Progress]]]
Transport = httpx.BaseTransport | None
"""Replaces the network at the wire; None is the real one."""


def client(transport: Transport, timeout: httpx.Timeout) -> httpx.Client:
    """No connection is kept: a kept one can die under the next request. Nothing is retried or redirected."""
    return httpx.Client(
        transport=transport,
        verify=tls(),
        timeout=timeout,
        limits=httpx.Limits(max_keepalive_connections=0),
        trust_env=False,
        follow_redirects=False,
    )


def create(transport: Transport, url: str, *, body: str, headers: Headers) -> httpx.Response:
    """POST exactly once. Raises ProviderRefused when nothing left us, OutcomeUnknown when something may have."""
    try:
        with client(transport, CREATE_TIMEOUT) as one_use:
            return one_use.post(url, content=body, headers=headers)
    except NOT_SENT as error:
        raise ProviderRefused(f"No connection: {type(error).__name__}", scope="account") from error
    except NOT_SENDABLE as error:
        raise ProviderRefused(f"The request could not be formed: {type(error).__name__}", scope="account") from None
    except httpx.RequestError as error:
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


def query(
    transport: Transport,
    url: str,
    *,
    headers: Headers,
    method: str = "GET",
    body: str | None = None,
    timeout: httpx.Timeout = QUERY_TIMEOUT,
) -> httpx.Response:
    """A call that makes nothing. Raises OutcomeUnknown when no answer came."""
    try:
        with client(transport, timeout) as one_use:
            return one_use.request(method, url, content=body, headers=headers)
    except NOT_SENDABLE as error:
        raise OutcomeUnknown(type(error).__name__) from None
    except httpx.RequestError as error:
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


async def ask(opened: httpx.AsyncClient, url: str, *, headers: Headers) -> httpx.Response:
    """One GET of a poll. Raises OutcomeUnknown when no answer came."""
    try:
        return await opened.get(url, headers=headers, follow_redirects=False)
    except NOT_SENDABLE as error:
        raise OutcomeUnknown(type(error).__name__) from None
    except httpx.RequestError as error:
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


async def all_at_once(calls: Sequence[Query], seconds: float) -> dict[str, Progress]:
    """What the calls answer within `seconds`, a few at a time; raises OutcomeUnknown only when every one failed."""
    gate = asyncio.Semaphore(QUERIES_AT_ONCE)

    async def one(call: Query) -> dict[str, Progress] | OutcomeUnknown:
        try:
            async with asyncio.timeout(seconds), gate:
                return await call()
        except TimeoutError:
            return OutcomeUnknown("no answer in time")
        except OutcomeUnknown as error:
            return error

    found = await asyncio.gather(*(one(call) for call in calls))
    answered = [part for part in found if not isinstance(part, OutcomeUnknown)]
    if found and not answered:
        raise next(part for part in found if isinstance(part, OutcomeUnknown))
    return {upstream_id: progress for part in answered for upstream_id, progress in part.items()}


async def one_by_one(
    handles: Sequence[Handle], check: Callable[[Handle], Awaitable[Progress]], seconds: float
) -> dict[str, Progress]:
    """For providers without a batch query: `check` each; an id whose check raises OutcomeUnknown is absent."""

    def call_for(handle: Handle) -> Query:
        async def call() -> dict[str, Progress]:
            return {handle.upstream_id: await check(handle)}

        return call

    return await all_at_once([call_for(handle) for handle in handles], seconds)


def bearer(key: str, *, scheme: str = "Bearer") -> Headers:
    """Bytes, so that a credential with odd characters is refused by the provider and not by our encoder."""
    return {b"Authorization": f"{scheme} {key}".encode(), b"Content-Type": b"application/json"}


def retry_after_seconds(response: httpx.Response) -> int | None:
    """Whole seconds; dates and absurd numbers are no word at all."""
    wait = response.headers.get("retry-after", "")
    return int(wait) if wait.isascii() and wait.isdigit() and len(wait) <= MAX_WAIT_DIGITS else None


def spelled(upstream_id: str) -> str:
    """An id as one piece of an address, whatever characters an upstream put into it."""
    return quote(upstream_id, safe="")


def text(value: Any) -> str:
    """Ids and words as text that a database takes: no NUL, no half characters. Some send ids as numbers."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    return str(value).encode("utf-8", "replace").decode().replace("\0", "")


def decimal(value: Any) -> Decimal | None:
    """A number, also where it is spelled as text; None for what cannot be one."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < BEYOND_BELIEF else None
