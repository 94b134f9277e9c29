"""Words that the tests of the books share: small amounts, keys with limits, and a look at what the auditor says."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts import ids
from accounts.models import ApiKey, Organization
from billing import audit, ledger
from billing.models import CreditLot, Reservation, Transfer, Wallet
from billing.replay import Finding
from tests.cast import give_key


def key_of(organization: Organization, *, total: object = None, daily: object = None, monthly: object = None) -> ApiKey:
    """A key with limits in credits."""
    limits = {"total_limit": total, "daily_limit": daily, "monthly_limit": monthly}
    return give_key(organization, **{name: limit(value) for name, value in limits.items()})[0]


def limit(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def give(organization: Organization, amount: object, kind: str = "promo", **facts: object) -> CreditLot:
    """A grant with a reference of its own."""
    reference = facts.pop("reference", None) or f"grant {ids.new()}"
    return ledger.grant(organization, Decimal(str(amount)), kind=kind, reference=str(reference), reason="test", **facts)


def reserve(organization: Organization, amount: object, **facts: object) -> Reservation:
    """A reservation for a new task."""
    return ledger.reserve(organization, ids.new(), Decimal(str(amount)), **facts)


def wallet_of(organization: Organization) -> Wallet:
    return Wallet.objects.get(pk=organization.pk)


def totals(organization: Organization) -> tuple[Decimal, Decimal]:
    """(available, reserved)"""
    wallet = wallet_of(organization)
    return wallet.available, wallet.reserved


def lot_amounts(lot: CreditLot) -> tuple[Decimal, Decimal, Decimal]:
    """(remaining, reserved, captured - refunded)"""
    lot.refresh_from_db()
    return lot.remaining, lot.reserved, lot.captured - lot.refunded


def movements(organization: Organization) -> list[tuple[str, Decimal]]:
    return list(wallet_of(organization).transfers.order_by("seq").values_list("kind", "amount"))


def summed_up(
    by: Sequence[str], since: datetime, until: datetime, wallet_id: UUID | None = None, *, span: str = "hour"
) -> list[dict[str, Any]]:
    """What `rollups.sums` has to say, added up from the transfers one by one."""
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [Decimal(0), 0])
    rows = Transfer.objects.filter(created_at__gte=since, created_at__lt=until).select_related("lot", "reservation")
    for row in rows.filter(wallet=wallet_id) if wallet_id else rows:
        start = row.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        values = {
            "organization": row.wallet_id,
            "time": start if span == "hour" else start.replace(hour=0),
            "key": row.api_key_id,
            "model": row.reservation.model if row.reservation else "",
            "kind": row.kind,
            "debit": row.debit,
            "credit": row.credit,
            "lot_kind": row.lot.kind,
        }
        sums = found[tuple(values[name] for name in by)]
        sums[0] += row.amount
        sums[1] += row.line == 1
    ordered = sorted(
        found, key=lambda group: [(value is None, value or 0 if value is None else value) for value in group]
    )
    return [dict(zip((*by, "amount", "postings"), (*group, *found[group]), strict=True)) for group in ordered]


def findings(wallets: Iterable[UUID] | None = None) -> list[Finding]:
    """What the auditor's own checks find, in all wallets or in these."""
    chosen = Wallet.objects.all() if wallets is None else Wallet.objects.filter(pk__in=wallets)
    return [finding for wallet in chosen for check in audit.CHECKS for finding in check(wallet)]
