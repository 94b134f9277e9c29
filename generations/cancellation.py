"""Cancel a task: certain while nothing was sent; afterwards only where the provider really stops the work."""

from generations import lifecycle
from generations.models import Attempt, Task
from generations.providers import adapter
from generations.providers.base import Handle, ProviderError


def cancel(task: Task) -> Task:
    """The cancelled task; again = the same answer. Raises Conflict `task_not_cancellable`."""
    running = task.attempts.filter(state=Attempt.State.RUNNING).select_related("account").first()
    return lifecycle.cancel(task, stopped=running if running is not None and _stopped(running) else None)


def _stopped(attempt: Attempt) -> bool:
    handle = Handle(upstream_id=attempt.upstream_id, route=attempt.route)
    try:
        return adapter(attempt.account.provider).cancel(attempt.account.caller(), handle)
    except ProviderError:
        return False
