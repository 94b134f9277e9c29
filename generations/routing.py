"""Which provider account gets a task: the cheapest of those that can take it, and why the others cannot.

An account that is full, told to slow down or unwell makes the task wait; one where the task has already failed is
passed over. New tasks are not taken while all that could serve them are unwell. The margin guard passes over what would
cost more than the task's price and the loss allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.compiled import Compiled, Given
from accounts.models import Organization
from generations import requests
from generations.models import Attempt, ProviderAccount, Task
from generations.providers import ADAPTERS, adapter
from generations.requests import Order

CREDITS_PER_DOLLAR = Decimal(72)
SOFT_OUTCOME = "slow_down"
ACCOUNTS = Compiled(lambda: ProviderAccount.objects.filter(serves=Given("serves"), provider__in=ADAPTERS))


class NoSlot(Exception):
    """The account works on as many tasks of the model as it may."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What of a task decides who can take it. `price` is in credits."""

    model: str
    cell: str
    seconds: int
    price: Decimal
    sandbox: bool
    order: Order


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One account; `reason` says why not (empty: it can), `waits` that it soon may."""

    account: ProviderAccount
    cost: Decimal
    reason: str = ""
    waits: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    account: ProviderAccount | None = None
    cost: Decimal = Decimal(0)
    waits: bool = False
    considered: list[dict[str, Any]] = field(default_factory=list)


def wish(task: Task, order: Order) -> Wish:
    return Wish(
        model=task.model,
        cell=task.price["cell"],
        seconds=task.video_duration or 1,
        price=task.reserved_credits,
        sandbox=task.organization.is_sandbox,
        order=order,
    )


def choose(task: Task, order: Order | None = None) -> Choice:
    """The account for the task's next attempt, with every candidate's reason. None where it is or has failed."""
    tried = Attempt.objects.filter(task=task, state__in=[*Attempt.OPEN, Attempt.State.FAILED]).exclude(
        outcome__in=[SOFT_OUTCOME, "not_created"]
    )
    wanted = wish(task, order or requests.order(task))
    return _choice(candidates(wanted, without=set(tried.values_list("account_id", flat=True))))


def accepts(organization: Organization, wanted: Wish) -> bool:
    """Whether a new task would find an account now, or after a short wait."""
    choice = _choice(candidates(wanted, at_post=True))
    return choice.account is not None or choice.waits


def candidates(wanted: Wish, *, without: set[int] = frozenset(), at_post: bool = False) -> list[Candidate]:  # type: ignore[assignment]
    """All accounts that serve this kind of key, cheapest first. A new task does not wait for one that is unwell."""
    serves = ProviderAccount.Serves.SANDBOX if wanted.sandbox else ProviderAccount.Serves.LIVE
    now = timezone.now()
    found = []
    for account in ACCOUNTS(serves=serves):
        cost = _cost(account, wanted)
        reason, waits = _obstacle(account, wanted, cost), False
        if not reason:
            reason, waits = _pause(account, wanted, now, at_post=at_post)
        if account.pk in without:
            reason, waits = "the task failed here", False
        if not reason and not at_post and not has_slot(account, wanted.model):
            reason, waits = "full", True
        found.append(Candidate(account=account, cost=cost or Decimal(0), reason=reason, waits=waits))
    return sorted(found, key=lambda candidate: (candidate.cost, candidate.account.pk))


def has_slot(account: ProviderAccount, model: str, *, lock: bool = False) -> bool:
    """Whether the account may work on one more task. With `lock`, those who take the last slot come one by one."""
    cap = account.caps.get(model, account.caps.get("*"))
    if cap is None:
        return True
    if lock:
        ProviderAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    busy = Attempt.objects.filter(account=account, state__in=Attempt.OPEN)
    return (busy.filter(task__model=model) if model in account.caps else busy).count() < cap


def _choice(found: Sequence[Candidate]) -> Choice:
    considered = [
        {"account": candidate.account.name, "cost": str(candidate.cost), "reason": candidate.reason or "can take it"}
        for candidate in found
    ]
    for candidate in found:
        if not candidate.reason:
            return Choice(account=candidate.account, cost=candidate.cost, considered=considered)
    return Choice(waits=any(candidate.waits for candidate in found), considered=considered)


def _cost(account: ProviderAccount, wanted: Wish) -> Decimal | None:
    """US dollars for the whole task, None when the account has no cost for it. A simulator without any is free."""
    if account.simulator and not account.costs:
        return Decimal(0)
    rate = account.costs.get(wanted.model, {}).get(wanted.cell)
    return Decimal(str(rate)) * wanted.seconds if rate is not None else None


def _obstacle(account: ProviderAccount, wanted: Wish, cost: Decimal | None) -> str:
    if not account.enabled:
        return "switched off"
    if account.draining:
        return "draining"
    if account.simulator and not wanted.sandbox and not settings.SIMULATORS_SERVE_LIVE_KEYS:
        return "a simulator serves no live keys"
    if cost is None:
        return "does not offer it"
    if obstacle := adapter(account.provider).obstacle(wanted.order.request(account)):
        return obstacle
    if cost > wanted.price / CREDITS_PER_DOLLAR * (1 + settings.MAX_LOSS_SHARE):
        return "would cost too much"
    return ""


def _pause(account: ProviderAccount, wanted: Wish, now: datetime, *, at_post: bool) -> tuple[str, bool]:
    """Why it is left alone, and whether that is worth waiting for."""
    for scope in ("*", wanted.model):
        paused = account.pauses.get(scope)
        if paused and datetime.fromisoformat(paused["until"]) > now:
            return f"left alone: {paused['reason']}", paused["soft"] or not at_post
    return "", False
