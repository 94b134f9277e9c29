"""The table of an attempt's transitions, and the one conditional UPDATE that follows it. Only `lifecycle` moves by it.

An attempt that ends well speaks for its account, one that the provider spoiled against it: that stands in the same
UPDATE (`judged`), so that the breaker has its count for nothing.
"""

from datetime import datetime
from typing import Any

from django.utils import timezone

from generations.models import Attempt, Task
from generations.providers.base import Progress

State = Attempt.State
FREE = {"leased_until": None, "leased_by": "", "rung_until": None}
NEVER = FREE | {"due_at": None}
MOVES = {
    State.SUBMITTING: {State.RUNNING, State.FAILED, State.LOST},
    State.RUNNING: {State.FETCHING, State.FAILED, State.LOST},
    State.FETCHING: {State.SUCCEEDED, State.FAILED, State.LOST},
}


def judged(now: datetime, *, fault: bool) -> dict[str, Any]:
    """Columns by which an attempt speaks for its account, or against it."""
    return {"judged_at": now, "fault": fault}


def move(attempt: Attempt, before: str, after: State, **values: Any) -> bool:
    """One conditional UPDATE along the table of transitions."""
    if after not in MOVES.get(State(before), set()):
        return False
    if after in (State.FAILED, State.LOST):
        values |= {"finished_at": timezone.now()} | NEVER
    return bool(Attempt.objects.filter(pk=attempt.pk, state=before).update(state=after, **values))


def lock(task_id: Any) -> Task:
    """The task's row comes first in every order of locks."""
    return Task.objects.select_for_update(no_key=True).get(pk=task_id)


def cost(progress: Progress) -> dict[str, Any]:
    """Columns of what the provider booked; none when it does not say."""
    if progress.cost is None:
        return {}
    return {"cost_amount": progress.cost.amount, "cost_unit": progress.cost.name}


def result_link(task: Task, progress: Progress) -> str:
    """Where the provider's result lies, in the form that was asked for; empty when it has no file."""
    return progress.outputs[0].link(watermark=task.inputs.get("watermark", False)) if progress.outputs else ""
