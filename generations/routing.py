"""Which provider account gets a task: the cheapest of those that can take it, and why the others cannot.

An account that is full, told to slow down, tripped or switched off makes the task wait; one where the task has already
failed is passed over. New tasks are not taken while all that could serve them have tripped or are switched off. The
margin guard passes over what would lose more than is allowed. Of those that cost the same, each gets its share by
weight: which one is decided by the task's id, the same each time it is asked.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import compiled
from accounts.compiled import Answer, Compiled, Given
from accounts.errors import Unavailable
from billing.dollars import CREDITS_PER_DOLLAR
from generations import breaker, margin, requests, switches
from generations.models import Attempt, ProviderAccount, Task
from generations.providers import ADAPTERS, adapter
from generations.requests import Order
from generations.switches import Switched

SOFT_OUTCOME = "slow_down"
ABSENT_OUTCOME = "not_created"
LEFT_QUEUE = "left_queue"
ASKED_LAST = {ABSENT_OUTCOME: "the task got lost there", LEFT_QUEUE: "the task waited long there"}
RETRY_SECONDS, MAX_RETRY_SECONDS = 30, 600
ACCOUNTS = Compiled(
    lambda: ProviderAccount.objects.filter(serves=Given("serves"), provider__in=ADAPTERS).annotate(
        against=breaker.of_account(Given("model")),
        switched=switches.of_account(),
        request_switched=switches.of_request(Given("model"), Given("organization_id")),
        **margin.annotations(Given("day")),
    )
)
"""All that routing has to know of the accounts, in one statement."""


class NoSlot(Exception):
    """The account cannot take the task after all: it filled up, its probe was given, the day's loss was used up."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What of a task decides who can take it. `price` is in credits; a new task has no id yet."""

    model: str
    cell: str
    seconds: int
    price: Decimal
    sandbox: bool
    order: Order
    organization_id: Any = None
    task_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One account; `reason` says why not (empty: it can), `waits` that it soon may.

    `asked_last`: why it comes after the others. `loss`: dollars beyond the price. `is_probe`: it has tripped, and this
    task may try it. `over_day`: only the day's loss stands against it. `again_at`: when its breaker may let a task
    through. `switched`: the switch against it.
    """

    account: ProviderAccount
    cost: Decimal
    reason: str = ""
    waits: bool = False
    asked_last: str = ""
    loss: Decimal = Decimal(0)
    is_probe: bool = False
    over_day: bool = False
    again_at: datetime | None = None
    switched: Switched | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    account: ProviderAccount | None = None
    cost: Decimal = Decimal(0)
    loss: Decimal = Decimal(0)
    is_probe: bool = False
    waits: bool = False
    over_day: bool = False
    considered: list[dict[str, Any]] = field(default_factory=list)


def wish(task: Task, order: Order) -> Wish:
    return Wish(
        model=task.model,
        cell=task.price["cell"],
        seconds=task.video_duration or 1,
        price=task.reserved_credits,
        sandbox=task.organization.is_sandbox,
        order=order,
        organization_id=task.organization_id,
        task_id=str(task.pk),
    )


def choose(task: Task, order: Order | None = None) -> Choice:
    """The account for the task's next attempt, with every candidate's reason. None where it is or has failed.

    One that lost the task in a call, or in whose queue it waited in vain, comes after the others.
    """
    over = Attempt.objects.filter(task=task, state__in=[*Attempt.OPEN, Attempt.State.FAILED])
    tried = list(over.exclude(outcome=SOFT_OUTCOME).values_list("account_id", "outcome"))
    wanted = wish(task, order or requests.order(task))
    found = candidates(wanted, without={account for account, outcome in tried if outcome not in ASKED_LAST})
    reasons = {account: ASKED_LAST[outcome] for account, outcome in tried if outcome in ASKED_LAST}
    found = [replace(candidate, asked_last=reasons.get(candidate.account.pk, "")) for candidate in found]
    return _choice(sorted(found, key=lambda candidate: bool(candidate.asked_last)))


def ask(model: str, organization_id: Any, *, sandbox: bool) -> Answer:
    """For what there is to know of the accounts; it may travel with another question, and serves `admit` then."""
    serves = ProviderAccount.Serves.SANDBOX if sandbox else ProviderAccount.Serves.LIVE
    day = margin.day_of(timezone.now())
    return compiled.ask(ACCOUNTS.given(serves=serves, model=model, organization_id=organization_id, day=day))


def admit(wanted: Wish, accounts: Answer) -> None:
    """Raises Unavailable where a new task would find no account now, nor after a short wait."""
    found = candidates(wanted, accounts, at_post=True)
    if any(not candidate.reason or candidate.waits for candidate in found):
        return
    for candidate in found:
        if candidate.switched is not None:
            raise switches.refusal(candidate.switched)
    again_at = min((candidate.again_at for candidate in found if candidate.again_at), default=None)
    seconds = RETRY_SECONDS if again_at is None else math.ceil((again_at - timezone.now()).total_seconds())
    raise Unavailable(
        "model_unavailable",
        f"{wanted.model} is not available at the moment.",
        retry_after_seconds=min(max(seconds, 1), MAX_RETRY_SECONDS),
    )


def candidates(
    wanted: Wish,
    accounts: Answer | None = None,
    *,
    without: set[int] = frozenset(),  # type: ignore[assignment]
    at_post: bool = False,
) -> list[Candidate]:
    """All accounts that serve this kind of key, cheapest first. A new task does not wait for one that is unwell."""
    now = timezone.now()
    accounts = accounts or ask(wanted.model, wanted.organization_id, sandbox=wanted.sandbox)
    found = []
    for account in accounts.rows:
        cost = _cost(account, wanted)
        loss = margin.loss(cost, wanted.price) if cost is not None else Decimal(0)
        candidate = Candidate(account=account, cost=cost or Decimal(0), loss=loss)
        if account.pk in without:
            found.append(replace(candidate, reason="the task failed here"))
            continue
        candidate = _against(candidate, wanted, now, at_post=at_post)
        if not candidate.reason and not at_post and not has_slot(account, wanted.model):
            candidate = replace(candidate, reason="full", waits=True)
        found.append(candidate)
    return sorted(found, key=lambda candidate: (candidate.cost, _turn(candidate.account, wanted.task_id)))


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
        {"account": candidate.account.name, "cost": str(candidate.cost), "reason": candidate.reason or _can(candidate)}
        for candidate in found
    ]
    over_day = any(candidate.over_day for candidate in found)
    for candidate in found:
        if not candidate.reason:
            return Choice(
                account=candidate.account,
                cost=candidate.cost,
                loss=candidate.loss,
                is_probe=candidate.is_probe,
                over_day=over_day,
                considered=considered,
            )
    return Choice(waits=any(candidate.waits for candidate in found), over_day=over_day, considered=considered)


def _can(candidate: Candidate) -> str:
    probe = ", as a probe" if candidate.is_probe else ""
    last = f", asked last: {candidate.asked_last}" if candidate.asked_last else ""
    return f"can take it{probe}{last}"


def _turn(account: ProviderAccount, task_id: str) -> tuple[float, int]:
    """Weighted rendezvous: of equals the least comes first, and over many tasks each as often as its weight says."""
    if not task_id:
        return 0.0, account.pk
    drawn = int.from_bytes(hashlib.sha256(f"{task_id}:{account.pk}".encode()).digest()[:8])
    return -math.log((drawn + 1) / 2**64) / account.weight, account.pk


def _cost(account: ProviderAccount, wanted: Wish) -> Decimal | None:
    """US dollars for the whole task, None when the account has no cost for it."""
    if not account.offers(wanted.model, wanted.cell):
        return None
    rate = account.costs[wanted.model][wanted.cell] if account.costs else 0
    return Decimal(str(rate)) * wanted.seconds


def _against(candidate: Candidate, wanted: Wish, now: datetime, *, at_post: bool) -> Candidate:
    """The candidate with what stands against it, if anything does: what lasts first, what passes by itself last."""
    account: Any = candidate.account  # with what ACCOUNTS annotates
    if switched := switches.read(account.request_switched):
        reason = f"the {switched.of} is switched off: {switched.reason}"
        return replace(candidate, reason=reason, waits=not at_post, switched=switched)
    if reason := _obstacle(candidate, wanted):
        return replace(candidate, reason=reason)
    limits = margin.limits(account)
    if candidate.cost > wanted.price / CREDITS_PER_DOLLAR * (1 + limits.share):
        return replace(candidate, reason="would cost too much")
    if not limits.has_room(candidate.loss):
        return replace(candidate, reason="the day's loss is used up", over_day=True)
    if switched := switches.read(account.switched):
        return replace(candidate, reason=f"switched off: {switched.reason}", waits=not at_post, switched=switched)
    health = breaker.standing(account.against, now)
    return replace(
        candidate,
        reason=health.reason,
        waits=bool(health.reason) and (health.soft or not at_post),
        is_probe=health.is_probe,
        again_at=health.again_at,
    )


def _obstacle(candidate: Candidate, wanted: Wish) -> str:
    account = candidate.account
    if not account.enabled:
        return "disabled"
    if account.draining:
        return "draining"
    if account.is_barred:
        return "a simulator serves no live keys"
    if not account.offers(wanted.model, wanted.cell):
        return "does not offer it"
    return adapter(account.provider).obstacle(wanted.order.request(account))
