"""The only code that moves tasks and attempts.

    Task     pending -> processing | failed | cancelled        processing -> completed | failed | cancelled
    Attempt  submitting -> running -> fetching -> succeeded    each also -> failed | lost

Every function locks the task's row first (then the account, the breaker, the attempt, the day's loss, the wallet: one
order everywhere), moves states by UPDATEs that name the state they leave, and moves the credits in the same
transaction. Whoever changes the row does the rest; whoever does not, stops. Terminal states are final. What becomes
known about an attempt after its end (a late success, a lost acceptance) is written down as orphan spend and never
charged.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from accounts import ids
from accounts.errors import Conflict
from billing import ledger, pricing
from billing.models import ProviderCost
from generations import (
    alerts,
    breaker,
    catalog,
    costs,
    doorbell,
    elements,
    leases,
    margin,
    orphans,
    routing,
    settlement,
    webhooks,
)
from generations.failures import TIMEOUT, Failure
from generations.models import Attempt, StoredFile, Task
from generations.models.providers import ProviderAccount
from generations.moves import FREE, NEVER, judged, lock, move, result_link
from generations.moves import cost as cost_of
from generations.providers.base import Accepted, Plan, Progress, Verdict

Status = Task.Status
State = Attempt.State
LEFT_QUEUE = routing.LEFT_QUEUE
CANCELLED = "request_cancelled"
LAST_LOOK = timedelta(minutes=1)  # before its deadline, at work that waits in a provider's queue
# Tried elsewhere, and no word about the provider.
NOBODYS_FAULT = {CANCELLED, "media_unreachable", "video_probe_failed"}


def freeze_input_length(task: Task, seconds: Decimal) -> None:
    """The length of the input that the worker probed, where the price depends on it."""
    if task.price.get("measured") == "input":
        Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(measured_seconds=seconds)


def begin_attempt(
    task: Task,
    account: ProviderAccount,
    *,
    plan: Plan,
    choice: list[dict[str, Any]],
    cost_estimate: Decimal,
    attempt_id: UUID | None = None,
    loss: Decimal = Decimal(0),
    is_probe: bool = False,
) -> Attempt | None:
    """Commit the intent to send the task to `account`. None when the task has ended, or this worker lost its claim.

    Raises routing.NoSlot when the account cannot take it after all, and nothing is changed.
    """
    now, key = timezone.now(), attempt_id or ids.new()
    with transaction.atomic():
        current = lock(task.pk)
        if not current.is_open or current.lease_token != task.lease_token:
            return None
        if not routing.has_slot(account, current.model, lock=True):
            raise routing.NoSlot(f"{account} works on as many tasks as it may.")
        if is_probe and not breaker.claim_probe(account, current.model, key):
            raise routing.NoSlot(f"{account} is probed by another task.")
        if loss and not margin.take(loss, margin.day_of(now)):
            raise routing.NoSlot("The day's loss is used up.")
        number = current.attempts.count() + 1
        return Attempt.objects.create(
            pk=key,
            task=current,
            account=account,
            model=current.model,
            number=number,
            is_probe=is_probe,
            loss=loss,
            created_at=now,
            route=plan.route,
            mark=plan.mark,
            choice=choice,
            cost_estimate=cost_estimate,
        )


def accepted(attempt: Attempt, answer: Accepted | Progress) -> bool:
    """The provider has the work. It holds even for a worker that lost its claim: an upstream id is a fact.

    Work that was found again, or of which a callback told already, may have ended: it is polled at once.
    """
    now = timezone.now()
    later = now if isinstance(answer, Progress) else now + timedelta(seconds=settings.POLL_INTERVAL_SECONDS)
    with transaction.atomic():
        task = lock(attempt.task_id)
        moved = move(
            attempt,
            State.SUBMITTING,
            State.RUNNING,
            upstream_id=answer.upstream_id,
            state_word=answer.state_word[:80],
            accepted_at=now,
            queued_since=now if answer.queued else None,
            unknown_since=None,
            **FREE | {"due_at": Case(When(hint_id="", then=Value(later)), default=Value(now))},
        )
        if not moved:
            _note_late_acceptance(attempt, answer.upstream_id)
            return False
        if isinstance(answer, Progress) and not answer.known_word:
            alerts.tell("unknown-status-word", str(attempt.account), f"{attempt}: it says {answer.state_word!r}.")
        spec = catalog.find(task.model)
        minutes = spec.deadline_minutes if spec else 60
        deadline = task.deadline_at if task.accepted_at else now + timedelta(minutes=minutes)
        leaves = min(now + timedelta(seconds=settings.QUEUE_PATIENCE_SECONDS), deadline - LAST_LOOK)
        Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(
            status=Status.PROCESSING,
            accepted_at=task.accepted_at or now,
            deadline_at=deadline,
            claims=0,
            **(FREE | {"due_at": leaves} if answer.queued else NEVER),
        )
    breaker.accepted(attempt, until=deadline)
    return True


def withdrawn(attempt: Attempt) -> None:
    """The provider let it go out of its queue unmade: the task may be sent elsewhere."""
    with transaction.atomic():
        lock(attempt.task_id)
        moved = move(attempt, State.RUNNING, State.FAILED, outcome=LEFT_QUEUE, queued_since=None, **NEVER)
        if moved:
            margin.give_back(attempt)
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(**FREE | {"due_at": timezone.now()})
    breaker.undecided(attempt)


def outcome_unknown(attempt: Attempt, detail: str, *, look_at: datetime) -> None:
    """Sent, and nobody can say whether it was accepted: hold everything and look it up at `look_at`."""
    with transaction.atomic():
        lock(attempt.task_id)
        now = timezone.now()
        moved = Attempt.objects.filter(pk=attempt.pk, state=State.SUBMITTING).update(
            unknown_since=attempt.unknown_since or now, upstream_message=detail[:1000], **judged(now, fault=True)
        )
        if moved:
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(claims=0, **FREE | {"due_at": look_at})


def refused(attempt: Attempt, reason: str, outcome: str, *, retry_at: datetime) -> None:
    """Certainly not accepted, and not by the customer's fault: the attempt is over, the task may be sent again."""
    verdict = judged(timezone.now(), fault=True) if outcome == "provider_refused" else {}
    with transaction.atomic():
        lock(attempt.task_id)
        if outcome == routing.ABSENT_OUTCOME and Attempt.objects.filter(pk=attempt.pk).exclude(hint_id="").exists():
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(**FREE | {"due_at": retry_at})
            return  # a callback named the work while it was looked up in vain
        if move(attempt, State.SUBMITTING, State.FAILED, outcome=outcome, upstream_message=reason[:1000], **verdict):
            margin.give_back(attempt)
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(
                claims=0, **FREE | {"due_at": retry_at}
            )


