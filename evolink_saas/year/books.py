"""One wallet's books in memory: the same postings, burn order and hash chain as the ledger's, written later by COPY.

What `billing.ledger` reads from locked rows stands here in variables; nobody else has this wallet. Transfers and
reservations that are over leave for their tables as they come; wallet, lots and windows follow at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import ApiKey, Organization
from billing import budgets, lots
from billing.amounts import ZERO
from billing.effects import ISSUERS
from billing.models import (
    Account,
    Adjustment,
    BudgetWindow,
    CreditLot,
    Kind,
    ProviderCost,
    Reservation,
    ReservationLot,
    Wallet,
)
from billing.postings import Posting
from evolink_saas.year.rows import Rows

Window = BudgetWindow.Kind


@dataclass(frozen=True, kw_only=True)
class Held:
    """A reservation with what each lot gives it."""

    reservation: Reservation
    parts: list[ReservationLot]


class Books:
    def __init__(self, organization: Organization, rows: Rows) -> None:
        self.rows = rows
        self.wallet = Wallet(organization=organization, opened_at=organization.created_at)
        self.lots: dict[UUID, CreditLot] = {}
        self.alive: dict[UUID, CreditLot] = {}
        self.windows: dict[tuple[int, date | None], BudgetWindow] = {}

    @property
    def available(self) -> Decimal:
        return self.wallet.available

    def top_up(self, at: datetime, amount: Decimal, reference: str) -> None:
        lot = self._lot(at, CreditLot.Kind.PAID, reference, None)
        self._bring_in(at, Kind.TOP_UP, lot, amount, "")

    def grant(
        self,
        at: datetime,
        amount: Decimal,
        kind: CreditLot.Kind,
        reference: str,
        reason: str,
        expires_at: datetime | None,
    ) -> None:
        self._bring_in(at, Kind.GRANT, self._lot(at, kind, reference, expires_at), amount, reason)

    def reserve(self, at: datetime, task_id: UUID, amount: Decimal, key: ApiKey, model: str) -> Held:
        """There must be enough available."""
        reservation = Reservation(
            id=task_id,
            wallet=self.wallet,
            api_key=key,
            budget_id=key.budget_id,
            budget_day=budgets.day_of(at),
            model=model,
            amount=amount,
            created_at=at,
        )
        posting = Posting(self.wallet, at, f"reserve:{reservation.task_id}")
        parts = lots.reserve(posting, reservation, list(self.alive.values()))
        self._windows_of(reservation).add(reserved=amount)
        self._keep(posting)
        return Held(reservation=reservation, parts=parts)

    def resolve(self, at: datetime, held: Held, captured: Decimal, *, released: bool) -> datetime:
        """Capture so much and release the rest; `released`: nothing was captured. Says when that was."""
        reservation = held.reservation
        verb = Kind.RELEASE if released else Kind.CAPTURE
        posting = Posting(self.wallet, at, f"{verb}:{reservation.task_id}")
        rest = captured
        for part in held.parts:
            part.captured = min(part.amount, rest)
            rest -= part.captured
            if part.captured > 0:
                accounts = Account.RESERVED, Account.REVENUE
                posting.move(Kind.CAPTURE, *accounts, part.lot, part.captured, reservation=reservation)
        for part in held.parts:
            if part.amount > part.captured:
                back = part.amount - part.captured
                lots.give_back(posting, Kind.RELEASE, Account.RESERVED, part.lot, back, reservation)
        reservation.state = Reservation.State.RELEASED if released else Reservation.State.CAPTURED
        reservation.captured, reservation.resolved_at = captured, posting.now
        self._windows_of(reservation).add(reserved=-reservation.amount, captured=captured)
        self._keep(posting)
        return posting.now

    def refund(self, at: datetime, held: Held, amount: Decimal, reference: str) -> None:
        """Give so much of what was captured back, to the lots that burnt last."""
        posting, rest = Posting(self.wallet, at, reference), amount
        for part in reversed(held.parts):
            share = min(part.captured - part.refunded, rest)
            if share > 0:
                lots.give_back(posting, Kind.REFUND, Account.REVENUE, part.lot, share, held.reservation)
                part.refunded += share
                rest -= share
        held.reservation.refunded += amount
        self._windows_of(held.reservation).add(captured=-amount)
        self._keep(posting)

    def take_back(self, at: datetime, wanted: Decimal, reference: str, reason: str) -> None:
        """A dispute: take so much of what is available, from the lots that would burn last."""
        posting = Posting(self.wallet, at, reference, reason)
        posting.expire(list(self.alive.values()))
        wanted = min(wanted, self.available)
        if wanted > 0:
            for lot, share in lots.shares(sorted(self.alive.values(), key=lots.burn_key, reverse=True), wanted):
                posting.move(Kind.ADJUST, Account.AVAILABLE, Account.ADJUSTMENT, lot, share)
            moved = dict.fromkeys(("amount", "moved"), -wanted)
            about = {"reference": reference, "reason": reason, "created_at": posting.now}
            self.rows.add(Adjustment(wallet=self.wallet, **moved, **about))
        self._keep(posting)

    def expire(self, at: datetime) -> None:
        posting = Posting(self.wallet, at, "expire")
        posting.expire(lot for lot in self.lots.values() if lot.sweep_at is not None and lot.sweep_at <= at)
        self._keep(posting)

    def pay(self, at: datetime, costs: Iterable[ProviderCost]) -> None:
        """What providers charged for it, of the moment of its capture."""
        for cost in costs:
            self.wallet.cost_seq += 1
            cost.wallet, cost.seq, cost.at = self.wallet, self.wallet.cost_seq, at
            self.rows.add(cost)

    def let_go(self, held: Held) -> None:
        """The reservation is over: nothing of it changes any more."""
        self.rows.add(held.reservation, *held.parts)

    def close(self) -> None:
        """Write what could change until now."""
        self.rows.add(self.wallet, *self.lots.values(), *self.windows.values())

    def _lot(self, at: datetime, kind: CreditLot.Kind, reference: str, expires_at: datetime | None) -> CreditLot:
        return CreditLot(
            wallet=self.wallet,
            kind=kind,
            priority=lots.PRIORITIES[kind],
            reference=reference,
            granted=ZERO,
            expires_at=expires_at,
            sweep_at=expires_at,
            created_at=at,
        )

    def _bring_in(self, at: datetime, kind: Kind, lot: CreditLot, amount: Decimal, reason: str) -> None:
        posting = Posting(self.wallet, at, lot.reference, reason)
        posting.move(kind, ISSUERS[lot.kind], Account.AVAILABLE, lot, amount)
        self._keep(posting)

    def _keep(self, posting: Posting) -> None:
        self.rows.add(*posting.transfers)
        for lot in posting.lots.values():
            self.lots[lot.id] = lot
            if lot.remaining > 0:
                self.alive[lot.id] = lot
            else:
                self.alive.pop(lot.id, None)

    def _windows_of(self, reservation: Reservation) -> budgets.Windows:
        budget, day = reservation.budget_id, reservation.budget_day
        if budget is None or day is None:
            raise ValueError(f"{reservation} counts in no window.")
        return budgets.Windows(
            day=day,
            total=self._window(budget, Window.TOTAL, None),
            daily=self._window(budget, Window.DAILY, day),
            spent_this_month=ZERO,
        )

    def _window(self, budget_id: int, kind: BudgetWindow.Kind, day: date | None) -> BudgetWindow:
        window = self.windows.get((budget_id, day))
        if window is None:
            window = self.windows[budget_id, day] = BudgetWindow(budget_id=budget_id, kind=kind, day=day)
        return window
