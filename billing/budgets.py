"""Key budgets: what the keys of one budget may still spend, for ever and today. Guarded by the wallet's lock.

A reservation counts in the window that was open when it was made, and stays there however late it is resolved.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, QuerySet, Subquery

from accounts.compiled import Compiled, Given
from accounts.errors import QuotaExceeded
from accounts.models import KeyBudget
from billing.amounts import ZERO, number
from billing.models import BudgetWindow, Reservation

OPEN = Compiled(
    lambda: BudgetWindow.objects.filter(
        Q(kind=BudgetWindow.Kind.TOTAL) | Q(kind=BudgetWindow.Kind.DAILY, day=Given("day")), budget=Given("budget_id")
    )
)
OF_A_RESERVATION = Compiled(
    lambda: BudgetWindow.objects.filter(
        Q(kind=BudgetWindow.Kind.TOTAL)
        | Q(kind=BudgetWindow.Kind.DAILY, day=Subquery(reservation_given().values("budget_day"))),
        budget=Subquery(reservation_given().values("budget")),
    )
)


def reservation_given() -> QuerySet[Reservation]:
    return Reservation.objects.filter(pk=Given("reservation_id"))


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The two windows of one budget on one day; a missing row is an empty window."""

    day: date
    total: BudgetWindow
    daily: BudgetWindow

    def add(self, *, reserved: Decimal = ZERO, captured: Decimal = ZERO) -> None:
        for window in (self.total, self.daily):
            window.reserved += reserved
            window.captured += captured


def windows(budget_id: int, day: date) -> Windows:
    return from_rows(OPEN(budget_id=budget_id, day=day), budget_id, day)


def from_rows(rows: Iterable[BudgetWindow], budget_id: int, day: date) -> Windows:
    Kind = BudgetWindow.Kind
    found = {window.kind: window for window in rows}
    return Windows(
        day=day,
        total=found.get(Kind.TOTAL) or BudgetWindow(budget_id=budget_id, kind=Kind.TOTAL, day=None),
        daily=found.get(Kind.DAILY) or BudgetWindow(budget_id=budget_id, kind=Kind.DAILY, day=day),
    )


def remembered(reservation: Reservation, rows: Iterable[BudgetWindow]) -> Windows | None:
    """The windows that a reservation counts in, from their rows; None when no key made it."""
    if reservation.budget_id is None or reservation.budget_day is None:
        return None
    return from_rows(rows, reservation.budget_id, reservation.budget_day)


def day_of(moment: datetime) -> date:
    """The UTC day whose window a moment falls in."""
    return moment.astimezone(UTC).date()


def left(budget: KeyBudget, open_windows: Windows) -> list[Decimal]:
    """What each limit leaves: nothing in the list = no limit."""
    pairs = ((budget.total_limit, open_windows.total), (budget.daily_limit, open_windows.daily))
    return [remaining(limit, window) for limit, window in pairs if limit is not None]


def remaining(limit: Decimal, window: BudgetWindow) -> Decimal:
    return max(ZERO, limit - window.reserved - window.captured)


def check(budget: KeyBudget, open_windows: Windows, amount: Decimal, available: Decimal) -> None:
    """Raise QuotaExceeded when `amount` more would pass a limit of the budget."""
    total, daily = open_windows.total, open_windows.daily
    if budget.total_limit is not None and amount > (rest := remaining(budget.total_limit, total)):
        raise refusal("key_quota_exhausted", "This API key has used up its quota.", amount, available, rest)
    if budget.daily_limit is not None and amount > (rest := remaining(budget.daily_limit, daily)):
        message = "This API key has used up its quota for today (UTC)."
        midnight = datetime.combine(open_windows.day + timedelta(days=1), time(), UTC)
        raise refusal("key_daily_quota_exhausted", message, amount, available, rest, reset_at=midnight)


def refusal(
    code: str, message: str, amount: Decimal, available: Decimal, remaining: Decimal, reset_at: datetime | None = None
) -> QuotaExceeded:
    """The 402 answer with its figures: what it would cost, what the account has, what this limit leaves."""
    return QuotaExceeded(
        code,
        message,
        estimated_credits=number(amount),
        account_balance_credits=number(available),
        remaining_credits=number(remaining),
        reset_at=int(reset_at.timestamp()) if reset_at else None,
        action_url=settings.TOP_UP_URL,
    )
