"""Lots: in which order they burn, and how credits are taken from them and come back. All on a wallet that is locked."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from accounts.compiled import Compiled, Given
from billing import budgets
from billing.amounts import ZERO
from billing.models import Account, CreditLot, Kind, Reservation, ReservationLot
from billing.postings import Posting

PRIORITIES = {CreditLot.Kind.PROMO: 10, CreditLot.Kind.GOODWILL: 20, CreditLot.Kind.PAID: 30}
WITH_CREDITS = Compiled(lambda: CreditLot.objects.filter(wallet=Given("wallet_id"), remaining__gt=0))
PARTS = Compiled(
    lambda: ReservationLot.objects.filter(reservation=Given("reservation_id")).select_related("lot").order_by("line")
)
NEVER = datetime.max.replace(tzinfo=UTC)


def burn_key(lot: CreditLot) -> tuple[int, datetime, datetime, int]:
    """Sorts lots into the order in which they burn: priority, soonest expiry, oldest."""
    return lot.priority, lot.expires_at or NEVER, lot.created_at, lot.id.int


def shares(lots: Iterable[CreditLot], amount: Decimal) -> list[tuple[CreditLot, Decimal]]:
    """What each lot gives towards `amount`, in the given order; all of them together may give less."""
    taken = []
    for lot in lots:
        share = min(lot.remaining, amount)
        if share > 0:
            taken.append((lot, share))
            amount -= share
    return taken


def reserve(posting: Posting, reservation: Reservation, found: Sequence[CreditLot]) -> list[ReservationLot]:
    """Reserve from the found lots in burn order, after expiring those that are due; raise QuotaExceeded when short."""
    wallet, amount = posting.wallet, reservation.amount
    if amount == 0:
        return []
    posting.expire(found)
    if amount > wallet.available:
        message = "There are not enough credits for this request."
        raise budgets.refusal(
            "account_balance_insufficient", message, amount, wallet.available, remaining=wallet.available
        )
    parts = []
    for line, (lot, share) in enumerate(shares(sorted(found, key=burn_key), amount), start=1):
        posting.move(Kind.RESERVE, Account.AVAILABLE, Account.RESERVED, lot, share, reservation=reservation)
        parts.append(ReservationLot(reservation=reservation, lot=lot, line=line, amount=share))
    return parts


def give_back(
    posting: Posting, kind: Kind, source: Account, lot: CreditLot, amount: Decimal, reservation: Reservation
) -> None:
    """Return credits to their lot. One that has expired meanwhile first loses what was left, then lives on a while."""
    if lot.is_due(posting.now):
        posting.expire([lot])
        lot.expires_at = lot.sweep_at = posting.now + timedelta(days=settings.RELEASE_EXTENDS_EXPIRY_DAYS)
    posting.move(kind, source, Account.AVAILABLE, lot, amount, reservation=reservation)


def take_back(posting: Posting, wanted: Decimal) -> Decimal:
    """Take what is available of `wanted`, and return the (negative) sum that moved."""
    found = WITH_CREDITS(wallet_id=posting.wallet.pk)
    posting.expire(found)
    taken = shares(sorted(found, key=burn_key, reverse=True), wanted)
    for lot, share in taken:
        posting.move(Kind.ADJUST, Account.AVAILABLE, Account.ADJUSTMENT, lot, share)
    return -sum((share for _, share in taken), ZERO)


def pay_in(posting: Posting, amount: Decimal) -> Decimal:
    """Let `amount` pay the wallet's debt first; what exceeds it becomes a goodwill lot, and is returned."""
    wallet = posting.wallet
    moved = max(ZERO, amount - wallet.debt)
    if moved:
        kind = CreditLot.Kind.GOODWILL
        lot = CreditLot(wallet=wallet, kind=kind, priority=PRIORITIES[kind], granted=ZERO, created_at=posting.now)
        lot.reference = posting.reference
        posting.move(Kind.ADJUST, Account.ADJUSTMENT, Account.AVAILABLE, lot, moved)
    return moved
