"""Words that the tests of the books share: small amounts, keys with limits, and a look at what the auditor says."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from accounts import ids
from accounts.models import ApiKey, Organization
from billing import audit, ledger
from billing.models import CreditLot, Reservation, Wallet
from billing.replay import Finding
from tests.cast import give_key


def key_of(organization: Organization, *, total: object = None, daily: object = None) -> ApiKey:
    """A key with limits in credits."""
    return give_key(organization, total_limit=limit(total), daily_limit=limit(daily))[0]


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


def findings(wallets: Iterable[UUID] | None = None) -> list[Finding]:
    """What the auditor's own checks find, in all wallets or in these."""
    chosen = Wallet.objects.all() if wallets is None else Wallet.objects.filter(pk__in=wallets)
    return [finding for wallet in chosen for check in audit.CHECKS for finding in check(wallet)]
