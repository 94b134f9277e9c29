"""Cancel a task: certain while nothing was sent; afterwards only while it waits in a provider's queue that lets it go.

Where the provider's answer comes too late for this one, it ends the task later, with the same refund.
"""

from generations import lifecycle, queues
from generations.models import Attempt, Task


def cancel(task: Task) -> Task:
    """The cancelled task; again = the same answer. Raises Conflict `task_not_cancellable`."""
    waiting = task.attempts.filter(state=Attempt.State.RUNNING, queued_since__isnull=False)
    queued = waiting.select_related("account").first()
    is_let_go = queued is not None and queues.ask_to_let_go(queued, Attempt.CancelAsked.BY_CUSTOMER)
    return lifecycle.cancel(task, stopped=queued if is_let_go else None)
