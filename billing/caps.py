"""An organization's monthly cap: what all of it may spend in a UTC month. Guarded by the wallet's lock.

The month's window stands on the wallet itself, which every movement reads and writes anyway, so a cap costs no
statement; a wallet without a cap keeps none. `month_seq` says up to which transfer the window was kept. It is the
wallet's `seq` as long as every posting knew of the cap. Where it is not (the cap was just set, or a host that runs an
older version has posted), the window is counted anew from the month's reservations, under the lock: exact, at the price
of one statement that one time.

A reservation counts in the month it was made, and stays there however late it is resolved.
"""

from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit_log
from accounts.models import Organization
from billing import budgets
from billing.amounts import ZERO, exact
from billing.locks import in_one_transaction, lock
from billing.models import Reservation, Wallet
from billing.postings import MONTH_COLUMNS, Posting

State = Reservation.State


@in_one_transaction
def set_cap(organization: Organization, credits: Decimal | None) -> Wallet:
    """Let the organization spend so much a UTC month, what it has spent since the month began included; None: no cap.

    Raises ValueError for a negative cap or one with more than 4 decimals.
    """
    cap = None if credits is None else exact(credits)
    if cap is not None and cap < 0:
        raise ValueError("A cap is not negative.")
    wallet = lock(organization)
    changes = audit_log.compared({"monthly_cap": wallet.monthly_cap}, {"monthly_cap": cap})
    if changes:
        audit_log.record(action="wallet.capped", target=wallet, organization=organization, changes=changes)
    wallet.monthly_cap, wallet.month_seq = cap, None
    if cap is not None:
        _count_anew(wallet, budgets.month_of(_no_earlier(wallet, timezone.now())))
    wallet.save(update_fields=["monthly_cap", *MONTH_COLUMNS])
    return wallet


def reserve(posting: Posting, reservation: Reservation, available: Decimal) -> None:
    """Count the reservation in the month's window, in memory. Raises QuotaExceeded when it would pass the cap."""
    wallet, amount = posting.wallet, reservation.amount
    if wallet.monthly_cap is None or amount == 0:
        return
    month = budgets.month_of(reservation.created_at)
    if not posting.month_is_kept:
        _count_anew(wallet, month)
        posting.month_is_kept = True
    elif wallet.month is not None and wallet.month > month:  # opened by a host whose clock is ahead
        _count_anew(wallet, month)
    elif wallet.month != month:
        wallet.month, wallet.month_reserved, wallet.month_captured = month, ZERO, ZERO
    rest = budgets.remaining(wallet.monthly_cap, wallet.month_reserved + wallet.month_captured)
    if amount > rest:
        message = "Your organization has reached its cap for this month (UTC)."
        over = budgets.start_of(budgets.month_after(month))
        raise budgets.refusal("organization_monthly_cap_reached", message, amount, available, rest, reset_at=over)
    wallet.month_reserved += amount


def change(posting: Posting, reservation: Reservation, *, reserved: Decimal = ZERO, captured: Decimal = ZERO) -> None:
    """Follow a reservation that is resolved or refunded, if it counts in the window that is kept."""
    wallet = posting.wallet
    if posting.month_is_kept and budgets.month_of(reservation.created_at) == wallet.month:
        wallet.month_reserved += reserved
        wallet.month_captured += captured


def spent(wallet: Wallet, now: datetime) -> Decimal:
    """What the organization has reserved and captured of this month's reservations; for reading, without a lock."""
    month = budgets.month_of(_no_earlier(wallet, now))
    if wallet.month_seq is None or wallet.month_seq != wallet.seq:
        return sum(_counted(wallet, month), ZERO)
    return wallet.month_reserved + wallet.month_captured if wallet.month == month else ZERO


def left(organization: Organization, now: datetime) -> Decimal | None:
    """What the cap leaves; None without one."""
    wallet = Wallet.objects.filter(pk=organization.pk, monthly_cap__isnull=False).first()
    if wallet is None or wallet.monthly_cap is None:
        return None
    return budgets.remaining(wallet.monthly_cap, spent(wallet, now))


def _count_anew(wallet: Wallet, month: date) -> None:
    wallet.month = month
    wallet.month_reserved, wallet.month_captured = _counted(wallet, month)
    wallet.month_seq = wallet.seq


def _counted(wallet: Wallet, month: date) -> tuple[Decimal, Decimal]:
    """What the month's reservations hold, and what was captured of them and not refunded."""
    since, until = budgets.start_of(month), budgets.start_of(budgets.month_after(month))
    rows = Reservation.objects.filter(wallet=wallet, created_at__gte=since, created_at__lt=until)
    sums = rows.aggregate(
        reserved=Coalesce(Sum("amount", filter=Q(state=State.RESERVED)), ZERO),
        captured=Coalesce(Sum("captured"), ZERO),
        refunded=Coalesce(Sum("refunded"), ZERO),
    )
    return sums["reserved"], sums["captured"] - sums["refunded"]


def _no_earlier(wallet: Wallet, now: datetime) -> datetime:
    """A wallet's time never goes back, whatever the clocks of the hosts say."""
    return max(now, wallet.moved_at or now)
