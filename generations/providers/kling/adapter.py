"""The calls: one create, a batch query, a look-up by our reference; voices, deletion. Kling has no cancel."""

import asyncio
import json
import ssl
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx

from generations.providers.base import (
    QUERY_SECONDS,
    Accepted,
    Account,
    Handle,
    OfferedVoice,
    OutcomeUnknown,
    Progress,
    ProviderRefused,
    Request,
)
from generations.providers.kling import answers, requests, verdicts

# A long read on a create turns many unknown outcomes into answers.
CREATE_TIMEOUT = httpx.Timeout(connect=5, read=60, write=30, pool=5)
QUERY_TIMEOUT = httpx.Timeout(connect=5, read=30, write=30, pool=5)
IDS_PER_QUERY = 50
QUERIES_AT_ONCE = 8
MAX_WAIT_DIGITS = 6
VOICES_PATH = "/v1/general/presets-voices"
VOICES_PER_PAGE = 500
MAX_PAGES = 20
# Kling's video documents name the first, its image documents the second.
DELETE_PATHS = ("/v1/general/delete-advanced-elements", "/v1/general/delete-elements")

# Raised before anything left us, so the work was certainly not accepted; the second group is a mistake of ours.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NOT_SENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificate store takes longer than a call: once a process."""
    return httpx.create_ssl_context(trust_env=False)


class Kling:
    """The adapter. `transport` replaces the network at the wire; `query_seconds` is how long a batch query may take."""

    def __init__(self, transport: httpx.BaseTransport | None = None, *, query_seconds: float = QUERY_SECONDS) -> None:
        self._transport = transport
        self._query_seconds = query_seconds

    def route(self, request: Request) -> str:
        return requests.route(request)

    def submit(self, account: Account, request: Request) -> Accepted:
        """Sends the create exactly once, over a connection of its own: a kept-alive one can die under the request."""
        route = requests.route(request)
        body = json.dumps(requests.body(request))
        try:
            with self._client(CREATE_TIMEOUT) as client:
                response = client.post(account.base_url + route, content=body, headers=_headers(account))
        except NOT_SENT as error:
            raise ProviderRefused(f"No connection: {type(error).__name__}", scope="account") from error
        except NOT_SENDABLE as error:
            raise ProviderRefused(f"The request could not be formed: {error}", scope="account") from error
        except httpx.RequestError as error:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error
        return self._accepted(response, request.reference, route)

    def _accepted(self, response: httpx.Response, reference: str, route: str) -> Accepted:
        envelope = answers.read(response)
        if not envelope.is_success:
            wait = _retry_after_seconds(response)
            raise verdicts.refusal(envelope.status, envelope.code, envelope.message, wait)
        upstream_id, word = answers.accepted(envelope, reference)
        return Accepted(upstream_id=upstream_id, route=route, state_word=word)

    async def check_many(
        self, client: httpx.AsyncClient, account: Account, handles: Sequence[Handle]
    ) -> dict[str, Progress]:
        """New tasks by the batch, legacy ones one by one; OutcomeUnknown only when every call failed."""
        new = [handle.upstream_id for handle in handles if not requests.is_legacy(handle.route)]
        chunks = [new[start : start + IDS_PER_QUERY] for start in range(0, len(new), IDS_PER_QUERY)]
        calls: list[tuple[str, list[str]]] = [(_batch_path("task_ids", chunk), chunk) for chunk in chunks]
        for handle in handles:
            if requests.is_legacy(handle.route):
                calls.append((f"{handle.route}/{_spelled(handle.upstream_id)}", [handle.upstream_id]))
        gate = asyncio.Semaphore(QUERIES_AT_ONCE)

        async def ask(path: str, ids: list[str]) -> dict[str, Progress] | OutcomeUnknown:
            try:
                async with asyncio.timeout(self._query_seconds), gate:
                    return await _asked(client, account, path, ids)
            except TimeoutError:
                return OutcomeUnknown("no answer in time")

        found = await asyncio.gather(*(ask(path, ids) for path, ids in calls))
        answered = [part for part in found if not isinstance(part, OutcomeUnknown)]
        if found and not answered:
            raise next(part for part in found if isinstance(part, OutcomeUnknown))
        return {upstream_id: progress for part in answered for upstream_id, progress in part.items()}

    def find(self, account: Account, reference: str, route: str) -> Progress | None:
        """By `external_task_id`: an empty batch (new) or code 1203 (legacy) is a certain no."""
        legacy = requests.is_legacy(route)
        path = f"{route}/{_spelled(reference)}" if legacy else _batch_path("external_task_ids", [reference])
        envelope = self._ask(account, "GET", path)
        if legacy and envelope.code == verdicts.NOT_FOUND:
            return None
        rows = _rows(envelope)
        if not rows:
            return None
        spellings = (reference, "") if legacy else (reference,)
        found = [answers.progress(row) for row in rows if answers.reference_of(row) in spellings]
        if not found or not found[0].upstream_id:
            raise OutcomeUnknown("the answer is about another reference")
        return found[0]

    def cancel(self, account: Account, handle: Handle) -> bool:
        """Never: Kling documents no cancel, and what it accepted it bills."""
        return False

    def voices(self, account: Account) -> tuple[OfferedVoice, ...]:
        """The preset voices, page by page until one is not full."""
        found: list[OfferedVoice] = []
        for page in range(1, MAX_PAGES + 1):
            path = f"{VOICES_PATH}?pageNum={page}&pageSize={VOICES_PER_PAGE}"
            rows = _rows(self._ask(account, "GET", path))
            found += [voice for row in rows for voice in answers.voices(row)]
            if len(rows) < VOICES_PER_PAGE:
                return tuple(found)
        raise OutcomeUnknown(f"more than {MAX_PAGES} pages of voices")

    def delete_element(self, account: Account, upstream_id: str) -> None:
        """An id that Kling does not know (any more) is gone: what matters is that nothing is left there."""
        element_id = int(upstream_id) if upstream_id.isascii() and upstream_id.isdigit() else upstream_id
        for path in DELETE_PATHS:
            envelope = self._ask(account, "POST", path, json.dumps({"element_id": element_id}))
            if envelope.code == verdicts.NOT_FOUND or (envelope.is_success and not answers.has_failed(envelope.data)):
                return
            if envelope.is_success or not (envelope.status == 404 or envelope.code == verdicts.NO_SUCH_METHOD):
                break
        raise OutcomeUnknown(f"HTTP {envelope.status}, code {envelope.code}: {envelope.message[:200]}")

    def _ask(self, account: Account, method: str, path: str, body: str | None = None) -> answers.Envelope:
        """A call that may be made again. Raises OutcomeUnknown without an answer."""
        try:
            with self._client(QUERY_TIMEOUT) as client:
                response = client.request(method, account.base_url + path, content=body, headers=_headers(account))
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error
        return answers.read(response)

    def _client(self, timeout: httpx.Timeout) -> httpx.Client:
        return httpx.Client(
            transport=self._transport,
            verify=_tls(),
            timeout=timeout,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            follow_redirects=False,
        )


