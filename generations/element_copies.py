"""Delete at the providers what a customer has deleted here: in the background, and when nothing needs it any more.

    present -> deleting -> deleted   the provider says so, or does not know it any more
                        -> kept      the provider cannot delete
                        -> failed    after `ELEMENT_DELETE_RETRY_SECONDS` it still would not; an operator is told

A request that read the element just before it was deleted may still make a task: the first look comes only after
`ELEMENT_DELETE_AFTER_SECONDS`, longer than any request, so that no open task is overlooked.

The files an element was made of are shown to providers that are sent it inline, so they go only when a copy has ended.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations import alerts, doorbell, files, leases
from generations.models import Element, ElementCopy, StoredFile, Task
from generations.providers import adapter
from generations.providers.base import DeletesElements, ProviderError

logger = logging.getLogger(__name__)
State = ElementCopy.State
LEASE_SECONDS = 180
"""Two calls, each with its time-outs."""
LOOK_AGAIN = timedelta(seconds=30)
"""While tasks still use the element; a task may take an hour."""
OPEN_AT_MOST = timedelta(days=1)
"""Longer than any task is open."""
WHY_AFTER_CRASHES = "Every worker that tried died."


def delete_all(element: Element) -> bool:
    """In the transaction that deletes the element: all its copies become due, and the queue is told.

    False when there is none, so that no job will come.
    """
    rows = ElementCopy.objects.filter(element=element, state=State.PRESENT)
    begun = [_begin(copy, State.PRESENT) for copy in rows]
    return any(begun)


def let_sources_go(element: Element) -> None:
    """The files it was made of expire: now, or after the longest task where one may still show them. Never later than
    was said before."""
    now = timezone.now()
    is_free = now >= _first_look(element, now) and not is_used(element)
    sources = StoredFile.objects.filter(pk__in=element.sources.values("file_id"))
    files.let_expire(sources, now if is_free else now + OPEN_AT_MOST)


def delete_again(copy: ElementCopy) -> None:
    """An operator's wish, after it had failed for good."""
    with transaction.atomic():
        _begin(copy, State.FAILED)


def delete_copy(copy_id: str) -> None:
    """The job: delete one copy, unless it is too early."""
    rows = ElementCopy.objects.filter(pk=copy_id, state=State.DELETING).select_related("element", "account")
    copy = leases.claim(rows, seconds=LEASE_SECONDS)
    if copy is None:
        return
    with leases.work_on(copy):
        if leases.is_poison(copy):
            _give_up(copy, WHY_AFTER_CRASHES)
        elif not _wait_for_tasks(copy):
            _delete(copy)


def is_used(element: Element) -> bool:
    """Whether a task that has not ended shows it. Customers may have written its number with zeros in front."""
    open_tasks = Task.objects.filter(organization=element.organization_id, status__in=Task.OPEN)
    listed = open_tasks.values_list("inputs__element_ids", flat=True)
    return any(element.pk == int(one) for element_ids in listed.iterator() for one in element_ids or ())


def _begin(copy: ElementCopy, state: State) -> bool:
    now = timezone.now()
    begun = ElementCopy.objects.filter(pk=copy.pk, state=state).update(
        state=State.DELETING, delete_tries=0, claims=0, due_at=now, rung_until=now + leases.RING_TRUST
    )
    if begun:
        doorbell.ring("delete_copy", copy.pk)
    return bool(begun)


def _first_look(element: Element, now: datetime) -> datetime:
    """From then on no request can make a task with it."""
    return (element.deleted_at or now) + timedelta(seconds=settings.ELEMENT_DELETE_AFTER_SECONDS)


def _wait_for_tasks(copy: ElementCopy) -> bool:
    """Put it off while a task uses the element, or a request may still make one."""
    now = timezone.now()
    first_look = _first_look(copy.element, now)
    if now < first_look:
        leases.let_go(copy, due_at=first_look)
        return True
    if is_used(copy.element):
        leases.let_go(copy, due_at=now + LOOK_AGAIN)
        return True
    return False


def _delete(copy: ElementCopy) -> None:
    api = adapter(copy.account.provider)
    if not isinstance(api, DeletesElements):
        end(copy, State.KEPT)
        return
    try:
        api.delete_element(copy.account.caller(), copy.upstream_id)
    except ProviderError as error:
        _try_later(copy, str(error))
    else:
        end(copy, State.DELETED)


def _try_later(copy: ElementCopy, why: str) -> None:
    pauses, tries = settings.ELEMENT_DELETE_RETRY_SECONDS, copy.delete_tries + 1
    logger.warning("%s: deletion %s failed: %s", copy, tries, why)
    if tries > len(pauses):
        _give_up(copy, why)
        return
    with transaction.atomic():
        leases.held(copy).update(delete_tries=tries, last_problem=_storable(why))
        leases.let_go(copy, due_at=timezone.now() + timedelta(seconds=pauses[tries - 1]))


def _give_up(copy: ElementCopy, why: str) -> None:
    with transaction.atomic():
        tries = copy.delete_tries + 1
        if end(copy, State.FAILED, delete_tries=tries, last_problem=_storable(why)):
            alerts.tell("element-not-deleted", f"{copy.pk} {copy}"[:200], _storable(why))


def end(copy: ElementCopy, state: State, **columns: object) -> bool:
    """Nothing more is due, and the sources may go; False when another worker has taken the row over meanwhile."""
    with transaction.atomic():
        deleted_at = timezone.now() if state == State.DELETED else None
        if state == State.DELETED:
            columns["last_problem"] = ""
        ours = leases.held(copy).update(state=state, deleted_at=deleted_at, due_at=None, **columns)
        if not ours or not leases.let_go(copy, due_at=None):
            return False
        let_sources_go(copy.element)
        return True


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:300]
