"""Find an organization's tasks: filtered, newest first, by page number for people and by cursor for programs."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts import ids, paging
from accounts.errors import InvalidRequest, NotFound
from accounts.models import ApiKey, Organization
from generations.models import Attempt, Task

LAST_ROW = 1000
"""Page numbers reach this deep; a cursor goes on for ever at the same speed."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """None and empty filter nothing. `status=processing` includes what is pending."""

    status: str | None = None
    type: str | None = None
    model: str | None = None
    key: ApiKey | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def find(organization: Organization, task_id: str) -> Task:
    """The organization's task. Raises InvalidRequest `invalid_task_id` or NotFound `task_not_found`."""
    identifier = ids.decode(Task.PREFIX, task_id)
    if identifier is None:
        raise InvalidRequest("invalid_task_id", "This is not the id of a task.", param="task_id")
    task = _with_attempts(organization.tasks.filter(pk=identifier)).first()
    if task is None:
        raise NotFound("task_not_found", "There is no such task.", param="task_id")
    return task


def find_many(organization: Organization, task_ids: list[str]) -> list[Task]:
    """Those of the tasks that exist, in the order asked; others are simply absent."""
    wanted = dict.fromkeys(identifier for text in task_ids if (identifier := ids.decode(Task.PREFIX, text)))
    found = _with_results(organization.tasks.filter(pk__in=wanted)).in_bulk()
    return [found[identifier] for identifier in wanted if identifier in found]


def made_by_members(organization: Organization, most: int) -> list[Task]:
    """The newest tasks that members made in the console, newest first."""
    rows = organization.tasks.filter(made_by__isnull=False).order_by("-pk")
    return list(_with_results(rows)[:most])


def by_page(organization: Organization, filters: Filters, page: int, size: int) -> tuple[list[Task], int, str | None]:
    """One page, the number of all, and the cursor to go on by. Raises InvalidRequest for a page past `LAST_ROW`."""
    if page * size > LAST_ROW:
        raise InvalidRequest(
            "invalid_parameter",
            f"Page numbers reach the first {LAST_ROW} tasks; use `cursor` to go further.",
            param="page",
        )
    rows = _filtered(organization, filters)
    found, total = list(_with_results(rows)[(page - 1) * size : page * size]), rows.count()
    return found, total, found[-1].public_id if found and page * size < total else None


def by_cursor(organization: Organization, filters: Filters, cursor: str, size: int) -> tuple[list[Task], str | None]:
    """The tasks after `cursor` (empty: from the newest) and the cursor of the next page, None at the end."""
    rows = _with_results(_filtered(organization, filters))
    found, last = paging.page(rows, size, paging.read(Task.PREFIX, cursor or None))
    return found, last.public_id if last else None


def _filtered(organization: Organization, filters: Filters) -> QuerySet[Task]:
    wanted: dict[str, Any] = {
        "type": filters.type,
        "model": filters.model,
        "api_key": filters.key,
        "created_at__gte": filters.created_after,
        "created_at__lt": filters.created_before,
        "metadata__contains": filters.metadata or None,
    }
    rows = organization.tasks.filter(**{name: value for name, value in wanted.items() if value is not None})
    if filters.status:
        statuses = Task.OPEN if filters.status == Task.Status.PROCESSING else (filters.status,)
        rows = rows.filter(status__in=statuses)
    return rows.order_by("-pk")


def _with_results(rows: QuerySet[Task]) -> QuerySet[Task]:
    return _with_attempts(rows).select_related("element").prefetch_related("files")


def _with_attempts(rows: QuerySet[Task]) -> QuerySet[Task]:
    return rows.annotate(has_open_attempt=Exists(Attempt.objects.filter(task=OuterRef("pk"), state__in=Attempt.OPEN)))
