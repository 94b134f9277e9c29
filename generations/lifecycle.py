"""The only code that moves tasks and attempts.

    Task     pending -> processing | failed | cancelled        processing -> completed | failed | cancelled
    Attempt  submitting -> running -> fetching -> succeeded    each also -> failed | lost

Every function locks the task's row first (then the attempt, then the wallet: one order everywhere), moves states by
UPDATEs that name the state they leave, and moves the credits in the same transaction. Whoever changes the row does the
rest; whoever does not, stops. Terminal states are final. What becomes known about an attempt after its end (a late
success, a lost acceptance) is written down as orphan spend and never charged.
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
from generations import (
    alerts,
    catalog,
    doorbell,
    elements,
    leases,
    orphans,
    routing,
    settlement,
    webhooks,
)
from generations.failures import TIMEOUT, Failure
from generations.models import Attempt, StoredFile, Task
from generations.models.providers import ProviderAccount
from generations.providers.base import Accepted, Plan, Progress, Verdict

Status = Task.Status
State = Attempt.State
FREE = {"leased_until": None, "leased_by": "", "rung_until": None}
NEVER = FREE | {"due_at": None}
LEFT_QUEUE = "left_queue"


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
) -> Attempt | None:
    """Commit the intent to send the task to `account`. None when the task has ended, or this worker lost its claim.

    Raises routing.NoSlot when the account filled up meanwhile.
    """
    with transaction.atomic():
        current = _lock(task)
        if not current.is_open or current.lease_token != task.lease_token:
            return None
        if not routing.has_slot(account, current.model, lock=True):
            raise routing.NoSlot(f"{account} works on as many tasks as it may.")
        number = current.attempts.count() + 1
        return Attempt.objects.create(
            pk=attempt_id or ids.new(),
            task=current,
            account=account,
            number=number,
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
        task = _lock_by_id(attempt.task_id)
        moved = _move(
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
        Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(
            status=Status.PROCESSING,
            accepted_at=task.accepted_at or now,
            deadline_at=task.deadline_at if task.accepted_at else now + timedelta(minutes=minutes),
            claims=0,
            **(FREE | {"due_at": now + timedelta(seconds=settings.QUEUE_PATIENCE_SECONDS)} if answer.queued else NEVER),
        )
        return True


def begun(attempt: Attempt) -> None:
    """It has left the provider's own queue: that time is added to the task's deadline."""
    now = timezone.now()
    with transaction.atomic():
        task = _lock_by_id(attempt.task_id)
        queued = Attempt.objects.filter(pk=attempt.pk, state=State.RUNNING, queued_since__isnull=False)
        since = queued.values_list("queued_since", flat=True).first()
        if since is not None and queued.update(queued_since=None):
            Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(
                deadline_at=task.deadline_at + (now - since), due_at=None
            )


def withdrawn(attempt: Attempt) -> None:
    """The provider let it go out of its queue unmade: the task may be sent elsewhere."""
    with transaction.atomic():
        _lock_by_id(attempt.task_id)
        moved = _move(attempt, State.RUNNING, State.FAILED, outcome=LEFT_QUEUE, queued_since=None, **NEVER)
        if moved:
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(**FREE | {"due_at": timezone.now()})


def hinted(attempt: Attempt, upstream_id: str) -> None:
    """A provider's callback named this work: ask about it now, or look there for what got lost."""
    now = timezone.now()
    with transaction.atomic():
        task = _lock_by_id(attempt.task_id)
        rows = Attempt.objects.filter(pk=attempt.pk)
        rows.filter(state=State.RUNNING, upstream_id=upstream_id).update(due_at=now)
        if rows.filter(upstream_id="", hint_id="").update(hint_id=upstream_id[:200]):
            orphans.look_again(attempt)
            unknown = rows.filter(state=State.SUBMITTING, unknown_since__isnull=False).exists()
            if unknown and Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(due_at=now):
                doorbell.ring("submit", task.pk)


