"""Work that waits in a provider's own queue: accepted there, and nothing has begun.

Its time does not count against the deadline, and it is the one moment in which a change of provider is clean: when it
has waited for long and another account could take it now, it is withdrawn, if the provider really lets it go. Beyond
`LONGEST` the deadline's clock runs there, too.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations import doorbell, leases, lifecycle, routing
from generations.models import Attempt, Task
from generations.moves import lock
from generations.providers import adapter
from generations.providers.base import Handle, ProviderError

LONGEST = timedelta(hours=1)


def waited(attempt: Attempt, *, begun: bool) -> None:
    """Its time in the provider's own queue is added to the task's deadline. `begun`: that time is over."""
    now = timezone.now()
    with transaction.atomic():
        task = lock(attempt.task_id)
        queued = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.RUNNING, queued_since__isnull=False)
        since = queued.values_list("queued_since", flat=True).first()
        if since is not None and queued.update(queued_since=None if begun else now):
            later = {"deadline_at": task.deadline_at + (now - since)}
            Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(**later | ({"due_at": None} if begun else {}))


def leave(task: Task, attempt: Attempt) -> None:
    """Under the task's claim, `QUEUE_PATIENCE_SECONDS` after the acceptance and as often again."""
    choice = routing.choose(task)
    if choice.account is not None and not choice.is_probe and ask_to_let_go(attempt, Attempt.CancelAsked.BY_US):
        lifecycle.withdrawn(attempt)
        doorbell.ring("submit", task.pk)
    else:
        if timezone.now() < (attempt.accepted_at or attempt.created_at) + LONGEST:
            waited(attempt, begun=False)
        leases.let_go(task, due_at=timezone.now() + timedelta(seconds=settings.QUEUE_PATIENCE_SECONDS))


def ask_to_let_go(attempt: Attempt, by: Attempt.CancelAsked) -> bool:
    """Whether the provider surely let it go. That it was asked is committed before: its word may come later."""
    queued = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.RUNNING, queued_since__isnull=False)
    if by == Attempt.CancelAsked.BY_US:  # a customer's wish is not overruled by ours
        queued = queued.exclude(cancel_asked=Attempt.CancelAsked.BY_CUSTOMER)
    if not queued.update(cancel_asked=by):
        return False
    attempt.cancel_asked = by
    handle = Handle(upstream_id=attempt.upstream_id, route=attempt.route)
    try:
        return adapter(attempt.account.provider).cancel(attempt.account.caller(), handle)
    except ProviderError:
        return False
