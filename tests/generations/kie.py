"""kie.ai as the only provider of live keys, beside the gateway: fixtures, and what a test asks of it.

The product runs as a live server, so that callbacks reach it and the simulator fetches the files it is given.
"""

import json
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing.models import Transfer
from generations import provider_accounts
from generations.models import ProviderAccount, Task
from tests.generations.gateway import Steps
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

HUSH = "kie-hmac-key"


def account_at(kie: RunningFace, name: str, api_key: str, **credentials: str) -> ProviderAccount:
    """An account of ours at the simulated kie.ai."""
    account = ProviderAccount(
        name=name, alias=name, provider="kie", base_url=kie.url, simulator=True, serves=ProviderAccount.Serves.LIVE
    )
    account.set_credentials({"api_key": api_key} | credentials)
    account.save()
    return account


@pytest.fixture
def kie(gateway: Steps, simulator: RunningSimulator, live_server: LiveServer, settings: Settings) -> RunningFace:
    """kie.ai, the only provider of live keys; its callbacks are signed."""
    settings.PUBLIC_URL = live_server.url
    face = simulator.face("kie")
    simulator.do("settings", media="strict")
    face.change_account(webhook_secret=HUSH)
    account_at(face, "kie", "demo", webhook_secret=HUSH)
    provider_accounts.disable(ProviderAccount.objects.get(name="simulator-live"))
    return face


@pytest.fixture
def second_kie(kie: RunningFace) -> str:
    """A dearer account there, asked after the first; its name."""
    kie.simulator.do("accounts", provider="kie", api_key="second")
    second = account_at(kie, "second", "second")
    second.costs = {"kling-v3-text-to-video": {"720p_off": "0.01"}}
    second.save(update_fields=["costs"])
    return second.name


def bought(kie: RunningFace) -> int:
    """How many tasks exist there."""
    return len(kie.see("tasks")["tasks"])


def sent(kie: RunningFace) -> list[dict[str, Any]]:
    """The bodies of all creates, oldest first."""
    return [json.loads(row["body"]) for row in kie.see("requests")["requests"]]


def told(kie: RunningFace, count: int = 1) -> list[str]:
    """What our server answered to the callbacks, once there are so many."""

    def outcomes() -> list[str] | None:
        found = [row["outcome"] for row in kie.see("callbacks")["callbacks"]]
        return found if len(found) >= count else None

    found: list[str] = wait_for(outcomes)
    return found


def captures(task: Task) -> int:
    return Transfer.objects.filter(reservation=task.pk, kind="capture").count()