def outcome_unknown(attempt: Attempt, detail: str, *, look_at: datetime) -> None:
    """Sent, and nobody can say whether it was accepted: hold everything and look it up at `look_at`."""
    with transaction.atomic():
        _lock_by_id(attempt.task_id)
        moved = Attempt.objects.filter(pk=attempt.pk, state=State.SUBMITTING).update(
            unknown_since=attempt.unknown_since or timezone.now(), upstream_message=detail[:1000]
        )
        if moved:
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(claims=0, **FREE | {"due_at": look_at})


def refused(attempt: Attempt, reason: str, outcome: str, *, retry_at: datetime) -> None:
    """Certainly not accepted, and not by the customer's fault: the attempt is over, the task may be sent again."""
    with transaction.atomic():
        _lock_by_id(attempt.task_id)
        if _move(attempt, State.SUBMITTING, State.FAILED, outcome=outcome, upstream_message=reason[:1000]):
            Task.objects.filter(pk=attempt.task_id, status__in=Task.OPEN).update(
                claims=0, **FREE | {"due_at": retry_at}
            )


def result_ready(attempt: Attempt, progress: Progress) -> bool:
    """The provider finished: keep where the result is, and ring for it to be fetched."""
    now = timezone.now()
    with transaction.atomic():
        task = _lock_by_id(attempt.task_id)
        moved = _move(
            attempt,
            State.RUNNING,
            State.FETCHING,
            result_url=result_link(task, progress),
            upstream_element_id=progress.element_id or "",
            state_word=progress.state_word[:80],
            **_cost(progress),
            **FREE | {"due_at": now, "rung_until": now + leases.RING_TRUST},
        )
        if moved:
            doorbell.ring("fetch", attempt.pk)
        else:
            orphans.note_late_success(attempt, progress)
        return moved


def result_link(task: Task, progress: Progress) -> str:
    """Where the provider's result lies, in the form that was asked for; empty when it has no file."""
    return progress.outputs[0].link(watermark=task.inputs.get("watermark", False)) if progress.outputs else ""


def attempt_failed(attempt: Attempt, progress: Progress) -> None:
    """The provider's own word that accepted work failed: fail the task, or send it once more elsewhere."""
    verdict = progress.verdict or Verdict(
        code="unknown_error",
        message="The generation failed.",
        by_input=False,
        retryable=True,
        upstream_message=progress.state_word,
    )
    with transaction.atomic():
        task = _lock_by_id(attempt.task_id)
        moved = _move(
            attempt,
            attempt.state,
            State.FAILED,
            outcome=verdict.code,
            upstream_message=verdict.upstream_message[:1000],
            state_word=progress.state_word[:80],
            **_cost(progress),
            **NEVER,
        )
        if not moved or not task.is_open:
            return
        if not verdict.by_input and _may_go_on(task):
            now = timezone.now()
            Task.objects.filter(pk=task.pk).update(**FREE | {"due_at": now, "rung_until": now + leases.RING_TRUST})
            doorbell.ring("submit", task.pk)
            return
        _end(task, Status.FAILED, Failure(code=verdict.code, message=verdict.message, retryable=verdict.retryable))


def complete(attempt: Attempt, *, result: StoredFile | None) -> bool:
    """The result is ours: charge, and announce it. False when somebody else was first or the claim is lost."""
    now = timezone.now()
    with transaction.atomic():
        task = _lock_by_id(attempt.task_id)
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
        _end(task, Status.COMPLETED, expires_at=result.expires_at if result else None, measured=measured)
        return True


def fail(task: Task, failure: Failure, *, attempt: Attempt | None = None, upstream_message: str = "") -> bool:
    """End the task with a full refund. An open attempt must be certainly dead: it is given and ends as failed.

    Without one, only the worker whose claim read `task` may say so.
    """
    with transaction.atomic():
        current = _lock(task)
        if attempt is not None:
            values = {"outcome": failure.code, "upstream_message": upstream_message[:1000]}
            if not _move(attempt, attempt.state, State.FAILED, **values, **NEVER):
                return False
        elif current.lease_token != task.lease_token or current.attempts.filter(state__in=Attempt.OPEN).exists():
            return False
        return current.is_open and _end(current, Status.FAILED, failure)


