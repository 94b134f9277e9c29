"""Two provider accounts that could both serve alice, a cheap and a dear one, and what is done to them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from evolink_saas import ports
from generations import routing
from generations.models import Breaker, ProviderAccount, Task
from tests.generations.gateway import Steps
from tests.generations.simulator import RunningSimulator

MODEL = "kling-v3-text-to-video"
Accounts = dict[str, ProviderAccount]
DOWN: dict[str, str] = {
    "refusing connections": "",
    "5xx before acceptance": "bad-gateway",
    "empty balance": "refuse 1102",
    "429": "refuse 1302",
}
"""The ways in which the cheap account can be down, and the simulator's fault that makes it so."""


def add_account(simulator: RunningSimulator, name: str, rate: str) -> ProviderAccount:
    """An account at the simulator that makes a text to video for so many dollars a second."""
    simulator.do("accounts", api_key=name)
    account = ProviderAccount(name=name, alias=name, provider="kling", base_url=simulator.url, simulator=True)
    account.costs = {MODEL: {"720p_off": rate, "720p_on": "0.5"}}
    account.set_credentials({"api_key": name})
    account.save()
    return account


@pytest.fixture
def accounts(gateway: Steps, simulator: RunningSimulator) -> Accounts:
    """A dear and a cheap account, in that order of making."""
    ProviderAccount.objects.filter(serves="live").delete()
    return {name: add_account(simulator, name, rate) for name, rate in (("dear", "0.074"), ("cheap", "0.070"))}


def change(account: ProviderAccount, **values: Any) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(**values)


def break_down(simulator: RunningSimulator, account: ProviderAccount, way: str) -> Callable[[], None]:
    """From now on every create there goes wrong, in one of the ways of DOWN; what is returned mends it."""
    if not DOWN[way]:
        change(account, base_url=f"http://127.0.0.1:{ports.find_free()}")
        return lambda: change(account, base_url=simulator.url)
    simulator.script(DOWN[way], times=1_000_000, account=account.caller().credentials["api_key"])
    return lambda: sign_in_anew(simulator, account)


def sign_in_anew(simulator: RunningSimulator, account: ProviderAccount) -> None:
    """With another key, which no fault is scripted for."""
    key = f"{account.name}-mended"
    simulator.do("accounts", api_key=key)
    account.set_credentials({"api_key": key})
    account.save(update_fields=["encrypted_credentials"])


def considered(task: Task) -> dict[str, str]:
    """By account: its reason, in the order of preference; the one that was chosen says `can take it`."""
    return {row["account"]: row["reason"] for row in routing.choose(task).considered}


def row_of(account: ProviderAccount, model: str = MODEL) -> Breaker:
    return Breaker.objects.get(account=account, model=model)


def let_time_pass() -> None:
    """Every wait of a breaker, and every rest, is over; tasks that wait are due."""
    past = timezone.now() - timedelta(seconds=1)
    Breaker.objects.filter(probe_at__isnull=False).update(probe_at=past)
    Breaker.objects.filter(probing_until__isnull=False).update(probing_until=past)
    Breaker.objects.filter(rest_until__isnull=False).update(rest_until=past)
    Task.objects.filter(status__in=Task.OPEN, due_at__isnull=False).update(due_at=past)
