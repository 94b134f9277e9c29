"""The calls: one create, a query for each prediction, a look-up in the list. Nothing is cancelled."""

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
    Handle,
    Incomplete,
    OutcomeUnknown,
    Plan,
    Progress,
    Request,
    Trace,
    VideoRequest,
)
from generations.providers.replicate import answers, inputs, listing, verdicts

SECRET = "/webhooks/default/secret"


class Replicate:
    """The adapter. `transport` replaces the network at the wire; the seconds say how long a round of queries, and
    reading the list, may take."""

    absence_is_certain = True
    poll_every = 3

    def __init__(
        self,
        transport: wire.Transport = None,
        *,
        query_seconds: float = QUERY_SECONDS,
        list_seconds: float = listing.LIST_SECONDS,
    ) -> None:
        self._transport = transport
        self._query_seconds = query_seconds
        self._list_seconds = list_seconds

    def obstacle(self, request: Request) -> str:
        return inputs.obstacle(request)

    def plan(self, request: Request) -> Plan:
        """The mark is the whole input: nothing else of ours stands in the list."""
        video = _video(request)
        model = inputs.MODELS[video.model]
        return Plan(route=model.route, mark={"model": model.name, "input": inputs.body_input(video)})

    def submit(self, account: Account, request: Request) -> Accepted:
        """Sends the create exactly once, and never asks Replicate to hold the answer back until the clip is made."""
        plan = self.plan(request)
        body = {"input": plan.mark["input"]} | _webhook(request.callback_url)
        url = account.base_url + plan.route
        response = wire.create(self._transport, url, body=json.dumps(body), headers=_headers(account))
        if not response.is_success:
            own_words = answers.in_own_words(response)
            said, wait = answers.message(response), _retry_after(response)
            raise verdicts.refusal(response.status_code, said, wait, own_words=own_words)
        row = answers.prediction(response)
        return Accepted(upstream_id=wire.text(row["id"]), route=plan.route, state_word=wire.text(row.get("status")))

    async def check_many(
        self, client: httpx.AsyncClient, account: Account, handles: Sequence[Handle]
    ) -> dict[str, Progress]:
        """One by one, there is no batch. OutcomeUnknown only when every query failed."""
        asked = [partial(_asked, client, account, handle.upstream_id) for handle in handles]
        return await wire.all_at_once(asked, self._query_seconds)

    def find(self, account: Account, trace: Trace) -> list[Progress]:
        def ask(path: str) -> httpx.Response:
            return wire.query(self._transport, account.base_url + path, headers=_headers(account))

        rows, is_complete = listing.alike(ask, trace, self._list_seconds)
        found = [answers.progress(row) for row in rows if wire.text(row.get("id"))]
        is_complete = is_complete and len(found) == len(rows)
        if not found and not is_complete:
            raise OutcomeUnknown("work is listed that cannot be compared with what was sent")
        return found if is_complete else Incomplete(found)

    def cancel(self, account: Account, handle: Handle) -> bool:
        """Never: a cancelled prediction is billed for the time it ran, and no answer proves that it had not begun."""
        return False

    def callback_keys(self, account: Account) -> dict[str, str]:
        response = wire.query(self._transport, account.base_url + SECRET, headers=_headers(account))
        secret = wire.text(answers.read(response).get("key"))
        if not response.is_success or not secret:
            raise OutcomeUnknown(f"HTTP {response.status_code}: no secret")
        return {"secret": secret}

    def read_callback(self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The prediction itself. Without a known secret its address, which nobody else knows, has to do."""
        secret = account.credentials.get("webhook_secret") or account.callback_keys.get("secret")
        if secret:
            signatures.check_standard_webhook(secret, headers, body)
        return signatures.named_in(signatures.read_object(body), "id")


async def _asked(client: httpx.AsyncClient, account: Account, upstream_id: str) -> dict[str, Progress]:
    """One query; empty when Replicate has no such prediction. Raises OutcomeUnknown."""
    url = f"{account.base_url}{listing.PATH}/{wire.spelled(upstream_id)}"
    response = await wire.ask(client, url, headers=_headers(account))
    if answers.is_absence(response):
        return {}
    found = answers.progress(answers.prediction(response))
    if found.upstream_id != upstream_id:
        raise OutcomeUnknown("the answer is about another prediction")
    return {upstream_id: found}


def _video(request: Request) -> VideoRequest:
    if not isinstance(request, VideoRequest):
        raise TypeError("Replicate makes videos only.")
    return request


def _webhook(callback_url: str | None) -> dict[str, Any]:
    return {"webhook": callback_url, "webhook_events_filter": ["completed"]} if callback_url else {}


def _retry_after(response: httpx.Response) -> int | None:
    """The header, else the number that some refusals carry beside their words."""
    said = answers.read(response).get("retry_after")
    header = wire.retry_after_seconds(response)
    return header if header is not None or type(said) is not int or not 0 <= said <= 10**6 else said


def _headers(account: Account) -> wire.Headers:
    return wire.bearer(account.credentials.get("api_key", ""))
