"""Possible orphan spend: attempts that were given up while their outcome was unknown, so that they may have cost us.

What becomes known of them later (an acceptance, a success) is written down here and never charged. Each is looked at
again the next day.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from generations import alerts, costs
from generations.models import Attempt, OrphanSpend
from generations.providers.base import Progress

LOOK_AFTER = timedelta(days=1)
LOOKED_AT_FOR = timedelta(days=3)
NOBODY_KNOWS = "nobody knows"


def note_lost(attempt: Attempt, reason: str) -> None:
    _note(attempt, reason)
    alerts.tell("orphan-spend", str(attempt.account), f"{attempt} was given up: {reason}.")


def note_late_acceptance(attempt: Attempt, upstream_id: str) -> None:
    _note(attempt, "accepted after it was given up")
    alerts.tell("late-acceptance", str(attempt), f"Upstream id {upstream_id} came after the attempt had ended.")


def note_late_success(attempt: Attempt, progress: Progress) -> None:
    """A success that came to the polls after the refund."""
    values: dict[str, Any] = {"found_state": progress.state_word[:40]}
    if progress.cost:
        values |= {"cost_amount": progress.cost.amount, "cost_unit": progress.cost.name}
    if OrphanSpend.objects.filter(attempt=attempt).update(**values):
        costs.record_orphan(attempt, progress.cost)
        alerts.tell("late-success", str(attempt), "The provider finished work after the refund; it is not charged.")


def note_hint(attempt: Attempt, upstream_id: str) -> None:
    """A callback named work of an attempt that had ended without any: it may have been bought after all."""
    _note(attempt, "a callback named work of it after it had ended")
    look_again(attempt)
    alerts.tell("late-acceptance", str(attempt), f"A callback named {upstream_id} after the attempt had ended.")


def look_again(attempt: Attempt) -> None:
    """Something was heard of it: do not wait for tomorrow."""
    OrphanSpend.objects.filter(attempt=attempt).update(due_at=timezone.now())


def look_at(orphan: OrphanSpend, found: Progress | None) -> None:
    """What the provider says of it now; work that still runs is looked at again a day later."""
    runs_still = found is not None and found.state == "running"
    orphan.due_at = timezone.now() + LOOK_AFTER if runs_still else None
    orphan.found_state = found.state_word[:40] if found else "absent"
    if found and found.cost:
        orphan.cost_amount, orphan.cost_unit = found.cost.amount, found.cost.name
    charged = found is not None and (found.state == "succeeded" or (found.cost is not None and found.cost.amount > 0))
    with transaction.atomic():
        orphan.save(update_fields=["due_at", "found_state", "cost_amount", "cost_unit"])
        if found and charged and not runs_still:
            costs.record_orphan(orphan.attempt, found.cost)
    if found and found.state == "succeeded":
        alerts.tell("late-success", str(orphan.attempt), "It finished after the refund; it is our loss, not charged.")


def put_off(orphan: OrphanSpend) -> None:
    """It could not be looked at: the next hour tries again, for so long as providers show what they did."""
    now = timezone.now()
    over = now > orphan.noted_at + LOOKED_AT_FOR
    orphan.due_at, orphan.found_state = (None, NOBODY_KNOWS) if over else (now + timedelta(hours=1), "")
    orphan.save(update_fields=["due_at", "found_state"])


def _note(attempt: Attempt, reason: str) -> None:
    OrphanSpend.objects.get_or_create(
        attempt=attempt, defaults={"reason": reason, "due_at": timezone.now() + LOOK_AFTER}
    )