def result_ready(attempt: Attempt, progress: Progress) -> bool:
    """The provider finished: keep where the result is, and ring for it to be fetched."""
    now = timezone.now()
    with transaction.atomic():
        task = lock(attempt.task_id)
        moved = move(
            attempt,
            State.RUNNING,
            State.FETCHING,
            result_url=result_link(task, progress),
            upstream_element_id=progress.element_id or "",
            state_word=progress.state_word[:80],
            **cost_of(progress),
            **judged(now, fault=False),
            **FREE | {"due_at": now, "rung_until": now + leases.RING_TRUST},
        )
        if moved:
            doorbell.ring("fetch", attempt.pk)
        else:
            orphans.note_late_success(attempt, progress)
    breaker.succeeded(attempt)
    return moved


def attempt_failed(attempt: Attempt, progress: Progress) -> None:
    """The provider's own word that accepted work failed: fail the task, or send it once more elsewhere."""
    verdict = progress.verdict or Verdict(
        code="unknown_error",
        message="The generation failed.",
        by_input=False,
        retryable=True,
        upstream_message=progress.state_word,
    )
    if verdict.code == CANCELLED and attempt.cancel_asked:
        _let_go(attempt)
        return
    is_fault = not verdict.by_input and verdict.code not in NOBODYS_FAULT
    with transaction.atomic():
        task = lock(attempt.task_id)
        moved = move(
            attempt,
            attempt.state,
            State.FAILED,
            outcome=verdict.code,
            upstream_message=verdict.upstream_message[:1000],
            state_word=progress.state_word[:80],
            **(judged(timezone.now(), fault=is_fault) if is_fault or verdict.by_input else {}),
            **cost_of(progress),
            **NEVER,
        )
        if moved:
            goes_on = task.is_open and not verdict.by_input and _may_go_on(task)
            margin.lose(attempt) if progress.cost and progress.cost.amount else margin.give_back(attempt)
            _end_or_go_on(task, verdict, goes_on=goes_on)
            costs.record_failed(task, attempt, progress.cost)
    if moved:
        breaker.fault(attempt, verdict.upstream_message) if is_fault else breaker.undecided(attempt)


