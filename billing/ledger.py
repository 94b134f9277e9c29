"""The only code that moves credits: grant, top_up, reserve, capture, release, refund, adjust, expire.

Every verb joins the caller's transaction (or opens one), locks the wallet first, reads after the lock, and writes all
of its rows in one statement. So what it refuses leaves nothing behind, and equal calls queue on the wallet: called
twice with the same reference = done once; with other arguments = LedgerConflict. The wallet stays locked until commit,
so a caller comes here as the last step of its transaction, after it has changed its own rows (first task, then wallet).
"""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from accounts import audit_log
from accounts.compiled import together
from accounts.errors import Forbidden
from accounts.models import ApiKey, Organization
from billing import budgets, caps, lots
from billing.amounts import ZERO, exact
from billing.effects import ISSUERS
from billing.errors import LedgerConflict
from billing.locks import (
    RESERVATION,
    WALLET,
    WALLET_OF_A_RESERVATION,
    in_one_transaction,
    lock,
    lock_reservation,
    open_wallet,
    the_two,
)
from billing.models import (
    Account,
    Adjustment,
    CreditLot,
    Kind,
    ProviderCost,
    Reservation,
    Transfer,
    Wallet,
)
from billing.postings import Posting

__all__ = [
    "adjust",
    "capture",
    "expire",
    "expire_due",
    "freeze",
    "grant",
    "open_wallet",
    "refund",
    "release",
    "reserve",
    "top_up",
    "unfreeze",
]

State = Reservation.State
R = TypeVar("R")


@in_one_transaction
def grant(
    organization: Organization,
    amount: Decimal,
    *,
    kind: CreditLot.Kind | str,
    reference: str,
    reason: str,
    expires_at: datetime | None = None,
    priority: int | None = None,
) -> CreditLot:
    """Give credits as a new lot. `priority` defaults to its kind's: promo first, then goodwill, then paid."""
    lot = new_lot(organization, kind, reference, expires_at=expires_at, priority=priority)
    return bring_in(lot, Kind.GRANT, ISSUERS[lot.kind], positive(amount), reason)


@in_one_transaction
def top_up(organization: Organization, amount: Decimal, *, reference: str) -> CreditLot:
    """Credits that the customer paid for; they do not expire. `reference` is the payment's."""
    lot = new_lot(organization, CreditLot.Kind.PAID, reference)
    return bring_in(lot, Kind.TOP_UP, Account.ISSUED_PAID, positive(amount), "")


@in_one_transaction
def reserve(
    organization: Organization,
    reservation_id: UUID,
    amount: Decimal,
    *,
    api_key: ApiKey | None = None,
    model: str = "",
) -> Reservation:
    """Reserve `amount` for the task with this id, from the lots in burn order; for 0 without any transfer.

    `model` is what the task asked for; the roll-ups count by it. Raises QuotaExceeded (balance, key limits or cap),
    Forbidden `wallet_frozen`, or LedgerConflict. Costs 5 statements.
    """
    amount = exact(amount)
    if amount < 0 or (api_key and api_key.organization_id != organization.pk):
        raise ValueError("A reservation is not negative, and its key belongs to its organization.")
    questions = (
        WALLET.given(wallet_id=organization.pk),
        RESERVATION.given(reservation_id=reservation_id),
        lots.WITH_CREDITS.given(wallet_id=organization.pk),
        budgets.open_on(api_key.budget if api_key else None, today := budgets.day_of(timezone.now())),
    )
    answers = together(*questions)
    if not answers[0]:  # no lock was held, so all is read again
        open_wallet(organization)
        answers = together(*questions)
    (wallet,), done, found, counted = answers
    for earlier in done:
        asked = (wallet.pk, amount, api_key.pk if api_key else None, model)
        return require_same(earlier, (earlier.wallet_id, earlier.amount, earlier.api_key_id, earlier.model) == asked)
    if wallet.is_frozen:
        raise Forbidden("wallet_frozen", "This organization's credits are frozen. Please contact support.")
    reservation = Reservation(id=reservation_id, wallet=wallet, amount=amount, api_key=api_key, model=model)
    posting = Posting(wallet, timezone.now(), f"reserve:{reservation.task_id}")
    reservation.created_at = posting.now
    parts = lots.reserve(posting, reservation, found)
    windows = None
    if api_key:
        windows = budgets.from_rows(counted, api_key.budget_id, today)
        count_in_budget(reservation, api_key, windows, wallet.available + amount)
    caps.reserve(posting, reservation, wallet.available + amount)
    posting.write(reservation=reservation, parts=parts, windows=windows)
    return reservation


@in_one_transaction
def capture(reservation_id: UUID, amount: Decimal | None = None, *, cost: ProviderCost | None = None) -> Reservation:
    """Take `amount` (default: all) of a reservation as revenue, and release the rest.

    `cost` is what the work cost us, written with it (`billing.provider_costs`).
    """
    return resolve(reservation_id, State.CAPTURED, amount, cost)


