"""A task's whole story for the operators' page: everything we know about it, and what happened in its order."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from billing import pricing
from billing.models import Reservation, Transfer
from generations import dispatch, files, routing
from generations.admin import tones
from generations.models import Attempt, Delivery, StoredFile, Task, TaskMedia

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Moment:
    """One line of the timeline. `after` is counted from the request."""

    at: datetime
    title: str
    detail: str = ""
    tone: str = "default"
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    task: Task
    tone: str
    took: str
    moments: list[Moment]
    inputs: Rows
    left_out: list[str]
    metadata: Rows
    sum: str
    credits: Decimal
    price: Rows
    media: list[TaskMedia]
    attempts: list[Attempt]
    attempt_tones: Mapping[str, str]
    reservation: Reservation | None
    transfers: list[Transfer]
    deliveries: list[Delivery]
    results: list[tuple[StoredFile, str]]
    waits: Rows


def of(task: Task) -> Story:
    """In eight statements, whatever the task has been through; a few more where it waits."""
    media = list(task.media.select_related("file").order_by("role"))
    attempts = list(task.attempts.select_related("account", "orphan_spend").order_by("number"))
    transfers = list(Transfer.objects.filter(reservation=task.pk).order_by("seq"))
    deliveries = list(task.deliveries.prefetch_related("tries").order_by("created_at"))
    results = list(task.files.filter(purpose=StoredFile.Purpose.RESULT).order_by("created_at"))
    told = chain(
        _of_task(task),
        _of_files(media, results),
        chain.from_iterable(_of_attempt(attempt) for attempt in attempts),
        _of_transfers(transfers),
        chain.from_iterable(_of_delivery(delivery) for delivery in deliveries),
    )
    return Story(
        task=task,
        tone=tones.TASK[task.status],
        took=_spelled(task.finished_at - task.created_at) if task.finished_at else "",
        moments=[_counted(moment, task) for moment in sorted(told, key=lambda moment: moment.at)],
        inputs=_rows({name: value for name, value in task.inputs.items() if not _is_empty(value)}),
        left_out=[name for name, value in task.inputs.items() if _is_empty(value)],
        metadata=_rows(task.metadata),
        sum=_sum(pricing.line(task.price)),
        credits=pricing.price(task.price),
        price=_rows(task.price),
        media=media,
        attempts=attempts,
        attempt_tones=tones.ATTEMPT,
        reservation=Reservation.objects.filter(pk=task.pk).first(),
        transfers=transfers,
        deliveries=deliveries,
        results=[(result, files.public_url(result)) for result in results],
        waits=_why_it_waits(task, attempts),
    )


def _why_it_waits(task: Task, attempts: list[Attempt]) -> Rows:
    """Why no provider has it now, as routing sees it this very moment; nothing when one has, or it has ended."""
    if not task.is_open or any(attempt.is_open for attempt in attempts):
        return []
    if behind := dispatch.position(task):
        return [("the organization's limit", f"{behind} of its tasks must end first")]
    found = [(f"{one['account']} ({one['cost']} USD)", one["reason"]) for one in routing.choose(task).considered]
    return found or [("no account", "No provider account serves this kind of key.")]


def _of_task(task: Task) -> Iterator[Moment]:
    asked_by = f"with the key {task.api_key.name}" if task.api_key else ""
    yield Moment(task.created_at, "Asked for", f"{task.model} {asked_by}".strip())
    if task.finished_at:
        detail = f"{task.error_code}: {task.error_message}" if task.error_code else ""
        yield Moment(task.finished_at, f"Task {task.status}", detail, tones.TASK[task.status])


def _of_files(media: list[TaskMedia], results: list[StoredFile]) -> Iterator[Moment]:
    for medium in media:
        if medium.file and medium.file.task_id == medium.task_id:
            yield Moment(medium.file.created_at, f"Copied {medium.role}", medium.file.public_id)
    for result in results:
        yield Moment(result.created_at, "Result copied to our storage", result.public_id, "success")


def _of_attempt(attempt: Attempt) -> Iterator[Moment]:
    name = f"Attempt {attempt.number}"
    yield Moment(attempt.created_at, f"{name}: to be sent to {attempt.account}", attempt.reference)
    if attempt.unknown_since:
        yield Moment(attempt.unknown_since, f"{name}: outcome unknown", attempt.upstream_message, "warning")
    if attempt.accepted_at:
        yield Moment(attempt.accepted_at, f"{name}: accepted", f"upstream id {attempt.upstream_id}", "info")
    if attempt.finished_at:
        words = ": ".join(part for part in (attempt.outcome, attempt.upstream_message) if part)
        yield Moment(attempt.finished_at, f"{name}: {attempt.state}", words, tones.ATTEMPT[attempt.state])


def _of_transfers(transfers: list[Transfer]) -> Iterator[Moment]:
    for row in transfers:
        detail = f"balance {row.balance_after}, of it reserved {row.reserved_after}"
        yield Moment(row.created_at, f"{row.get_kind_display()} {row.amount} credits", detail, "primary")


def _of_delivery(delivery: Delivery) -> Iterator[Moment]:
    yield Moment(delivery.created_at, "Callback due", delivery.url)
    for one in delivery.tries.all():
        detail = f"{f'HTTP {one.status}' if one.status else one.error} after {one.seconds} s"
        was_taken = one.status is not None and 200 <= one.status < 300
        yield Moment(one.started_at, f"Callback try {one.number}", detail, "success" if was_taken else "danger")


def _counted(moment: Moment, task: Task) -> Moment:
    after = f"+{_spelled(moment.at - task.created_at)}"
    return Moment(moment.at, moment.title, moment.detail, moment.tone, after)


def _spelled(duration: timedelta) -> str:
    """1.2 s, 4 min 05 s, 2 h 07 min."""
    seconds = max(duration.total_seconds(), 0)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _sum(line: pricing.Line) -> str:
    """Text to video, 720p: 5 seconds × 5.4 credits."""
    factor = "" if line.factor == 1 else f" × {pricing.spelled(line.factor)}"
    unit = f"{line.unit}{'s' * (line.quantity != 1)}"
    return f"{line.label}: {pricing.spelled(line.quantity)} {unit} × {pricing.spelled(line.rate)} credits{factor}"


def _rows(values: Mapping[str, Any]) -> Rows:
    return [(name, _text(value)) for name, value in values.items()]


def _text(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    return "–" if _is_empty(value) else json.dumps(value, ensure_ascii=False, indent=1)


def _is_empty(value: Any) -> bool:
    return value in (None, "", [], {})
