"""Work that waits in a provider's own queue: accepted there, and nothing has begun.

Its time does not count against the deadline, and it is the one moment in which a change of provider is clean: when it
has waited for long and another account could take it now, it is withdrawn, if the provider really lets it go. Beyond
`LONGEST` the deadline's clock runs there, too.
"""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from generations import doorbell, leases, lifecycle, routing
from generations.models import Attempt, Task
from generations.providers import adapter
from generations.providers.base import Handle, ProviderError

LONGEST = timedelta(hours=1)


def leave(task: Task, attempt: Attempt) -> None:
    """Under the task's claim, `QUEUE_PATIENCE_SECONDS` after the acceptance and as often again."""
    choice = routing.choose(task)
    if choice.account is not None and not choice.is_probe and _is_let_go(attempt):
        lifecycle.withdrawn(attempt)
        doorbell.ring("submit", task.pk)
    else:
        if timezone.now() < (attempt.accepted_at or attempt.created_at) + LONGEST:
            lifecycle.waited(attempt, begun=False)
        leases.let_go(task, due_at=timezone.now() + timedelta(seconds=settings.QUEUE_PATIENCE_SECONDS))


def _is_let_go(attempt: Attempt) -> bool:
    handle = Handle(upstream_id=attempt.upstream_id, route=attempt.route)
    try:
        return adapter(attempt.account.provider).cancel(attempt.account.caller(), handle)
    except ProviderError:
        return False
