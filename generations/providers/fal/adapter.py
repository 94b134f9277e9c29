"""The calls: one create, a status and a result for each request, a list of what has ended, a cancel while it waits."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

import httpx

from generations.providers import signatures, wire
from generations.providers.base import (
    QUERY_SECONDS,
    Accepted,
    Account,
    Handle,
    OutcomeUnknown,
    Plan,
    Progress,
    Request,
    Trace,
)
from generations.providers.fal import answers, callbacks, ended, requests, verdicts

KEYS_URL = "https://rest.fal.ai/.well-known/jwks.json"
CANCEL_SECONDS = 5
"""For all calls of a cancel together: somebody waits for the answer."""
CONNECT_SECONDS = 1


class Fal:
    """The adapter. `transport` replaces the network at the wire; the seconds say how long a round of checks, reading
    the list, and a cancel may take."""

    absence_is_certain = False
    poll_every = 3

    def __init__(
        self,
        transport: wire.Transport = None,
        *,
        query_seconds: float = QUERY_SECONDS,
        list_seconds: float = ended.LIST_SECONDS,
        cancel_seconds: float = CANCEL_SECONDS,
    ) -> None:
        self._transport = transport
        self._query_seconds = query_seconds
        self._list_seconds = list_seconds
        self._cancel_seconds = cancel_seconds

    def obstacle(self, request: Request) -> str:
        return requests.obstacle(request)

    def plan(self, request: Request) -> Plan:
        """Marked by the whole body: that is what the list of ended requests gives back."""
        return Plan(route=requests.route(request), mark=requests.body(request))

    def submit(self, account: Account, request: Request) -> Accepted:
        """Sends the create exactly once."""
        route = requests.route(request)
        url = account.base_url + route
        if request.callback_url:
            url += "?" + urlencode({"fal_webhook": request.callback_url})
        body = json.dumps(requests.body(request))
        response = wire.create(self._transport, url, body=body, headers=_headers(account))
        answer = answers.read(response)
        if not answer.is_success:
            raise verdicts.refusal(answer.status, answer.complaint, wire.retry_after_seconds(response))
        request_id, word = answers.accepted(answer)
        return Accepted(upstream_id=request_id, route=route, state_word=word, queued=word == answers.QUEUED)

    async def check_many(
        self, client: httpx.AsyncClient, account: Account, handles: Sequence[Handle]
    ) -> dict[str, Progress]:
        """One by one: fal has no query for several."""
        return await wire.one_by_one(handles, partial(_check, client, account), self._query_seconds)

    def find(self, account: Account, trace: Trace) -> list[Progress]:
        """Ended requests that were sent what we sent. Never empty: what waits or runs is not in the list."""
        ask = partial(self._query, account, timeout=ended.PAGE_TIMEOUT)
        items = ended.since(ask, account, trace, self._list_seconds)
        found = ended.like(items, trace) if trace.mark else []
        if not found:
            raise OutcomeUnknown("no ended request looks like it, which proves nothing")
        return found

    def cancel(self, account: Account, handle: Handle) -> bool:
        """Asked only while it waits, since fal would stop running work as well, and bill it. Certain only when the
        status then says that it ended before it had begun."""
        address, end = _address(account, handle), time.monotonic() + self._cancel_seconds
        if not answers.waits(self._query(account, f"{address}/status?logs=0", timeout=_until(end))):
            return False
        self._query(account, f"{address}/cancel", method="PUT", timeout=_until(end))
        after = self._query(account, f"{address}/status?logs=1", timeout=_until(end))
        return answers.never_ran(handle.upstream_id, after)

    def callback_keys(self, account: Account) -> dict[str, str]:
        """The set that fal publishes for all its accounts; nothing secret, so no credential goes there."""
        url = account.credentials.get("jwks_url", KEYS_URL)
        answer = answers.read(wire.query(self._transport, url, headers={}))
        keys = callbacks.key_set(answer.body) if answer.is_success else {}
        if not keys:
            raise answer.unknown("no keys")
        return keys

    def read_callback(self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """Unverified until the keys are known: its address is a secret by itself."""
        callbacks.check(account.callback_keys, headers, body, now)
        return signatures.named_in(signatures.read_object(body), "request_id")

    def _query(
        self, account: Account, url: str, *, method: str = "GET", timeout: httpx.Timeout = wire.QUERY_TIMEOUT
    ) -> answers.Answer:
        headers = _headers(account)
        return answers.read(wire.query(self._transport, url, headers=headers, method=method, timeout=timeout))


def _until(end: float) -> httpx.Timeout:
    """What is left until then. Raises OutcomeUnknown when that is nothing."""
    left = end - time.monotonic()
    if left <= 0:
        raise OutcomeUnknown("no answer in time")
    return httpx.Timeout(left, connect=min(left, CONNECT_SECONDS))


async def _check(client: httpx.AsyncClient, account: Account, handle: Handle) -> Progress:
    """The status, then the result, then the list of what has ended. Raises OutcomeUnknown when none decides."""
    address = _address(account, handle)
    status = await _asked(client, account, f"{address}/status?logs=0")
    found = None
    if status.status != verdicts.NOT_THERE:
        found = answers.standing(handle.upstream_id, status)
        found = found or answers.result(handle.upstream_id, await _asked(client, account, address))
    return found or ended.one(await _asked(client, account, ended.page_of_one(account, handle)), handle.upstream_id)


async def _asked(client: httpx.AsyncClient, account: Account, url: str) -> answers.Answer:
    return answers.read(await wire.ask(client, url, headers=_headers(account)))


def _address(account: Account, handle: Handle) -> str:
    """Where a request lies: under its owner and app alone, whatever the route. Never an address that fal gave us."""
    owner_and_app = "/".join(handle.route.split("/")[:3])
    return f"{account.base_url}{owner_and_app}/requests/{wire.spelled(handle.upstream_id)}"


def _headers(account: Account) -> wire.Headers:
    return wire.bearer(account.credentials.get("api_key", ""), scheme="Key")
