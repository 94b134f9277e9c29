"""The contracts of the adapters: a line for each, and how a test asks one of them (`test_contract.py`)."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from generations import catalog
from generations.providers.base import (
    Accepted,
    Account,
    Adapter,
    Handle,
    OutcomeUnknown,
    Progress,
    ProviderError,
    Request,
    Trace,
    VideoRequest,
    query_client,
)
from tests.generations.providers.catalogue import NOBODY
from tests.generations.providers.requests import video
from tests.generations.simulator import RunningFace, wait_for

KEY = "key-that-nobody-may-read"
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes long").decode()
ALL_MODELS = frozenset(spec.id for spec in catalog.SPECS)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """`makes`: our models of which it can make some request. `billable`: fields of a body that change the bill.

    `finds`: when a look-up sees a create whose answer got lost. `denies`: whether it can be certain that there is none.
    `listener`: makes the account sign its callbacks, and returns it with what verifies them. `hosts`: what stands in
    the credentials beside the key, where the provider has more addresses than one. `tells_charges`: whether it
    shows what it charged, work by work.
    """

    makes: frozenset[str]
    billable: frozenset[str]
    finds: Literal["at once", "once ended", "never"]
    denies: bool
    listener: Callable[["Asked"], Account]
    tells_charges: bool = False
    hosts: Callable[[str], dict[str, str]] = lambda url: {}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One adapter, and an account of ours at its provider."""

    adapter: Adapter
    face: RunningFace
    account: Account
    contract: Contract

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """What really exists there."""
        found: list[dict[str, Any]] = self.face.see("tasks")["tasks"]
        return found

    def refusal(self, request: Request, account: Account | None = None) -> ProviderError:
        with pytest.raises(ProviderError) as caught:
            self.adapter.submit(account or self.account, request)
        error = caught.value
        assert KEY not in f"{error!r} {error} {error.__cause__!r}"
        return error

    def check(self, *upstream_ids: str, route: str) -> dict[str, Progress]:
        handles = [Handle(upstream_id=upstream_id, route=route) for upstream_id in upstream_ids]

        async def ask() -> dict[str, Progress]:
            async with query_client() as client:
                return await self.adapter.check_many(client, self.account, handles)

        return asyncio.run(ask())

    def standing(self, accepted: Accepted) -> Progress | None:
        """As a poll sees it; None without a credible answer."""
        try:
            return self.check(accepted.upstream_id, route=accepted.route).get(accepted.upstream_id)
        except OutcomeUnknown:
            return None

    def ended(self, accepted: Accepted) -> Progress:
        self.face.simulator.do("finish", task_id=accepted.upstream_id)

        def standing() -> Progress | None:
            found = self.standing(accepted)
            return found if found is not None and found.state != "running" else None

        found: Progress = wait_for(standing)
        return found

    def looked_up(self, trace: Trace) -> list[str] | None:
        """The ids that a look-up finds; None when nobody can tell."""
        try:
            return [found.upstream_id for found in self.adapter.find(self.account, trace)]
        except OutcomeUnknown:
            return None


def own_secret(asked: Asked) -> Account:
    """An operator wrote it into the account's credentials."""
    asked.face.simulator.do("accounts", provider=asked.face.name, api_key=KEY, webhook_secret=SECRET)
    return replace(asked.account, credentials={**asked.account.credentials, "webhook_secret": SECRET})


def published_keys(asked: Asked) -> Account:
    """The provider says what it signs with."""
    return replace(asked.account, callback_keys=asked.adapter.callback_keys(asked.account))


CONTRACTS = {
    "kling": Contract(
        makes=ALL_MODELS,
        billable=frozenset({"resolution", "audio", "duration", "multi_shot"}),
        finds="at once",
        denies=True,
        listener=own_secret,
        tells_charges=True,
    ),
    "fal": Contract(
        makes=ALL_MODELS
        - {"kling-v3-turbo-text-to-video", "kling-v3-turbo-image-to-video"}
        - {"kling-o1-video-edit-fast", "kling-custom-element"},
        billable=frozenset({"generate_audio", "duration"}),
        finds="once ended",
        denies=False,
        listener=published_keys,
        hosts=lambda url: {"platform_url": url, "jwks_url": f"{url}/.well-known/jwks.json"},
    ),
    "kie": Contract(
        makes=frozenset({"kling-v3-text-to-video", "kling-v3-image-to-video", "kling-v3-motion-control"})
        | {"kling-v3-turbo-text-to-video", "kling-v3-turbo-image-to-video"},
        billable=frozenset({"mode", "sound", "duration", "multi_shots"}),
        finds="never",
        denies=False,
        listener=own_secret,
    ),
    "replicate": Contract(
        makes=frozenset({"kling-v3-text-to-video", "kling-v3-image-to-video", "kling-v3-motion-control"})
        | {"kling-o3-text-to-video", "kling-o3-image-to-video", "kling-o3-reference-to-video"},
        billable=frozenset({"mode", "generate_audio", "duration"}),
        finds="at once",
        denies=True,
        listener=published_keys,
    ),
}


def clip(words: str = "a heron", **changes: Any) -> VideoRequest:
    return video("att_1", **({"prompt": words, "callback_url": f"{NOBODY}/hints/att_1/token"} | changes))
