"""The calls: one create, one query for each id. kie.ai has no batch query, no look-up and no cancel."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx

from generations.providers import wire
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
from generations.providers.kie import answers, callbacks, requests, verdicts

CREATE = "/api/v1/jobs/createTask"
QUERY = "/api/v1/jobs/recordInfo?taskId="


class Kie:
    """The adapter. `transport` replaces the network at the wire; `query_seconds` is how long the queries may take."""

    absence_is_certain = False
    poll_every = 3

    def __init__(self, transport: wire.Transport = None, *, query_seconds: float = QUERY_SECONDS) -> None:
        self._transport = transport
        self._query_seconds = query_seconds

    def obstacle(self, request: Request) -> str:
        return requests.obstacle(request)

    def plan(self, request: Request) -> Plan:
        """Every create has the same address: the route is kie.ai's name of the model."""
        return Plan(route=requests.route(request))

    def submit(self, account: Account, request: Request) -> Accepted:
        """Sends the create exactly once."""
        body = json.dumps(requests.body(request))
        response = wire.create(self._transport, account.base_url + CREATE, body=body, headers=_headers(account))
        envelope = answers.read(response)
        if not envelope.is_success:
            wait = wire.retry_after_seconds(response)
            raise verdicts.refusal(envelope.status, envelope.code, envelope.message, wait)
        return Accepted(upstream_id=answers.accepted(envelope), route=requests.route(request), state_word="")

    async def check_many(
        self, client: httpx.AsyncClient, account: Account, handles: Sequence[Handle]
    ) -> dict[str, Progress]:
        """One by one; OutcomeUnknown only when every call failed."""

        async def check(handle: Handle) -> Progress:
            url = account.base_url + QUERY + wire.spelled(handle.upstream_id)
            envelope = answers.read(await wire.ask(client, url, headers=_headers(account)))
            return answers.progress(envelope, handle.upstream_id)

        return await wire.one_by_one(handles, check, self._query_seconds)

    def find(self, account: Account, trace: Trace) -> list[Progress]:
        """Nobody can tell: kie.ai keeps no reference of ours and lists nothing. Always raises OutcomeUnknown."""
        raise OutcomeUnknown("the provider keeps no reference of ours")

    def cancel(self, account: Account, handle: Handle) -> bool:
        """Never: there is no such call, and what was accepted is billed."""
        return False

    def callback_keys(self, account: Account) -> dict[str, str]:
        """None to ask for: an operator makes the key on the settings page, and it stands with the credentials."""
        return {}

    def read_callback(self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        return callbacks.read(account.credentials.get("webhook_secret", ""), headers, body, now)


def _headers(account: Account) -> wire.Headers:
    return wire.bearer(account.credentials.get("api_key", ""))
