"""Auto-recharge: buy credits with a saved payment method when a wallet runs low.

One at a time: `_begin` locks the organization's row, looks for an unfinished recharge first and only then at the
wallet, so what an earlier one brought is seen; a partial unique index says the same. A recharge lifts the wallet above
its threshold, so one crossing is one recharge. What failed, or waits for the customer's bank, pauses until a person
resumes it.
"""

import time
from datetime import UTC
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts.errors import Conflict, InvalidRequest
from accounts.models import Organization
from billing.models import AutoRecharge, TopUp, Wallet
from billing.top_ups import checkout, looks, packs, settling, wire

COUNTED = (*TopUp.UNFINISHED, TopUp.Status.PAID, TopUp.Status.REVIEW)


def of(organization: Organization) -> AutoRecharge:
    """Its settings; unsaved and switched off where it never had any."""
    found = AutoRecharge.objects.filter(organization=organization).first()
    return found or AutoRecharge(organization=organization)


def configure(
    organization: Organization, *, enabled: bool, threshold_credits: Decimal, cents: int, monthly_maximum_cents: int
) -> AutoRecharge:
    """Say when and what to buy. Saying so ends a pause, too.

    Raises what a purchase raises, InvalidRequest for amounts that contradict each other, and Conflict
    `payment_method_missing` when nothing was saved yet that could be charged.
    """
    checkout.require_purchases(organization)
    if threshold_credits > packs.credits_for(cents):
        message = "`threshold_credits` must not be more than one recharge brings."
        raise InvalidRequest("invalid_parameter", message, param="threshold_credits")
    if monthly_maximum_cents < cents:
        message = "`monthly_maximum_usd` must be at least the price of one recharge."
        raise InvalidRequest("invalid_parameter", message, param="monthly_maximum_usd")
    with transaction.atomic():
        row = _lock(organization.pk)
        if enabled and (row is None or not row.payment_method_id):
            message = "First top up once with `save_payment_method`, so that there is something to charge."
            raise Conflict("payment_method_missing", message)
        wanted = {
            "enabled": enabled,
            "threshold_credits": threshold_credits,
            "amount_cents": cents,
            "monthly_maximum_cents": monthly_maximum_cents,
            "paused_at": None,
            "paused_reason": "",
            "changed_at": timezone.now(),
        }
        return AutoRecharge.objects.update_or_create(organization=organization, defaults=wanted)[0]


def resume(row: AutoRecharge) -> None:
    """End a pause: the cause is dealt with."""
    AutoRecharge.objects.filter(pk=row.pk).update(paused_at=None, paused_reason="", changed_at=timezone.now())


def spent_this_month(organization: Organization) -> int:
    """Cents of this UTC month's recharges, those on their way included."""
    start = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    recharges = organization.top_ups.filter(origin=TopUp.Origin.AUTO_RECHARGE, created_at__gte=start)
    return recharges.filter(status__in=COUNTED).aggregate(cents=Sum("amount_cents"))["cents"] or 0


def is_month_used_up(row: AutoRecharge) -> bool:
    """Whether the next recharge would exceed the month's maximum."""
    return spent_this_month(row.organization) + row.amount_cents > row.monthly_maximum_cents


def standing(row: AutoRecharge) -> str:
    """off, paused, monthly_maximum_reached or on."""
    if not row.enabled:
        return "off"
    if row.paused_at:
        return "paused"
    return "monthly_maximum_reached" if is_month_used_up(row) else "on"


def run(*, seconds: float) -> int:
    """Recharge every wallet that is below its threshold, for at most so long, and say how many."""
    until, begun = time.monotonic() + seconds, 0
    if not wire.is_available():
        return begun
    for organization_id in _candidates():
        if time.monotonic() >= until:
            break
        top_up = _begin(organization_id)
        if top_up is not None:
            looks.look(top_up)
            begun += 1
    return begun


def _candidates() -> list[UUID]:
    """Whose wallet may be low. `_begin` looks again, under the lock."""
    rows = AutoRecharge.objects.filter(
        enabled=True,
        paused_at=None,
        organization__suspended_at=None,
        organization__sandbox_of=None,
        organization__wallet__debt=0,
        organization__wallet__frozen_at=None,
        organization__wallet__balance__lt=F("threshold_credits") + F("organization__wallet__reserved"),
    )
    return list(rows.values_list("pk", flat=True))


@transaction.atomic
def _begin(organization_id: UUID) -> TopUp | None:
    """Commit the next recharge, unless there is none to make now."""
    row = _lock(organization_id)
    if row is None or not row.enabled or row.paused_at or not _may_begin(row):
        return None
    return settling.begin(
        row.organization,
        TopUp.Origin.AUTO_RECHARGE,
        row.amount_cents,
        customer_id=row.customer_id,
        payment_method_id=row.payment_method_id,
    )


def _may_begin(row: AutoRecharge) -> bool:
    """In this order: a finished recharge has brought its credits, so the wallet is read after it was looked for."""
    recharges = row.organization.top_ups.filter(origin=TopUp.Origin.AUTO_RECHARGE)
    if recharges.filter(status__in=TopUp.UNFINISHED).exists():
        return False
    wallet = Wallet.objects.get(pk=row.organization_id)
    if wallet.is_frozen or wallet.available >= row.threshold_credits:
        return False
    return not is_month_used_up(row)


def _lock(organization_id: UUID) -> AutoRecharge | None:
    rows = AutoRecharge.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    return rows.filter(pk=organization_id).first()