def _let_go(attempt: Attempt) -> None:
    """We had asked the provider to let it go, and its answer came late: that is no failure of anybody."""
    if attempt.cancel_asked == Attempt.CancelAsked.BY_CUSTOMER:
        cancel(attempt.task, stopped=attempt)
    else:
        withdrawn(attempt)


def _end_or_go_on(task: Task, verdict: Verdict, *, goes_on: bool) -> None:
    """The locked task, after a provider failed it."""
    if not task.is_open:
        return
    if goes_on:
        now = timezone.now()
        Task.objects.filter(pk=task.pk).update(**FREE | {"due_at": now, "rung_until": now + leases.RING_TRUST})
        doorbell.ring("submit", task.pk)
    else:
        _end(task, Status.FAILED, Failure(code=verdict.code, message=verdict.message, retryable=verdict.retryable))


def complete(attempt: Attempt, *, result: StoredFile | None) -> bool:
    """The result is ours: charge, and announce it. False when somebody else was first or the claim is lost."""
    now = timezone.now()
    with transaction.atomic():
        task = lock(attempt.task_id)
        moved = (
            leases.held(attempt)
            .filter(state=State.FETCHING)
            .update(state=State.SUCCEEDED, outcome="succeeded", finished_at=now, **NEVER)
        )
        if not moved or not task.is_open:
            return False
        if task.type == Task.Type.ELEMENT:
            elements.create(task, attempt)
        measured = settlement.measured_seconds(task, result)
        until, cost = result.expires_at if result else None, costs.of_success(task, attempt)
        _end(task, Status.COMPLETED, expires_at=until, measured=measured, cost=cost)
        return True


def fail(task: Task, failure: Failure, *, attempt: Attempt | None = None, upstream_message: str = "") -> bool:
    """End the task with a full refund. An open attempt must be certainly dead: it is given and ends as failed.

    Without one, only the worker whose claim read `task` may say so.
    """
    if attempt is not None:
        breaker.undecided(attempt)
    with transaction.atomic():
        current = lock(task.pk)
        if attempt is not None:
            values = {"outcome": failure.code, "upstream_message": upstream_message[:1000]}
            if not move(attempt, attempt.state, State.FAILED, **values, **judged(timezone.now(), fault=False), **NEVER):
                return False
            margin.give_back(attempt)
        elif current.lease_token != task.lease_token or current.attempts.filter(state__in=Attempt.OPEN).exists():
            return False
        return current.is_open and _end(current, Status.FAILED, failure)