@in_one_transaction
def release(reservation_id: UUID) -> Reservation:
    """Give all of a reservation back to the lots it came from."""
    return resolve(reservation_id, State.RELEASED, ZERO)


@in_one_transaction
def refund(reservation_id: UUID, amount: Decimal, *, reference: str) -> Reservation:
    """Give back `amount` of what was captured, to the lots that were burnt last."""
    amount = positive(amount)
    wallet, reservation = lock_reservation(reservation_id)
    if earlier := posted(wallet, reference):
        same = all((row.kind, row.reservation_id) == (Kind.REFUND, reservation_id) for row in earlier)
        return require_same(reservation, same and sum(row.amount for row in earlier) == amount)
    if amount > reservation.captured - reservation.refunded:
        raise LedgerConflict(f"{reservation} has less than {amount} captured credits left to refund.")
    posting = Posting(wallet, timezone.now(), reference)
    rest, parts = amount, lots.PARTS(reservation_id=reservation.id)[::-1]
    for part in parts:
        share = min(part.captured - part.refunded, rest)
        if share > 0:
            lots.give_back(posting, Kind.REFUND, Account.REVENUE, part.lot, share, reservation)
            part.refunded += share
            rest -= share
    reservation.refunded += amount
    windows = budgets.remembered(reservation, budgets.OF_A_RESERVATION(reservation_id=reservation_id))
    if windows:
        windows.add(captured=-amount)
    caps.change(posting, reservation, captured=-amount)
    posting.write(reservation=reservation, parts=parts, windows=windows)
    return reservation


@in_one_transaction
def adjust(organization: Organization, amount: Decimal, *, reference: str, reason: str) -> Adjustment:
    """Correct the books after a dispute or a money refund. `amount` is signed.

    Negative takes what is available, from the lots that would burn last; what is missing becomes debt and freezes the
    wallet. Positive pays the debt first, which ends that freeze; the rest is a goodwill lot.
    """
    amount = exact(amount)
    if amount == 0:
        raise ValueError("An adjustment of 0 changes nothing.")
    wallet = lock(organization)
    earlier = wallet.adjustments.filter(reference=reference).first()
    if earlier:
        return require_same(earlier, (earlier.amount, earlier.reason) == (amount, reason))
    if posted(wallet, reference):
        raise LedgerConflict(f"{reference} names another movement.")
    now = timezone.now()
    posting = Posting(wallet, now, reference, reason)
    moved = lots.pay_in(posting, amount) if amount > 0 else lots.take_back(posting, -amount)
    adjustment = Adjustment(
        wallet=wallet,
        reference=reference,
        amount=amount,
        moved=moved,
        debt_change=moved - amount,
        reason=reason,
        created_at=now,
    )
    wallet.debt += adjustment.debt_change
    posting.write(adjustment=adjustment)
    return adjustment


@in_one_transaction
def expire(organization: Organization) -> Decimal:
    """Move what is left in the organization's lots past their expiry to breakage, and say how much that was."""
    wallet, now = lock(organization), timezone.now()
    before = wallet.balance
    posting = Posting(wallet, now, "expire")
    posting.expire(wallet.lots.filter(sweep_at__lte=now).order_by("expires_at", "id"))
    posting.write()
    return before - wallet.balance


def expire_due() -> int:
    """Expire every due lot, each wallet in its own transaction, and say in how many wallets that was."""
    due = CreditLot.objects.filter(sweep_at__lte=timezone.now()).values("wallet_id")
    organizations = list(Organization.objects.filter(pk__in=due))
    for organization in organizations:
        expire(organization)
    return len(organizations)


@in_one_transaction
def freeze(organization: Organization, *, reason: str) -> Wallet:
    """Let nothing more be reserved; captures and releases go on. A wallet that is frozen keeps its first reason."""
    wallet = lock(organization)
    if not wallet.frozen_at:
        wallet.frozen_at, wallet.frozen_reason = timezone.now(), reason[:200]
        wallet.save(update_fields=["frozen_at", "frozen_reason"])
        changes = {"frozen_at": [None, wallet.frozen_at]}
        audit_log.record(
            action="wallet.frozen", target=wallet, organization=organization, changes=changes, reason=reason
        )
    return wallet


@in_one_transaction
def unfreeze(organization: Organization, *, reason: str) -> Wallet:
    """Let credits be reserved again. Raises LedgerConflict while there is debt."""
    wallet = lock(organization)
    if wallet.debt > 0:
        raise LedgerConflict(f"{wallet} owes {wallet.debt} credits.")
    if wallet.frozen_at:
        changes = {"frozen_at": [wallet.frozen_at, None], "frozen_reason": [wallet.frozen_reason, ""]}
        wallet.frozen_at, wallet.frozen_reason = None, ""
        wallet.save(update_fields=["frozen_at", "frozen_reason"])
        audit_log.record(
            action="wallet.unfrozen", target=wallet, organization=organization, changes=changes, reason=reason
        )
    return wallet


