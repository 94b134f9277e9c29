"""The calls: one create, a batch query, a look-up by our reference; voices, deletion, ledgers. Kling has no cancel."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from generations.providers import signatures, wire
from generations.providers.base import (
    QUERY_SECONDS,
    Accepted,
    Account,
    ChargePage,
    Handle,
    OfferedVoice,
    OutcomeUnknown,
    Plan,
    Progress,
    Request,
    Trace,
)
from generations.providers.kling import answers, ledgers, requests, verdicts

IDS_PER_QUERY = 50
VOICES_PATH = "/v1/general/presets-voices"
VOICES_PER_PAGE = 500
MAX_PAGES = 20
LEDGERS = ("package", "balance")  # what packs paid, in units, and what was paid in cash
CHARGES_PER_PAGE = 500
# Kling's video documents name the first, its image documents the second.
DELETE_PATHS = ("/v1/general/delete-advanced-elements", "/v1/general/delete-elements")


class Kling:
    """The adapter. `transport` replaces the network at the wire; `query_seconds` is how long a batch query may take."""

    absence_is_certain = True
    poll_every = 1

    def __init__(self, transport: wire.Transport = None, *, query_seconds: float = QUERY_SECONDS) -> None:
        self._transport = transport
        self._query_seconds = query_seconds

    def obstacle(self, request: Request) -> str:
        """Kling makes all our models; an element exists in one of its accounts only."""
        return requests.obstacle(request)

    def plan(self, request: Request) -> Plan:
        return Plan(route=requests.route(request))

    def submit(self, account: Account, request: Request) -> Accepted:
        """Sends the create exactly once."""
        route = requests.route(request)
        body = json.dumps(requests.body(request))
        response = wire.create(self._transport, account.base_url + route, body=body, headers=_headers(account))
        return self._accepted(response, request.reference, route)

    def _accepted(self, response: httpx.Response, reference: str, route: str) -> Accepted:
        envelope = answers.read(response)
        if not envelope.is_success:
            wait = wire.retry_after_seconds(response)
            raise verdicts.refusal(envelope.status, envelope.code, envelope.message, wait)
        upstream_id, word = answers.accepted(envelope, reference)
        return Accepted(upstream_id=upstream_id, route=route, state_word=word)

    async def check_many(
        self, client: httpx.AsyncClient, account: Account, handles: Sequence[Handle]
    ) -> dict[str, Progress]:
        """New tasks by the batch, legacy ones one by one; OutcomeUnknown only when every call failed."""
        new = [handle.upstream_id for handle in handles if not requests.is_legacy(handle.route)]
        chunks = [new[start : start + IDS_PER_QUERY] for start in range(0, len(new), IDS_PER_QUERY)]
        calls = [(_batch_path("task_ids", chunk), chunk) for chunk in chunks]
        for handle in handles:
            if requests.is_legacy(handle.route):
                calls.append((f"{handle.route}/{wire.spelled(handle.upstream_id)}", [handle.upstream_id]))
        asked = [partial(_asked, client, account, path, ids) for path, ids in calls]
        return await wire.all_at_once(asked, self._query_seconds)

    def find(self, account: Account, trace: Trace) -> list[Progress]:
        """By `external_task_id`: an empty batch (new) or code 1203 (legacy) is a certain no."""
        legacy = requests.is_legacy(trace.route)
        one = f"{trace.route}/{wire.spelled(trace.reference)}"
        path = one if legacy else _batch_path("external_task_ids", [trace.reference])
        envelope = self._ask(account, "GET", path)
        if legacy and envelope.code == verdicts.NOT_FOUND:
            return []
        rows = _rows(envelope)
        if not rows:
            return []
        spellings = (trace.reference, "") if legacy else (trace.reference,)
        found = [answers.progress(row) for row in rows if answers.reference_of(row) in spellings]
        if not found or not found[0].upstream_id:
            raise OutcomeUnknown("the answer is about another reference")
        return found[:1]

    def cancel(self, account: Account, handle: Handle) -> bool:
        """Never: Kling documents no cancel, and what it accepted it bills."""
        return False

    def callback_keys(self, account: Account) -> dict[str, str]:
        """None to ask for: the console shows the secret once, and it stands with the credentials."""
        return {}

    def read_callback(self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """A row of `/tasks` (new) or a flat task (legacy), signed by Standard Webhooks where a secret was made."""
        if secret := account.credentials.get("webhook_secret"):
            signatures.check_standard_webhook(secret, headers, body)
        return signatures.named_in(signatures.read_object(body), "id", "task_id")

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

    def charges(self, account: Account, since: datetime, until: datetime, cursor: str) -> ChargePage:
        """Both ledgers, one after the other; our cursor names the ledger and Kling's own place in it."""
        name, _, place = (cursor or f"{LEDGERS[0]}:").partition(":")
        asked = {
            "start_time": str(round(since.timestamp() * 1000)),
            "end_time": str(round(until.timestamp() * 1000) - 1),
            "limit": CHARGES_PER_PAGE,
        }
        body = json.dumps(asked | ({"cursor": place} if place else {}))
        charges, onward = ledgers.page(self._ask(account, "POST", f"/account/billing/{name}", body), name)
        if onward and onward == place:
            raise OutcomeUnknown("the next page of the ledger is the same again")
        following = LEDGERS[LEDGERS.index(name) + 1 :]
        next_cursor = f"{name}:{onward}" if onward else f"{following[0]}:" if following else ""
        return ChargePage(charges=charges, next_cursor=next_cursor)

    def _ask(self, account: Account, method: str, path: str, body: str | None = None) -> answers.Envelope:
        """A call that may be made again. Raises OutcomeUnknown without an answer."""
        url, headers = account.base_url + path, _headers(account)
        return answers.read(wire.query(self._transport, url, headers=headers, method=method, body=body))


async def _asked(client: httpx.AsyncClient, account: Account, path: str, ids: list[str]) -> dict[str, Progress]:
    """One query. Rows about ids that nobody asked for are left out. Raises OutcomeUnknown."""
    rows = _rows(answers.read(await wire.ask(client, account.base_url + path, headers=_headers(account))))
    found = {progress.upstream_id: progress for progress in map(answers.progress, rows)}
    return {upstream_id: found[upstream_id] for upstream_id in ids if upstream_id in found}


def _rows(envelope: answers.Envelope) -> list[dict[str, Any]]:
    """The task rows of a query: a list (new) or one object (legacy). OutcomeUnknown for anything else."""
    if not envelope.is_success or not isinstance(envelope.data, list | dict):
        raise OutcomeUnknown(f"HTTP {envelope.status}, code {envelope.code}: {envelope.message[:200]}")
    return answers.rows_of(envelope.data if isinstance(envelope.data, list) else [envelope.data])


def _headers(account: Account) -> wire.Headers:
    return wire.bearer(account.credentials.get("api_key", ""))


def _batch_path(parameter: str, ids: list[str]) -> str:
    return f"/tasks?{parameter}=" + ",".join(wire.spelled(upstream_id) for upstream_id in ids)
