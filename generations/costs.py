"""What an attempt cost us, in dollars: the rows that `billing.provider_costs` keeps.

    succeeded                        one row, written by the capture
    failed, and the provider charged one row, in the transaction that ends the attempt
    given up, and proved to be made  one row, when that becomes known (orphan)
    a reconciliation found another   one signed row, when an operator books it (correction)
    else                             none

A provider tells its price in cash, in units of a pack, or not at all. Dollars are taken as told, anything else is worth
what the account's `rates` say; without a word that we can price, the cost is the estimate that routing chose by.
"""

from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef

from billing import provider_costs
from billing.models import CostKind, ProviderCost
from generations.models import Attempt, ReconciliationItem, Task
from generations.models.providers import ProviderAccount
from generations.providers.base import Cost

SMALLEST = Decimal("0.000001")
DOLLARS = "USD"


def of_success(task: Task, attempt: Attempt) -> ProviderCost:
    """For the capture to write: what the provider booked when the result was ready."""
    return _row(CostKind.ATTEMPT, task, attempt, attempt.cost_amount, attempt.cost_unit)


def record_failed(task: Task, attempt: Attempt, told: Cost | None) -> None:
    """Accepted work failed: we pay for it only where the provider says so. Last step of a transaction."""
    if told and told.amount:
        provider_costs.record(task.organization, _row(CostKind.ATTEMPT, task, attempt, told.amount, told.name))


def record_orphan(attempt: Attempt, told: Cost | None) -> None:
    """Work that was given up was made, and we pay for it. Last step of a transaction."""
    row = _row(CostKind.ORPHAN, attempt.task, attempt, told.amount if told else None, told.name if told else "")
    provider_costs.record(attempt.task.organization, row)


def record_missing() -> int:
    """Costs of attempts that succeeded before costs were recorded, dated at their end; how many were missing."""
    recorded = ProviderCost.objects.filter(attempt_id=OuterRef("pk"), kind=CostKind.ATTEMPT)
    missing = Attempt.objects.filter(~Exists(recorded), state=Attempt.State.SUCCEEDED)
    rows = missing.select_related("account", "task__organization").order_by("finished_at", "pk")
    return sum(
        provider_costs.record(attempt.task.organization, of_success(attempt.task, attempt), at=attempt.finished_at)
        for attempt in rows.iterator(chunk_size=500)
    )


def in_dollars(account: ProviderAccount, amount: Decimal, unit: str) -> Decimal | None:
    """What so many units, or so much cash, are worth; None when nobody said."""
    rate = Decimal(1) if unit == DOLLARS else account.rate_of(unit)
    return None if rate is None else (amount * rate).quantize(SMALLEST, ROUND_HALF_UP)


def record_difference(item: ReconciliationItem) -> bool:
    """What a provider charged beyond what we had written down, or less. Last step of a transaction.

    Of work without any cost it is the cost itself, by the attempt's own reference, so that a look-up that finds the
    work later writes no second one: False, when a look-up was first.
    """
    assert item.attempt is not None and item.difference is not None
    attempt, task, is_orphan = item.attempt, item.attempt.task, item.kind == ReconciliationItem.Kind.ORPHAN
    kind = CostKind.ORPHAN if is_orphan else CostKind.CORRECTION
    row = _row(kind, task, attempt, item.told_amount, item.told_unit)
    row.amount, row.is_estimate = item.difference, False
    if not is_orphan:
        row.reference = correction_reference(item.pk)
    return provider_costs.record(task.organization, row)


def recorded(attempt: Attempt) -> Decimal:
    """What is written down of an attempt by now, corrections included."""
    rows = ProviderCost.objects.filter(wallet=attempt.task.organization_id, attempt_id=attempt.pk)
    return sum(rows.values_list("amount", flat=True), Decimal(0))


def reference(attempt_id: UUID) -> str:
    """One cost an attempt, however it ended."""
    return f"attempt:{attempt_id}"


def correction_reference(item_id: int) -> str:
    """One correction an item of a reconciliation."""
    return f"reconciliation:{item_id}"


def _row(kind: CostKind, task: Task, attempt: Attempt, told: Decimal | None, unit: str) -> ProviderCost:
    account = attempt.account
    dollars = None if told is None else in_dollars(account, told, unit)
    return ProviderCost(
        kind=kind,
        reference=reference(attempt.pk),
        task_id=task.pk,
        attempt_id=attempt.pk,
        provider=account.provider,
        account_id=account.pk,
        account_name=account.name,
        model=task.model,
        user_group=task.user_group,
        amount=attempt.cost_estimate if dollars is None else dollars,
        is_estimate=dollars is None,
        told_amount=told,
        told_unit=unit,
    )