def give_up(task: Task, failure: Failure = TIMEOUT) -> bool:
    """The deadline: refund in full, and keep an open attempt as possible orphan spend."""
    with transaction.atomic():
        current = _lock(task)
        if not current.is_open:
            return False
        for attempt in current.attempts.filter(state__in=Attempt.OPEN):
            _lose(attempt, failure)
        return _end(current, Status.FAILED, failure)


def cancel(task: Task, *, stopped: Attempt | None = None) -> Task:
    """Cancel with a full refund; again = the same answer.

    Certain while nothing was sent. `stopped` is an attempt that its provider really stopped. Raises Conflict
    `task_not_cancellable` otherwise.
    """
    with transaction.atomic():
        current = _lock(task)
        if current.status == Status.CANCELLED:
            return current
        if stopped is not None:
            _move(stopped, stopped.state, State.FAILED, outcome="request_cancelled", **NEVER)
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
) -> bool:
    """Move the locked task into a terminal state, settle its credits and announce it. Last step of a transaction."""
    now = timezone.now()
    values: dict[str, Any] = {"status": status, "finished_at": now, "expires_at": expires_at, **NEVER}
    if status == Status.COMPLETED:
        charge = min(pricing.settle(task.price, measured), task.reserved_credits)
        values |= {"progress": 100, "charged_credits": charge, "measured_seconds": measured}
    if failure:
        values |= {
            "error_code": failure.code,
            "error_message": failure.message[:500],
            "error_param": failure.param[:200],
            "error_retryable": failure.retryable,
        }
    if not Task.objects.filter(pk=task.pk, status__in=_before(status)).update(**values):
        return False
    for name, value in values.items():
        setattr(task, name, value)
    elements.let_references_expire(task, now)
    webhooks.announce(task, f"task.{status}")
    if status == Status.COMPLETED:
        ledger.capture(task.pk, values["charged_credits"])
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


def _lock(task: Task) -> Task:
    return _lock_by_id(task.pk)


def _lock_by_id(task_id: Any) -> Task:
    return Task.objects.select_for_update(no_key=True).get(pk=task_id)


MOVES = {
    State.SUBMITTING: {State.RUNNING, State.FAILED, State.LOST},
    State.RUNNING: {State.FETCHING, State.FAILED, State.LOST},
    State.FETCHING: {State.SUCCEEDED, State.FAILED, State.LOST},
}


def _move(attempt: Attempt, before: str, after: State, **values: Any) -> bool:
    """One conditional UPDATE along the table of transitions."""
    if after not in MOVES.get(State(before), set()):
        return False
    if after in (State.FAILED, State.LOST):
        values |= {"finished_at": timezone.now()} | NEVER
    return bool(Attempt.objects.filter(pk=attempt.pk, state=before).update(state=after, **values))


def _lose(attempt: Attempt, failure: Failure) -> None:
    reason = f"{failure.code} while {attempt.state}"
    if _move(attempt, attempt.state, State.LOST, outcome=failure.code):
        orphans.note_lost(attempt, reason)


def _note_late_acceptance(attempt: Attempt, upstream_id: str) -> None:
    """The provider accepted work that we had given up: remember its id where the reconciliation finds it."""
    late = Attempt.objects.filter(pk=attempt.pk, state__in=[State.FAILED, State.LOST], upstream_id="")
    if late.update(upstream_id=upstream_id):
        orphans.note_late_acceptance(attempt, upstream_id)


def _cost(progress: Progress) -> dict[str, Any]:
    if progress.cost is None:
        return {}
    return {"cost_amount": progress.cost.amount, "cost_unit": progress.cost.name}
