"""A task's timeline for its customer: what it costs and why, what happened in its order, and what is kept how long.

Of a provider it says no more than our alias of the account, when it took the work, and how that ended in our code.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from billing import price_lines, pricing
from billing.amounts import ZERO, number
from billing.models import Kind, Transfer
from billing.pricing import Line
from generations.models import Attempt, Delivery, StoredFile, Task

NOT_TAKEN = "not_taken"
OWN_OUTCOMES = ("provider_refused", "slow_down", "not_created", "left_queue")
"""How an attempt ends that came to nothing at its provider, so that the task goes on elsewhere or later."""
REST = "less_than_reserved"
MOVED = {
    Kind.RESERVE.value: "credits_reserved",
    Kind.CAPTURE.value: "credits_charged",
    Kind.RELEASE.value: "credits_released",
    Kind.REFUND.value: "credits_refunded",
}


@dataclass(frozen=True)
class Event:
    """Something that happened; `facts` are JSON-able."""

    at: datetime
    name: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """`price` is what was reserved for; `settled` what a length that only the media knew made of it in the end."""

    task: Task
    price: list[Line]
    settled: list[Line] | None
    events: list[Event]
    files: list[StoredFile]


def of(task: Task) -> Timeline:
    attempts = task.attempts.select_related("account").order_by("number")
    transfers = Transfer.objects.filter(reservation=task.pk).order_by("seq")
    deliveries = task.deliveries.prefetch_related("tries").order_by("created_at")
    files = list(task.files.order_by("created_at"))
    told = chain(
        _of_task(task),
        _of_transfers(task, transfers),
        chain.from_iterable(_of_attempt(attempt) for attempt in attempts),
        _of_files(files),
        _of_the_end(task),
        chain.from_iterable(_of_delivery(delivery) for delivery in deliveries),
    )
    completed = task.status == Task.Status.COMPLETED
    seconds = pricing.settled_seconds(task.price, task.measured_seconds) if completed else None
    return Timeline(
        task=task,
        price=_lines(task),
        settled=None if seconds is None else _lines(task, seconds),
        events=sorted(told, key=lambda event: event.at),
        files=files,
    )


def _lines(task: Task, seconds: Decimal | None = None) -> list[Line]:
    label = pricing.line(task.price).label
    return price_lines.explain(task.price, label, user_group=task.user_group, seconds=seconds)


def _of_task(task: Task) -> Iterator[Event]:
    yield Event(task.created_at, "created", {"key_id": task.api_key and task.api_key.public_id})


def _of_the_end(task: Task) -> Iterator[Event]:
    if task.finished_at is not None:
        facts = {"code": task.error_code, "message": task.error_message} if task.error_code else {}
        yield Event(task.finished_at, str(task.status), facts)


def _of_transfers(task: Task, transfers: Iterable[Transfer]) -> Iterator[Event]:
    """One event a movement, whatever lots it took from."""
    sums: dict[tuple[datetime, str, str], Decimal] = defaultdict(lambda: ZERO)
    for row in transfers:
        sums[row.created_at, row.kind, row.reference] += row.amount
    for (at, kind, _), amount in sums.items():
        facts: dict[str, Any] = {"credits": number(amount)}
        if kind == Kind.CAPTURE:
            facts["reason"] = str(task.status)
        elif kind == Kind.RELEASE:
            facts["reason"] = task.error_code or REST
        yield Event(at, MOVED[kind], facts)


def _of_attempt(attempt: Attempt) -> Iterator[Event]:
    facts = {"attempt": attempt.number, "provider": attempt.account.alias}
    yield Event(attempt.created_at, "attempt_sent", facts)
    if attempt.accepted_at is not None:
        yield Event(attempt.accepted_at, "attempt_accepted", facts)
    if attempt.finished_at is not None:
        verdict = NOT_TAKEN if attempt.outcome in OWN_OUTCOMES else attempt.outcome
        yield Event(attempt.finished_at, "attempt_ended", facts | {"verdict": verdict})


def _of_files(files: Iterable[StoredFile]) -> Iterator[Event]:
    for file in files:
        if file.purpose == StoredFile.Purpose.RESULT:
            yield Event(file.created_at, "result_stored", {"file_id": file.public_id})


def _of_delivery(delivery: Delivery) -> Iterator[Event]:
    """Not its address: that may hold a secret, and the scope `webhooks` shows it."""
    facts = {"delivery_id": delivery.public_id}
    yield Event(delivery.created_at, "callback_due", facts)
    for one in delivery.tries.all():
        answered = {"status": one.status} if one.status is not None else {"error": one.error}
        yield Event(
            one.started_at, "callback_tried", facts | {"try": one.number, "seconds": float(one.seconds)} | answered
        )
