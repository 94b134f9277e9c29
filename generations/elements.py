"""Elements: which may be used, how each provider account knows them, what they were made from.

An element exists in one upstream account only; customers know it by our own number, so that it can be rebuilt elsewhere
from the files it was made of.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import paging
from accounts.errors import InvalidRequest, NotFound
from accounts.models import Organization
from generations import element_copies, files
from generations.catalog.base import ElementRef
from generations.models import Attempt, Element, ElementCopy, ElementSource, StoredFile, Task, TaskMedia, Voice

LARGEST = 2**63 - 1


def number(text: str) -> int | None:
    """The element's number as customers write it, or None when it cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST and len(text) <= 19 else None


def usable(organization: Organization) -> QuerySet[Element]:
    return organization.elements.filter(deleted_at__isnull=True)


def find(organization: Organization, text: str) -> Element:
    """The organization's usable element. Raises NotFound `element_not_found`."""
    element_id = number(text)
    element = (
        usable(organization).select_related("task").filter(pk=element_id).first() if element_id is not None else None
    )
    if element is None:
        raise NotFound("element_not_found", "There is no such element.", param="element_id")
    return element


def page(organization: Organization, page_size: int, cursor: int | None = None) -> tuple[list[Element], str | None]:
    """Usable elements, newest first, after `cursor`; and the cursor of the page after, None at the end."""
    found, last = paging.page(usable(organization).select_related("task"), page_size, cursor)
    return found, str(last.pk) if last else None


def voices() -> QuerySet[Voice]:
    return Voice.objects.filter(enabled=True)


def check(organization: Organization, references: Sequence[ElementRef]) -> None:
    """Every reference names a usable element of the organization, of the kind it may be.

    Raises InvalidRequest that names the first other.
    """
    numbers = [number(reference.element_id) for reference in references]
    if not numbers:
        return
    wanted = usable(organization).filter(pk__in=[n for n in numbers if n is not None])
    known: dict[int | None, str] = dict(wanted.values_list("pk", "kind"))
    for reference, element_id in zip(references, numbers, strict=True):
        if element_id not in known:
            raise InvalidRequest(
                "element_not_found", "This element does not exist or was deleted.", param=reference.param
            )
        if reference.kind not in (None, known[element_id]):
            message = f"This model takes only elements made with {reference.kind}."
            raise InvalidRequest("invalid_parameter", message, param=reference.param)


def named(element_ids: Sequence[str]) -> list[Element]:
    """The elements with these numbers, in this order, with what each account knows them by and their files."""
    if not element_ids:
        return []
    numbers = [int(one) for one in element_ids]
    rows = Element.objects.filter(pk__in=numbers).prefetch_related("copies", "sources__file").in_bulk()
    return [rows[one] for one in numbers]


def create(task: Task, attempt: Attempt) -> Element:
    """The element that a finished task made, in the finishing transaction."""
    inputs: dict[str, Any] = task.inputs
    element = Element.objects.create(
        organization_id=task.organization_id,
        task=task,
        name=inputs["name"],
        description=inputs["description"],
        kind=inputs["kind"],
        voice_id=inputs["voice_id"],
    )
    ElementCopy.objects.create(element=element, account_id=attempt.account_id, upstream_id=attempt.upstream_element_id)
    media = TaskMedia.objects.filter(task=task).select_related("file")
    ElementSource.objects.bulk_create(
        [ElementSource(element=element, role=medium.role, file=medium.file) for medium in media if medium.file]
    )
    files.let_stay(StoredFile.objects.filter(pk__in=element.sources.values("file_id")))
    return element


def let_references_expire(task: Task, at: datetime) -> None:
    """A task that ended needs its copies of reference media no more, unless an element was made of them."""
    kept = ElementSource.objects.filter(element__task=task).values("file_id")
    references = StoredFile.objects.filter(task=task, purpose=StoredFile.Purpose.REFERENCE)
    files.let_expire(references.exclude(pk__in=kept), at)


def delete(element: Element) -> None:
    """No request may use it any more; its copies at the providers go later, and with them the files it was made of.

    Tasks that already use it go on, also where a provider still fetches those files.
    """
    with transaction.atomic():
        rows = Element.objects.filter(pk=element.pk, deleted_at__isnull=True)
        if rows.update(deleted_at=timezone.now()) and not element_copies.delete_all(element):
            element_copies.let_sources_go(element)