# The steps of the verbs.


def positive(amount: Decimal) -> Decimal:
    amount = exact(amount)
    if amount <= 0:
        raise ValueError(f"{amount} is not a positive amount.")
    return amount


def require_same(done: R, same: bool) -> R:
    if not same:
        raise LedgerConflict(f"{done} was already done with other arguments.")
    return done


def posted(wallet: Wallet, reference: str) -> list[Transfer]:
    return list(wallet.transfers.filter(reference=reference))


def new_lot(
    organization: Organization,
    kind: CreditLot.Kind | str,
    reference: str,
    *,
    expires_at: datetime | None = None,
    priority: int | None = None,
) -> CreditLot:
    """An empty lot of a locked wallet, not saved yet."""
    kind = CreditLot.Kind(kind)
    return CreditLot(
        wallet=lock(organization),
        kind=kind,
        priority=lots.PRIORITIES[kind] if priority is None else priority,
        reference=reference,
        granted=ZERO,
        expires_at=expires_at,
        sweep_at=expires_at,
        created_at=timezone.now(),
    )


def bring_in(lot: CreditLot, kind: Kind, issuer: Account, amount: Decimal, reason: str) -> CreditLot:
    """Fill a new lot from an issuing account, unless its reference was already posted."""
    wallet = lot.wallet
    if earlier := posted(wallet, lot.reference):
        done, row = wallet.lots.filter(reference=lot.reference).first(), earlier[0]
        same = done and (row.kind, row.amount, row.reason, row.lot_expires_at, done.kind, done.priority) == (
            kind,
            amount,
            reason,
            lot.expires_at,
            lot.kind,
            lot.priority,
        )
        return require_same(done or lot, bool(same))
    if wallet.adjustments.filter(reference=lot.reference).exists():
        raise LedgerConflict(f"{lot.reference} names an adjustment.")
    posting = Posting(wallet, lot.created_at, lot.reference, reason)
    posting.move(kind, issuer, Account.AVAILABLE, lot, amount)
    posting.write()
    return lot


def count_in_budget(reservation: Reservation, api_key: ApiKey, windows: budgets.Windows, available: Decimal) -> None:
    """Add the reservation to its key's windows in memory, or raise QuotaExceeded."""
    budgets.check(api_key.budget, windows, reservation.amount, available)
    windows.add(reserved=reservation.amount)
    reservation.budget, reservation.budget_day = api_key.budget, windows.day


def resolve(
    reservation_id: UUID, state: Reservation.State, amount: Decimal | None, cost: ProviderCost | None = None
) -> Reservation:
    """Capture `amount` (None: all) in burn order and release the rest; the state says which of the two it is called."""
    wallets, reservations, parts, counted = together(
        WALLET_OF_A_RESERVATION.given(reservation_id=reservation_id),
        RESERVATION.given(reservation_id=reservation_id),
        lots.PARTS.given(reservation_id=reservation_id),
        budgets.OF_A_RESERVATION.given(reservation_id=reservation_id),
    )
    wallet, reservation = the_two(wallets, reservations, reservation_id)
    captured = reservation.amount if amount is None else exact(amount)
    if not 0 <= captured <= reservation.amount:
        raise LedgerConflict(f"{captured} is not between 0 and what {reservation} holds.")
    if reservation.state != State.RESERVED:
        return require_same(reservation, (reservation.state, reservation.captured) == (state, captured))
    verb = Kind.CAPTURE if state == State.CAPTURED else Kind.RELEASE
    posting = Posting(wallet, timezone.now(), f"{verb}:{reservation.task_id}")
    rest = captured
    for part in parts:
        part.captured = min(part.amount, rest)
        rest -= part.captured
        if part.captured > 0:
            accounts = Account.RESERVED, Account.REVENUE
            posting.move(Kind.CAPTURE, *accounts, part.lot, part.captured, reservation=reservation)
    for part in parts:
        if part.amount > part.captured:
            back = part.amount - part.captured
            lots.give_back(posting, Kind.RELEASE, Account.RESERVED, part.lot, back, reservation)
    reservation.state, reservation.captured, reservation.resolved_at = state, captured, posting.now
    windows = budgets.remembered(reservation, counted)
    if windows:
        windows.add(reserved=-reservation.amount, captured=captured)
    caps.change(posting, reservation, reserved=-reservation.amount, captured=captured)
    posting.write(reservation=reservation, parts=parts, windows=windows, cost=cost)
    return reservation
