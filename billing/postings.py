"""A posting: what one call of the ledger writes. Transfers are added one by one; wallet and lots follow from them.

Everything is computed in memory while the wallet's row is locked, and written by one SQL statement at the end, so what
raises before leaves nothing behind.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from billing import budgets, chain, effects
from billing.models import (
    Account,
    Adjustment,
    CreditLot,
    Kind,
    ProviderCost,
    Reservation,
    ReservationLot,
    Transfer,
    Wallet,
)
from billing.one_statement import Part, execute, insert, update

WALLET_COLUMNS = ("balance", "reserved", "debt", "seq", "head", "moved_at", "cost_seq")
MONTH_COLUMNS = ("month", "month_reserved", "month_captured", "month_seq")
LOT_COLUMNS = (*effects.LOT_AMOUNTS, "expires_at", "sweep_at")
RESERVATION_COLUMNS = ("captured", "refunded", "state", "resolved_at")


class Posting:
    """The rows of one posting on a locked wallet; `reference` names it, `now` dates it.

    Clocks of two hosts may differ. A posting is never older than the one before it, so that a month's transfers are
    those between two numbers.
    """

    def __init__(self, wallet: Wallet, now: datetime, reference: str, reason: str = "") -> None:
        self.wallet = wallet
        self.now = max(now, wallet.moved_at or now)
        self.reference = reference
        self.reason = reason
        self.month_is_kept = wallet.month_seq is not None and wallet.month_seq == wallet.seq  # billing/caps.py
        self.transfers: list[Transfer] = []
        self.lots: dict[object, CreditLot] = {}
        self.lines: dict[str, int] = {}

    def move(
        self,
        kind: Kind,
        debit: Account,
        credit: Account,
        lot: CreditLot,
        amount: Decimal,
        *,
        reservation: Reservation | None = None,
        reference: str | None = None,
    ) -> None:
        """Add one transfer and apply it to the wallet and the lot in memory."""
        wallet, reference = self.wallet, reference or self.reference
        balance_sign, reserved_sign = effects.on_wallet(debit, credit)
        wallet.balance += balance_sign * amount
        wallet.reserved += reserved_sign * amount
        wallet.seq += 1
        wallet.moved_at = self.now
        for name, sign in effects.ON_LOT[debit, credit].items():
            setattr(lot, name, getattr(lot, name) + sign * amount)
        self.lots[lot.id] = lot
        self.lines[reference] = self.lines.get(reference, 0) + 1
        transfer = Transfer(
            wallet=wallet,
            seq=wallet.seq,
            kind=kind,
            debit=debit,
            credit=credit,
            amount=amount,
            lot=lot,
            reservation=reservation,
            api_key_id=reservation.api_key_id if reservation else None,
            balance_after=wallet.balance,
            reserved_after=wallet.reserved,
            lot_expires_at=lot.expires_at,
            reference=reference,
            line=self.lines[reference],
            reason=self.reason,
            created_at=self.now,
        )
        wallet.head = transfer.hash = chain.link(bytes(wallet.head), transfer)
        self.transfers.append(transfer)

    def expire(self, found: Iterable[CreditLot]) -> None:
        """Move what is left in those lots that are past their expiry to breakage; they need no further sweep."""
        for lot in found:
            if lot.is_due(self.now):
                lot.sweep_at = None
                self.lots[lot.id] = lot
                if lot.remaining > 0:
                    reference = f"expire:{lot.id}:{chain.spelled(lot.expires_at)}"
                    self.move(Kind.EXPIRE, Account.AVAILABLE, Account.BREAKAGE, lot, lot.remaining, reference=reference)

    def write(
        self,
        *,
        reservation: Reservation | None = None,
        parts: Iterable[ReservationLot] = (),
        windows: budgets.Windows | None = None,
        adjustment: Adjustment | None = None,
        cost: ProviderCost | None = None,
    ) -> None:
        """Write all of it in one statement."""
        steps: list[Part] = []
        if self.lots:
            steps.append(insert(list(self.lots.values()), unique=["id"], changed=LOT_COLUMNS))
        if reservation:
            is_new = reservation._state.adding
            steps.append(insert([reservation]) if is_new else update(reservation, *RESERVATION_COLUMNS))
        if parts := list(parts):
            steps.append(insert(parts, unique=["reservation_id", "lot_id"], changed=["captured", "refunded"]))
        if windows:
            rows = [windows.total, windows.daily]
            steps.append(insert(rows, unique=["budget_id", "kind", "day"], changed=["reserved", "captured"]))
        if adjustment:
            steps.append(insert([adjustment]))
        if self.transfers:
            steps.append(insert(self.transfers))
        if cost:
            self.wallet.cost_seq += 1
            cost.wallet, cost.seq, cost.at = self.wallet, self.wallet.cost_seq, self.now
            steps.append(insert([cost]))
        if self.transfers or adjustment or cost:
            steps.append(self._wallet())
        if steps:
            execute(steps)

    def _wallet(self) -> Part:
        """Its totals; with them the month's window, where one is kept."""
        if not self.month_is_kept:
            return update(self.wallet, *WALLET_COLUMNS)
        self.wallet.month_seq = self.wallet.seq
        return update(self.wallet, *WALLET_COLUMNS, *MONTH_COLUMNS)