def give_up(task: Task, failure: Failure = TIMEOUT) -> bool:
    """The deadline: refund in full, and keep an open attempt as possible orphan spend."""
    with transaction.atomic():
        current = lock(task.pk)
        if not current.is_open:
            return False
        lost = [attempt for attempt in current.attempts.filter(state__in=Attempt.OPEN) if _lose(attempt, failure)]
        ended = _end(current, Status.FAILED, failure)
    for attempt in lost:
        if attempt.state == State.RUNNING:
            breaker.fault(attempt, "It did not finish before the deadline.")
    return ended


def cancel(task: Task, *, stopped: Attempt | None = None) -> Task:
    """Cancel with a full refund; again = the same answer.

    Certain while nothing was sent. `stopped` is an attempt that its provider really stopped. Raises Conflict
    `task_not_cancellable` otherwise.
    """
    if stopped is not None:
        breaker.undecided(stopped)
    with transaction.atomic():
        current = lock(task.pk)
        if current.status == Status.CANCELLED:
            return current
        if stopped is not None and move(stopped, stopped.state, State.FAILED, outcome="request_cancelled", **NEVER):
            margin.give_back(stopped)
        if not current.is_open or current.attempts.filter(state__in=Attempt.OPEN).exists():
            raise Conflict("task_not_cancellable", "This task can no longer be cancelled.")
        _end(
            current,
            Status.CANCELLED,
            Failure(code="request_cancelled", message="The task was cancelled. You were not charged."),
        )
        return current


def _end(
    task: Task,
    status: Status,
    failure: Failure | None = None,
    *,
    expires_at: datetime | None = None,
    measured: Decimal | None = None,
    cost: ProviderCost | None = None,
) -> bool:
    """Move the locked task into a terminal state, settle its credits and announce it. Last step of a transaction."""
    now = timezone.now()
    values: dict[str, Any] = {"status": status, "finished_at": now, "expires_at": expires_at, **NEVER}
    if status == Status.COMPLETED:
        charge = min(pricing.settle(task.price, measured), task.reserved_credits)
        values |= {"progress": 100, "charged_credits": charge, "measured_seconds": measured}
    if failure:
        values |= failure.columns()
    if not Task.objects.filter(pk=task.pk, status__in=_before(status)).update(**values):
        return False
    for name, value in values.items():
        setattr(task, name, value)
    elements.let_references_expire(task, now)
    webhooks.announce(task, f"task.{status}")
    if status == Status.COMPLETED:
        ledger.capture(task.pk, values["charged_credits"], cost=cost)
    else:
        ledger.release(task.pk)
    return True


def _may_go_on(task: Task) -> bool:
    """Whether a task whose provider failed it goes to another one, now or when that has room."""
    accepted = task.attempts.filter(accepted_at__isnull=False).exclude(outcome=LEFT_QUEUE).count()
    if accepted >= settings.MAX_ATTEMPTS:
        return False
    choice = routing.choose(task)
    return choice.account is not None or choice.waits


def _before(status: Status) -> tuple[Status, ...]:
    return (Status.PROCESSING,) if status == Status.COMPLETED else (Status.PENDING, Status.PROCESSING)


def _lose(attempt: Attempt, failure: Failure) -> bool:
    """Work that still ran at the deadline is the provider's fault; an unknown outcome was one already."""
    verdict = judged(timezone.now(), fault=True) if attempt.state == State.RUNNING else {}
    lost = move(attempt, attempt.state, State.LOST, outcome=failure.code, **verdict)
    if lost:
        orphans.note_lost(attempt, f"{failure.code} while {attempt.state}")
        margin.lose(attempt)
    return lost


def _note_late_acceptance(attempt: Attempt, upstream_id: str) -> None:
    """The provider accepted work that we had given up: remember its id where the reconciliation finds it."""
    late = Attempt.objects.filter(pk=attempt.pk, state__in=[State.FAILED, State.LOST], upstream_id="")
    if late.update(upstream_id=upstream_id):
        orphans.note_late_acceptance(attempt, upstream_id)
