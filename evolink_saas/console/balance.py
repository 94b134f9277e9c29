"""What billing pages show of the books: what is left and until when, and each movement in plain words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q

from accounts.models import Organization
from billing import standing
from billing.amounts import ZERO
from billing.effects import on_wallet
from billing.models import CreditLot, Transfer
from evolink_saas.console import money_words
from evolink_saas.console.wording import Words

MOST_LOTS = 50


@dataclass(frozen=True, kw_only=True)
class Lot:
    """Credits that came in together, as long as some of them are there."""

    name: Words
    remaining: Decimal
    reserved: Decimal
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Balance:
    """`lots` stand in the order in which they are spent; `expiring` is what would be lost at `expires_next_at`."""

    available: Decimal
    reserved: Decimal
    debt: Decimal
    is_frozen: bool
    lots: list[Lot]
    expiring: Decimal
    expires_next_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A transfer as its customer sees it: what it changed, and what held after it."""

    transfer: Transfer
    name: Words
    available: Decimal
    reserved: Decimal
    available_after: Decimal


def of(organization: Organization, now: datetime) -> Balance:
    wallet = organization.wallet
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now) | Q(reserved__gt=0)
    rows = wallet.lots.filter(alive).filter(Q(remaining__gt=0) | Q(reserved__gt=0))
    rows = rows.order_by("priority", F("expires_at").asc(nulls_last=True), "created_at", "pk")[:MOST_LOTS]
    lots = [_lot(row, now) for row in rows]
    moments = [lot.expires_at for lot in lots if lot.expires_at and lot.remaining]
    next_at = min(moments, default=None)
    return Balance(
        available=standing.of_organization(organization, now).remaining,
        reserved=wallet.reserved,
        debt=wallet.debt,
        is_frozen=wallet.is_frozen,
        lots=lots,
        expiring=sum((lot.remaining for lot in lots if next_at and lot.expires_at == next_at), ZERO),
        expires_next_at=next_at,
    )


def movements(transfers: Iterable[Transfer]) -> Iterator[Movement]:
    for transfer in transfers:
        balance, reserved = on_wallet(transfer.debit, transfer.credit)
        yield Movement(
            transfer=transfer,
            name=money_words.MOVEMENTS[transfer.kind],
            available=(balance - reserved) * transfer.amount,
            reserved=reserved * transfer.amount,
            available_after=transfer.balance_after - transfer.reserved_after,
        )


def _lot(row: CreditLot, now: datetime) -> Lot:
    """One past its expiry holds what running tasks have reserved, and nothing more."""
    return Lot(
        name=money_words.LOTS[row.kind],
        remaining=ZERO if row.is_due(now) else row.remaining,
        reserved=row.reserved,
        expires_at=row.expires_at,
        created_at=row.created_at,
    )
