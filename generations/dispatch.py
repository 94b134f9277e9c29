"""Send a task to a provider, exactly once.

    claim -> reference media -> choose an account -> Attempt(submitting), committed -> call -> what came of it
    claim, and an attempt in `submitting` is already there -> a worker died in the call -> look it up

The call has three outcomes besides success: the customer's input was refused (fail and refund), the provider refused
(another account, or later), or nobody knows (hold everything, `lookups`).
"""

import logging
from datetime import timedelta

from django.utils import timezone

from accounts import ids, organizations
from generations import (
    alerts,
    breaker,
    doorbell,
    hints,
    leases,
    lifecycle,
    lookups,
    margin,
    queues,
    references,
    requests,
    routing,
)
from generations.failures import SERVICE_ERROR, UNAVAILABLE, Failure
from generations.models import Attempt, Task
from generations.models.providers import ProviderAccount
from generations.providers import adapter
from generations.providers.base import Account, InputRefused, OutcomeUnknown, ProviderRefused, Request

logger = logging.getLogger(__name__)
LEASE_SECONDS = 150  # longer than fetching the media and one call together
ROOM_SECONDS = 1  # a task that waits for room looks again this often, less often far back in a long queue
FAR_BACK_SECONDS = 30
LOOKS_PER_SECOND = 20  # of all that wait together


def submit(task_id: str) -> None:
    """The job behind every new, retried or unresolved task."""
    task = leases.claim(Task.objects.filter(pk=task_id, status__in=Task.OPEN), seconds=LEASE_SECONDS)
    if task is None:
        return
    with leases.work_on(task):
        _go_on(task)


def position(task: Task) -> int:
    """How many tasks of the organization must end before this one may start; 0 = it may."""
    limit = organizations.running_limit(task.organization)
    if limit is None:
        return 0
    ahead = Task.objects.filter(organization=task.organization_id, status__in=Task.OPEN, pk__lt=task.pk)
    return max(0, ahead.count() - limit + 1)


def _go_on(task: Task) -> None:
    attempt = task.attempts.filter(state__in=Attempt.OPEN).select_related("account").first()
    if leases.is_poison(task):
        _set_aside(task, attempt)
    elif attempt is None:
        _start(task)
    elif attempt.state == Attempt.State.SUBMITTING:
        lookups.resolve(task, attempt)
    elif attempt.queued_since is not None:
        queues.leave(task, attempt)
    else:
        leases.let_go(task, due_at=None)


def _start(task: Task) -> None:
    if behind := position(task):
        _wait(task, behind)
        return
    try:
        references.prepare(task)
    except references.WrongMedia as wrong:
        lifecycle.fail(task, wrong.failure)
        return
    order = requests.order(task)
    choice = routing.choose(task, order)
    if choice.over_day:
        margin.tell_used_up(margin.day_of(timezone.now()))
    if choice.account is None:
        _wait(task) if choice.waits else lifecycle.fail(task, UNAVAILABLE)
        return
    caller, attempt_id = choice.account.caller(), ids.new()
    reference = ids.encode(Attempt.PREFIX, attempt_id)
    request = order.request(choice.account, reference=reference, callback_url=hints.address(reference))
    try:
        attempt = lifecycle.begin_attempt(
            task,
            choice.account,
            attempt_id=attempt_id,
            plan=adapter(choice.account.provider).plan(request),
            choice=choice.considered,
            cost_estimate=choice.cost,
            loss=choice.loss,
            is_probe=choice.is_probe,
        )
    except routing.NoSlot:
        _wait(task)
        return
    if attempt is not None:
        _send(task, attempt, choice.account, caller, request)


def _send(task: Task, attempt: Attempt, account: ProviderAccount, caller: Account, request: Request) -> None:
    try:
        answer = adapter(account.provider).submit(caller, request)
    except InputRefused as refusal:
        verdict = refusal.verdict
        failure = Failure(code=verdict.code, message=verdict.message, retryable=verdict.retryable)
        lifecycle.fail(task, failure, attempt=attempt, upstream_message=verdict.upstream_message)
    except ProviderRefused as refusal:
        _refused(task, attempt, account, refusal)
    except OutcomeUnknown as unknown:
        logger.warning("%s: outcome unknown: %s", attempt, unknown.detail)
        lifecycle.outcome_unknown(attempt, unknown.detail, look_at=lookups.next_look(attempt))
        breaker.fault(attempt, unknown.detail)
    else:
        lifecycle.accepted(attempt, answer)


def _refused(task: Task, attempt: Attempt, account: ProviderAccount, refusal: ProviderRefused) -> None:
    """Another account may take it at once; where there is none, the task waits until this one may be asked again."""
    retry_at, outcome = timezone.now(), "provider_refused"
    if refusal.scope == "soft":
        rests_until, outcome = breaker.rest(account, task.model, refusal), routing.SOFT_OUTCOME
        if account.serves == ProviderAccount.Serves.SANDBOX:  # it does not rest, so the task does
            retry_at = rests_until
    lifecycle.refused(attempt, refusal.reason, outcome, retry_at=retry_at)
    breaker.refused(attempt, refusal)
    if retry_at <= timezone.now():
        doorbell.ring("submit", task.pk)


def _wait(task: Task, behind: int = 1) -> None:
    """No room now: look again soon, until the deadline for tasks that nobody accepted."""
    waiting = Task.objects.filter(status__in=Task.OPEN, due_at__isnull=False).count()
    seconds = min(FAR_BACK_SECONDS, max(ROOM_SECONDS * behind, waiting / LOOKS_PER_SECOND))
    leases.let_go(task, due_at=timezone.now() + timedelta(seconds=seconds))


def _set_aside(task: Task, attempt: Attempt | None) -> None:
    """It killed its worker each time. Nothing was sent: refund now. Something may have been: the deadline decides."""
    alerts.tell("poison-task", str(task), f"Claimed {task.claims} times without any progress; set aside.")
    if attempt is None:
        lifecycle.fail(task, SERVICE_ERROR)
    else:
        leases.let_go(task, due_at=None, progressed=False)
