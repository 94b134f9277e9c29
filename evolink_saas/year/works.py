"""Tasks and attempts as rows: how a task ended, what was tried at which provider account, and what that cost us."""

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import ApiKey
from evolink_saas.year.market import DOLLARS_A_UNIT
from evolink_saas.year.offers import Offer
from generations.models import Attempt, ProviderAccount, Task

Status, State = Task.Status, Attempt.State
COMPLETED, CANCELLED = 0.93, 0.015
FAILED_OVER, BILLED_FAILURES = 0.03, 0.08
FAILURES = (
    ("service_error", "It failed inside the service. Try again.", True, 5),
    ("content_policy_violation", "The provider's content policy refused it.", False, 4),
    ("generation_timeout", "It did not finish in time. Try again.", True, 2),
    ("image_processing_error", "An image cannot be read.", False, 1),
)
REASON = "can take it"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a task will end; `charged` is what it costs its customer, `measured` the seconds behind it."""

    status: Task.Status
    at: datetime
    charged: Decimal = Decimal(0)
    measured: Decimal | None = None
    code: str = ""
    message: str = ""
    retryable: bool = False


def ending(rng: random.Random, offer: Offer, at: datetime) -> Ending:
    chance = rng.random()
    took = offer.spec.estimated_seconds * rng.uniform(0.4, 1.2) * (1 + 3 * rng.random() ** 8)
    if chance < COMPLETED:
        measured, charged = rng.choice(offer.charges)
        return Ending(status=Status.COMPLETED, at=at + timedelta(seconds=took), measured=measured, charged=charged)
    if chance < COMPLETED + CANCELLED:
        ends_at = at + timedelta(seconds=rng.uniform(2, 20))
        return Ending(status=Status.CANCELLED, at=ends_at, code="request_cancelled", message="You cancelled it.")
    code, message, retryable, _ = rng.choices(FAILURES, weights=[one[3] for one in FAILURES])[0]
    share = rng.uniform(0.02, 0.4) if not retryable else rng.uniform(0.3, 2.5)
    ends_at = at + timedelta(seconds=max(3.0, took * share))
    return Ending(status=Status.FAILED, at=ends_at, code=code, message=message, retryable=retryable)


def task(
    task_id: uuid.UUID, key: ApiKey, group: str, offer: Offer, at: datetime, ended: Ending, metadata: dict[str, str]
) -> Task:
    completed = ended.status == Status.COMPLETED
    minutes = offer.spec.deadline_minutes + offer.spec.unaccepted_deadline_minutes
    return Task(
        id=task_id,
        organization_id=key.organization_id,
        api_key=key,
        model=offer.spec.id,
        type=offer.spec.type,
        status=ended.status,
        progress=100 if completed else 0,
        inputs=offer.inputs,
        metadata=metadata,
        video_duration=None if offer.seconds is None else int(offer.seconds.to_integral_value()),
        estimated_seconds=offer.spec.estimated_seconds,
        price=offer.price,
        billing_rule="per_call" if offer.seconds is None else "per_second",
        user_group=group,
        reserved_credits=offer.credits,
        charged_credits=ended.charged,
        measured_seconds=ended.measured,
        error_code=ended.code,
        error_message=ended.message,
        error_retryable=ended.retryable,
        created_at=at,
        accepted_at=at + timedelta(seconds=1.5) if ended.status != Status.CANCELLED else None,
        deadline_at=at + timedelta(minutes=minutes),
        finished_at=ended.at,
    )


def attempts(rng: random.Random, made: Task, offer: Offer, accounts: list[ProviderAccount]) -> list[Attempt]:
    """None for a task that was cancelled before it was sent; sometimes one that failed before the one that counts."""
    if made.status == Status.CANCELLED:
        return []
    able = [account for account in accounts if account.offers(made.model, offer.cell)]
    chosen = rng.choices(able, weights=[account.weight for account in able])[0]
    tried: list[Attempt] = []
    others = [account for account in able if account != chosen]
    if others and rng.random() < FAILED_OVER:
        tried.append(_attempt(rng, made, offer, rng.choice(others), 1, State.FAILED, "service_unavailable"))
    succeeded = made.status == Status.COMPLETED
    state, outcome = (State.SUCCEEDED, "succeeded") if succeeded else (State.FAILED, made.error_code)
    return [*tried, _attempt(rng, made, offer, chosen, len(tried) + 1, state, outcome)]


def cost(account: ProviderAccount, offer: Offer) -> Decimal:
    """US dollars, as routing expects them."""
    rate = account.costs[offer.spec.id][offer.cell] if account.costs else 0
    return (Decimal(str(rate)) * (offer.seconds or 1)).quantize(Decimal("0.000001"))


def is_billed(attempt: Attempt) -> bool:
    """Whether the provider charged for it: what succeeded, and some of what failed."""
    return attempt.state == State.SUCCEEDED or bool(attempt.cost_amount)


def _attempt(
    rng: random.Random,
    made: Task,
    offer: Offer,
    account: ProviderAccount,
    number: int,
    state: Attempt.State,
    outcome: str,
) -> Attempt:
    dollars, never_sent = cost(account, offer), state == State.FAILED and outcome == "service_unavailable"
    billed = state == State.SUCCEEDED or (not never_sent and rng.random() < BILLED_FAILURES)
    sent_at = made.created_at + timedelta(seconds=number)
    return Attempt(
        task=made,
        account=account,
        model=made.model,
        number=number,
        state=state,
        choice=[{"account": account.name, "cost": str(dollars), "reason": REASON}],
        route=made.model,
        upstream_id="" if never_sent else f"{rng.getrandbits(80):020x}",
        outcome=outcome,
        cost_estimate=dollars,
        created_at=sent_at,
        accepted_at=None if never_sent else sent_at + timedelta(seconds=0.5),
        finished_at=made.finished_at if not never_sent else sent_at + timedelta(seconds=0.5),
        **_billed(account, dollars if billed else Decimal(0), never_sent),
    )


def _billed(account: ProviderAccount, dollars: Decimal, never_sent: bool) -> dict[str, Any]:
    """What the provider says of the cost: Kling in units, the others in dollars."""
    if never_sent:
        return {}
    if account.provider == "kling":
        return {"cost_amount": (dollars / DOLLARS_A_UNIT).quantize(Decimal("0.000001")), "cost_unit": "unit"}
    return {"cost_amount": dollars, "cost_unit": "USD"}
