"""Resolve a create call whose outcome nobody knows: look the work up by our reference, adopt it if it is there.

Looks follow at `LOOKUP_DELAYS_SECONDS` after the call, then at the last of their gaps. Only when three looks, each at
least `LOOKUP_ABSENT_GAP_SECONDS` after the one before, found nothing, was it never created, and the task may be sent
again. A look-up that fails decides nothing. The deadline ends it all (`lifecycle.give_up`).
"""

import asyncio
import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from generations import alerts, doorbell, leases, lifecycle
from generations.models import Attempt, OrphanSpend, Task
from generations.providers import adapter
from generations.providers.base import Handle, OutcomeUnknown, Progress, query_client

logger = logging.getLogger(__name__)
ABSENT_LOOKS = 3
ORPHANS_SECONDS = 30


def next_look(attempt: Attempt) -> datetime:
    """When to look (again), counted from when the outcome became unknown."""
    delays = settings.LOOKUP_DELAYS_SECONDS
    since = attempt.unknown_since or timezone.now()
    if attempt.looks < len(delays):
        return since + timedelta(seconds=delays[attempt.looks])
    return timezone.now() + timedelta(seconds=settings.LOOKUP_ABSENT_GAP_SECONDS)


def resolve(task: Task, attempt: Attempt) -> None:
    """One look, under the task's claim."""
    if attempt.unknown_since is None:
        attempt.unknown_since = timezone.now()
        Attempt.objects.filter(pk=attempt.pk, unknown_since__isnull=True).update(unknown_since=attempt.unknown_since)
    try:
        found = adapter(attempt.account.provider).find(attempt.account.caller(), attempt.reference, attempt.route)
    except OutcomeUnknown as unknown:
        logger.warning("%s: look-up failed: %s", attempt, unknown.detail)
        _look_again(task, attempt, absent=False)
        return
    if found is not None:
        logger.info("%s: found upstream as %s", attempt, found.upstream_id)
        lifecycle.accepted(attempt, found)
    else:
        _look_again(task, attempt, absent=True)


def _look_again(task: Task, attempt: Attempt, *, absent: bool) -> None:
    now = timezone.now()
    gap = timedelta(seconds=settings.LOOKUP_ABSENT_GAP_SECONDS)
    attempt.looks += 1
    if absent and (attempt.last_absent_at is None or now - attempt.last_absent_at >= gap):
        attempt.absent_looks += 1
        attempt.last_absent_at = now
    attempt.save(update_fields=["looks", "absent_looks", "last_absent_at"])
    if attempt.absent_looks >= ABSENT_LOOKS:
        lifecycle.refused(attempt, "our reference is not known there", "not_created", retry_at=now)
        doorbell.ring("submit", task.pk)
    else:
        leases.let_go(task, due_at=max(now, next_look(attempt)))


def look_at_orphans(limit: int = 50) -> int:
    """The day after: what became of attempts that were given up? Their cost is written down, nobody is charged.

    Slow look-ups leave the rest to the next time.
    """
    until, looked = time.monotonic() + ORPHANS_SECONDS, 0
    orphans = OrphanSpend.objects.filter(due_at__lte=timezone.now()).select_related("attempt__account")
    for orphan in orphans.order_by("due_at")[:limit]:
        if time.monotonic() > until:
            break
        looked += 1
        try:
            found = ask(orphan.attempt)
        except Exception:
            logger.exception("%s: looking at it again failed; the next hour tries again", orphan.attempt)
            orphan.due_at = timezone.now() + timedelta(hours=1)
        else:
            _note(orphan, found)
        orphan.save(update_fields=["due_at", "found_state", "cost_amount", "cost_unit"])
    return looked


def ask(attempt: Attempt) -> Progress | None:
    """How the work stands now, by its upstream id or else our reference. None = the provider does not know it."""
    api, account = adapter(attempt.account.provider), attempt.account.caller()
    if not attempt.upstream_id:
        return api.find(account, attempt.reference, attempt.route)
    handle = Handle(upstream_id=attempt.upstream_id, route=attempt.route)

    async def check() -> dict[str, Progress]:
        async with query_client() as client:
            return await api.check_many(client, account, [handle])

    return asyncio.run(check()).get(attempt.upstream_id)


def _note(orphan: OrphanSpend, found: Progress | None) -> None:
    runs_still = found is not None and found.state == "running"
    orphan.due_at = timezone.now() + timedelta(days=1) if runs_still else None
    orphan.found_state = found.state_word[:40] if found else "absent"
    if found and found.cost:
        orphan.cost_amount = found.cost.amount
        orphan.cost_unit = (found.cost.currency or found.cost.unit)[:12]
    if found and found.state == "succeeded":
        alerts.tell("late-success", str(orphan.attempt), "It finished after the refund; it is our loss, not charged.")
