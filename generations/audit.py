"""The auditor's checks where books and tasks meet; `settings.AUDIT_CHECKS` names `checks` to `billing.audit`.

I14 what was reserved and captured is the price of the frozen inputs · I17 one reservation a task, open exactly as long
as the task · I18 completed = captured, failed or cancelled = released · I20 attempts and tasks agree · I21 one delivery
a task and event (and every finished task with a callback has one) · I23 every attempt that succeeded has one provider
cost, and every cost its attempt · I25 the counts of outcomes are those of the tasks.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from billing import pricing
from billing.models import Reservation, Wallet
from billing.replay import Finding
from generations import alerts, catalog, outcomes
from generations.models import Attempt, Task

TASKS = """
SELECT task.id, task.status, task.reserved_credits, task.charged_credits, task.price, task.measured_seconds,
       reservation.state, reservation.amount, reservation.captured,
       (SELECT count(*) FROM generations_attempt a
        WHERE a.task_id = task.id AND a.state IN ('submitting', 'running', 'fetching')),
       (SELECT count(*) FROM generations_attempt a WHERE a.task_id = task.id AND a.state = 'succeeded'),
       task.callback_url <> '' AND NOT EXISTS (
           SELECT 1 FROM generations_delivery d WHERE d.task_id = task.id AND d.event = 'task.' || task.status)
FROM generations_task AS task LEFT JOIN billing_reservation AS reservation ON reservation.id = task.id
WHERE task.organization_id = %s
"""
WITHOUT_TASK = """
SELECT reservation.id FROM billing_reservation AS reservation
LEFT JOIN generations_task AS task ON task.id = reservation.id
WHERE reservation.wallet_id = %s AND (task.id IS NULL OR task.organization_id <> %s)
"""
COSTS = """
SELECT attempt.id, 'the attempt succeeded without a provider cost'
FROM generations_attempt AS attempt JOIN generations_task AS task ON task.id = attempt.task_id
LEFT JOIN billing_providercost AS cost
    ON cost.wallet_id = task.organization_id AND cost.attempt_id = attempt.id AND cost.kind = 'attempt'
WHERE task.organization_id = %(organization)s AND attempt.state = 'succeeded' AND cost.id IS NULL
UNION ALL
SELECT cost.attempt_id, 'provider cost ' || cost.seq || ' does not fit its attempt'
FROM billing_providercost AS cost
LEFT JOIN generations_attempt AS attempt ON attempt.id = cost.attempt_id
LEFT JOIN generations_task AS task ON task.id = attempt.task_id
WHERE cost.wallet_id = %(organization)s AND (
    (task.id, task.organization_id, task.model, task.user_group, attempt.account_id)
        IS DISTINCT FROM (cost.task_id, cost.wallet_id, cost.model, cost.user_group, cost.account_id)
    OR (cost.kind <> 'correction' AND cost.reference <> 'attempt:' || attempt.id)
    OR (cost.kind = 'attempt' AND attempt.state NOT IN ('succeeded', 'failed'))
    OR (cost.kind = 'orphan' AND attempt.state NOT IN ('lost', 'failed')))
"""
OUTCOME = {
    Task.Status.COMPLETED: Reservation.State.CAPTURED,
    Task.Status.FAILED: Reservation.State.RELEASED,
    Task.Status.CANCELLED: Reservation.State.RELEASED,
}
CHUNK = 2000
MARGIN = timedelta(minutes=10)
ALERTS_AT_ONCE = 100


def checks(wallet: Wallet) -> Iterable[Finding]:
    """Everything that is wrong between this organization's tasks and its books."""
    organization = wallet.organization_id
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_TASK, [wallet.pk, organization])
        for (reservation,) in cursor.fetchall():
            yield Finding(invariant="I17", subject=str(reservation), problem="the reservation has no task")
        cursor.execute(TASKS, [organization])
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                yield from _task(*row)
        cursor.execute(COSTS, {"organization": organization})
        for attempt, problem in cursor.fetchall():
            yield Finding(invariant="I23", subject=Attempt(id=attempt).reference, problem=problem)
    for subject, problem in outcomes.wrong(organization):
        yield Finding(invariant="I25", subject=subject, problem=problem)


def watch_reservations() -> None:
    """Alert on credits that are reserved for longer than any task may live: whatever should end it does not."""
    longest = max(spec.unaccepted_deadline_minutes + spec.deadline_minutes for spec in catalog.SPECS)
    oldest = timezone.now() - timedelta(minutes=longest) - MARGIN
    overdue = Reservation.objects.filter(state=Reservation.State.RESERVED, created_at__lt=oldest)
    for reservation in overdue.order_by("created_at")[:ALERTS_AT_ONCE]:
        message = f"{reservation.amount} credits are reserved since {reservation.created_at:%Y-%m-%d %H:%M} UTC."
        alerts.tell("old-reservation", reservation.task_id, message)


def _task(
    task_id: Any,
    status: str,
    reserved: Decimal,
    charged: Decimal,
    price: str,
    measured: Decimal | None,
    state: str | None,
    amount: Decimal | None,
    captured: Decimal | None,
    open_attempts: int,
    succeeded: int,
    unannounced: bool,
) -> Iterator[Finding]:
    def finding(invariant: str, problem: str) -> Finding:
        return Finding(invariant=invariant, subject=Task(id=task_id).public_id, problem=problem)

    if state is None:
        yield finding("I17", "the task has no reservation")
        return
    is_open = status in Task.OPEN
    if is_open != (state == Reservation.State.RESERVED):
        yield finding("I17", f"the task is {status}, its reservation {state}")
    elif not is_open and OUTCOME[Task.Status(status)] != state:
        yield finding("I18", f"the task is {status}, its reservation {state}")
    if amount != reserved or (not is_open and captured != charged):
        yield finding("I18", f"task {reserved}/{charged}, books {amount}/{captured} reserved/charged")
    to_reserve, due = _prices(price, measured)
    if reserved != to_reserve or (status == Task.Status.COMPLETED and charged != due):
        yield finding("I14", f"reserved {reserved}, charged {charged}, the frozen inputs make {to_reserve} and {due}")
    if (not is_open and open_attempts) or succeeded != (status == Task.Status.COMPLETED):
        yield finding("I20", f"the task is {status} with {open_attempts} open and {succeeded} successful attempts")
    if not is_open and unannounced:
        yield finding("I21", "the task ended without a delivery")


def _prices(text: str, measured: Decimal | None) -> tuple[Decimal, Decimal]:
    """What must be reserved, and what must be charged in the end. Raw SQL hands JSON columns over as text."""
    inputs = json.loads(text)
    return pricing.price(inputs), pricing.settle(inputs, measured)
