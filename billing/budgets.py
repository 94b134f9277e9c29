"""Key budgets: what the keys of one budget may still spend: for ever, today, this month. Guarded by the wallet's lock.

A reservation counts in the window that was open when it was made, and stays there however late it is resolved. A
month is the sum of its days and has no rows of its own; it is added up only where a budget has a monthly limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Subquery, Sum, When

from accounts.compiled import Compiled, Given, Question, together
from accounts.errors import QuotaExceeded
from accounts.models import KeyBudget
from billing.amounts import ZERO, number
from billing.models import BudgetWindow, Reservation

OPEN = Compiled(lambda: open_given())
OPEN_WITH_MONTH = Compiled(
    lambda: open_given().annotate(
        spent_this_month=Case(When(kind=BudgetWindow.Kind.TOTAL, then=Subquery(month_given())))
    )
)
OF_A_RESERVATION = Compiled(
    lambda: BudgetWindow.objects.filter(
        Q(kind=BudgetWindow.Kind.TOTAL)
        | Q(kind=BudgetWindow.Kind.DAILY, day=Subquery(reservation_given().values("budget_day"))),
        budget=Subquery(reservation_given().values("budget")),
    )
)


def open_given() -> QuerySet[BudgetWindow]:
    total_or_today = Q(kind=BudgetWindow.Kind.TOTAL) | Q(kind=BudgetWindow.Kind.DAILY, day=Given("day"))
    return BudgetWindow.objects.filter(total_or_today, budget=Given("budget_id"))


def month_given() -> QuerySet[BudgetWindow, Any]:
    """What was reserved and captured on the days from `first` until before `next`."""
    days = BudgetWindow.objects.filter(
        budget=Given("budget_id"), kind=BudgetWindow.Kind.DAILY, day__gte=Given("first"), day__lt=Given("next")
    )
    return days.order_by().values("budget").annotate(spent=Sum(F("reserved") + F("captured"))).values("spent")


def reservation_given() -> QuerySet[Reservation]:
    return Reservation.objects.filter(pk=Given("reservation_id"))


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The windows of one budget on one day; a missing row is an empty window.

    `spent_this_month` was read for a budget with a monthly limit, and is 0 otherwise.
    """

    day: date
    total: BudgetWindow
    daily: BudgetWindow
    spent_this_month: Decimal

    def add(self, *, reserved: Decimal = ZERO, captured: Decimal = ZERO) -> None:
        for window in (self.total, self.daily):
            window.reserved += reserved
            window.captured += captured


def windows(budget: KeyBudget, day: date) -> Windows:
    rows: list[BudgetWindow] = together(open_on(budget, day))[0]
    return from_rows(rows, budget.pk, day)


def open_on(budget: KeyBudget | None, day: date) -> Question:
    """What to ask for the budget's windows of that day; no rows where no key is behind it."""
    if budget is None or budget.monthly_limit is None:
        return OPEN.given(budget_id=budget and budget.pk, day=day)
    first = day.replace(day=1)
    return OPEN_WITH_MONTH.given(budget_id=budget.pk, day=day, first=first, next=month_after(first))


def from_rows(rows: Iterable[BudgetWindow], budget_id: int, day: date) -> Windows:
    Kind = BudgetWindow.Kind
    found = {window.kind: window for window in rows}
    total = found.get(Kind.TOTAL) or BudgetWindow(budget_id=budget_id, kind=Kind.TOTAL, day=None)
    return Windows(
        day=day,
        total=total,
        daily=found.get(Kind.DAILY) or BudgetWindow(budget_id=budget_id, kind=Kind.DAILY, day=day),
        spent_this_month=getattr(total, "spent_this_month", None) or ZERO,
    )


def remembered(reservation: Reservation, rows: Iterable[BudgetWindow]) -> Windows | None:
    """The windows that a reservation counts in, from their rows; None when no key made it."""
    if reservation.budget_id is None or reservation.budget_day is None:
        return None
    return from_rows(rows, reservation.budget_id, reservation.budget_day)


def day_of(moment: datetime) -> date:
    """The UTC day whose window a moment falls in."""
    return moment.astimezone(UTC).date()


def month_of(moment: datetime) -> date:
    """The first day of the UTC month that a moment falls in."""
    return day_of(moment).replace(day=1)


def month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def left(budget: KeyBudget, open_windows: Windows) -> list[Decimal]:
    """What each limit leaves: nothing in the list = no limit."""
    pairs = (
        (budget.total_limit, spent(open_windows.total)),
        (budget.daily_limit, spent(open_windows.daily)),
        (budget.monthly_limit, open_windows.spent_this_month),
    )
    return [remaining(limit, used) for limit, used in pairs if limit is not None]


def spent(window: BudgetWindow) -> Decimal:
    return window.reserved + window.captured


def remaining(limit: Decimal, used: Decimal) -> Decimal:
    return max(ZERO, limit - used)


def check(budget: KeyBudget, open_windows: Windows, amount: Decimal, available: Decimal) -> None:
    """Raise QuotaExceeded when `amount` more would pass a limit of the budget; the one that lasts longest is named."""
    total, daily, month = budget.total_limit, budget.daily_limit, budget.monthly_limit
    if total is not None and amount > (rest := remaining(total, spent(open_windows.total))):
        raise refusal("key_quota_exhausted", "This API key has used up its quota.", amount, available, rest)
    if month is not None and amount > (rest := remaining(month, open_windows.spent_this_month)):
        message = "This API key has used up its quota for this month (UTC)."
        over = start_of(month_after(open_windows.day.replace(day=1)))
        raise refusal("key_monthly_quota_exhausted", message, amount, available, rest, reset_at=over)
    if daily is not None and amount > (rest := remaining(daily, spent(open_windows.daily))):
        message = "This API key has used up its quota for today (UTC)."
        midnight = start_of(open_windows.day + timedelta(days=1))
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
