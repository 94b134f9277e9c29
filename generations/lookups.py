"""Resolve a create call whose outcome nobody knows: look the work up, adopt it if it is there.

Looks follow at `LOOKUP_DELAYS_SECONDS` after the call, then every `LOOKUP_ABSENT_GAP_SECONDS`. Only when three looks,
each at least `LOOKUP_ABSENT_GAP_SECONDS` after the one before, found nothing, was it never created, and the task may be
sent again. A look-up that fails decides nothing. The deadline ends it all (`lifecycle.give_up`).
"""

import asyncio
import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from generations import doorbell, leases, lifecycle, orphans
from generations.models import Attempt, OrphanSpend, Task
from generations.providers import adapter
from generations.providers.base import Handle, Incomplete, OutcomeUnknown, Progress, Trace, query_client

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
        found = find(attempt)
    except OutcomeUnknown as unknown:
        logger.warning("%s: look-up failed: %s", attempt, unknown.detail)
        _look_again(task, attempt, absent=False)
        return
    if found is None:
        _look_again(task, attempt, absent=True)
    elif not _adopted(attempt, found):
        _look_again(task, attempt, absent=False)


def _adopted(attempt: Attempt, found: Progress) -> bool:
    """False when another attempt that looks alike took it in the same moment."""
    try:
        lifecycle.accepted(attempt, found)
    except IntegrityError:
        return False
    logger.info("%s: found upstream as %s", attempt, found.upstream_id)
    return True


def _look_again(task: Task, attempt: Attempt, *, absent: bool) -> None:
    now = timezone.now()
    gap = timedelta(seconds=settings.LOOKUP_ABSENT_GAP_SECONDS)
    attempt.looks += 1
    if absent and (attempt.last_absent_at is None or now - attempt.last_absent_at >= gap):
        attempt.absent_looks += 1
        attempt.last_absent_at = now
    attempt.save(update_fields=["looks", "absent_looks", "last_absent_at"])
    if attempt.absent_looks >= ABSENT_LOOKS:
        lifecycle.refused(attempt, "the provider has no such work", "not_created", retry_at=now)
        doorbell.ring("submit", task.pk)
    else:
        leases.let_go(task, due_at=max(now, next_look(attempt)))


def look_at_orphans(limit: int = 50) -> int:
    """The day after: what became of attempts that were given up? Their cost is written down, nobody is charged.

    Slow look-ups leave the rest to the next time.
    """
    until, looked = time.monotonic() + ORPHANS_SECONDS, 0
    due = OrphanSpend.objects.filter(due_at__lte=timezone.now()).select_related("attempt__account")
    for orphan in due.order_by("due_at")[:limit]:
        if time.monotonic() > until:
            break
        looked += 1
        orphans.put_off(orphan)  # before it is asked about: a look that is cut short must not come first for ever
        try:
            found = ask(orphan.attempt)
        except OutcomeUnknown as unknown:
            logger.info("%s: nobody can say what became of it: %s", orphan.attempt, unknown.detail)
        except Exception:
            logger.exception("%s: looking at it again failed; the next hour tries again", orphan.attempt)
        else:
            orphans.look_at(orphan, found)
    return looked


def ask(attempt: Attempt) -> Progress | None:
    """How the work stands now, by its upstream id or else our reference. None = the provider does not know it."""
    return _check(attempt, attempt.upstream_id) if attempt.upstream_id else find(attempt)


def find(attempt: Attempt) -> Progress | None:
    """The work behind an attempt without an upstream id: what a callback named, if the provider says so as well, or
    what looks like it and is no other attempt's. None only when there is certainly none. Raises OutcomeUnknown."""
    if attempt.hint_id:
        return _hinted(attempt)
    trace = Trace(reference=attempt.reference, route=attempt.route, sent_at=attempt.created_at, mark=attempt.mark)
    api = adapter(attempt.account.provider)
    found = api.find(attempt.account.caller(), trace)
    ours = next((progress for progress in found if not _is_taken(attempt, progress)), None)
    is_certain = api.absence_is_certain and not isinstance(found, Incomplete)
    if ours is None and not is_certain:
        raise OutcomeUnknown("nothing there is ours yet, and that proves nothing")
    return ours


def _hinted(attempt: Attempt) -> Progress:
    """The provider named the work to us: what it does not confirm now, it may a moment later."""
    found = _check(attempt, attempt.hint_id)
    if found is None or _is_taken(attempt, found):
        raise OutcomeUnknown("the provider does not confirm the work that its callback named")
    return found


def _is_taken(attempt: Attempt, progress: Progress) -> bool:
    """Ids are a provider's; accounts of ours may share one there, and see the same work."""
    there = {"account__provider": attempt.account.provider, "account__base_url": attempt.account.base_url}
    others = Attempt.objects.filter(**there, upstream_id=progress.upstream_id)
    return others.exclude(pk=attempt.pk).exists()


def _check(attempt: Attempt, upstream_id: str) -> Progress | None:
    api, account = adapter(attempt.account.provider), attempt.account.caller()
    handle = Handle(upstream_id=upstream_id, route=attempt.route)

    async def check() -> dict[str, Progress]:
        async with query_client() as client:
            return await api.check_many(client, account, [handle])

    return asyncio.run(check()).get(upstream_id)