async def _asked(
    client: httpx.AsyncClient, account: Account, path: str, ids: list[str]
) -> dict[str, Progress] | OutcomeUnknown:
    """One query. Rows about ids that nobody asked for are left out."""
    try:
        response = await client.get(account.base_url + path, headers=_headers(account), follow_redirects=False)
        rows = _rows(answers.read(response))
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return OutcomeUnknown(f"{type(error).__name__}: {error}")
    except OutcomeUnknown as error:
        return error
    found = {progress.upstream_id: progress for progress in map(answers.progress, rows)}
    return {upstream_id: found[upstream_id] for upstream_id in ids if upstream_id in found}


def _rows(envelope: answers.Envelope) -> list[dict[str, Any]]:
    """The task rows of a query: a list (new) or one object (legacy). OutcomeUnknown for anything else."""
    if not envelope.is_success or not isinstance(envelope.data, list | dict):
        raise OutcomeUnknown(f"HTTP {envelope.status}, code {envelope.code}: {envelope.message[:200]}")
    return answers.rows_of(envelope.data if isinstance(envelope.data, list) else [envelope.data])


def _headers(account: Account) -> dict[str, Any]:
    """Bytes, so that a credential with odd characters is refused by Kling and not by our encoder."""
    key = account.credentials.get("api_key", "")
    return {"Authorization": b"Bearer " + key.encode(), "Content-Type": "application/json"}


def _retry_after_seconds(response: httpx.Response) -> int | None:
    """Kling sends whole seconds; dates and absurd numbers are no word at all."""
    wait = response.headers.get("retry-after", "")
    return int(wait) if wait.isascii() and wait.isdigit() and len(wait) <= MAX_WAIT_DIGITS else None


def _batch_path(parameter: str, ids: list[str]) -> str:
    return f"/tasks?{parameter}=" + ",".join(_spelled(upstream_id) for upstream_id in ids)


def _spelled(upstream_id: str) -> str:
    """An id as one piece of an address, whatever characters an upstream put into it."""
    return quote(upstream_id, safe="")
