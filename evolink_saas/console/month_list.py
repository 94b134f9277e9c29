"""The months of which an organization has a statement, newest first, a year's worth at a time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from accounts.models import Organization
from billing import budgets, statements
from billing.amounts import ZERO
from billing.statements import Statement

AT_A_TIME = 12


@dataclass(frozen=True, kw_only=True)
class Month:
    """Its statement, and what its lines brought and took, both positive."""

    statement: Statement
    came_in: Decimal
    went_out: Decimal

    @property
    def lines(self) -> int:
        return sum(one.postings for one in self.statement.sums)

    @property
    def state(self) -> str:
        return "provisional" if self.statement.provisional else "closed"


def page(organization: Organization, last: date | None, now: datetime) -> tuple[list[Month], str]:
    """The months up to `last`, or to the present one; and the next to go on with, such as `2026-03`, or nothing."""
    opened = organization.created_at.astimezone(UTC).date().replace(day=1)
    present = budgets.month_of(now)
    first = min(last, present) if last else present
    months: list[Month] = []
    while first >= opened and len(months) < AT_A_TIME:
        months.append(_month(organization, first, now))
        first = before(first)
    return months, f"{first:%Y-%m}" if first >= opened else ""


def before(first: date) -> date:
    """The first day of the month before."""
    return (first - timedelta(days=1)).replace(day=1)


def _month(organization: Organization, first: date, now: datetime) -> Month:
    statement = statements.of(organization, f"{first:%Y-%m}", now)
    changes = [one.credits for one in statement.sums]
    return Month(
        statement=statement,
        came_in=sum((credits for credits in changes if credits > 0), ZERO),
        went_out=-sum((credits for credits in changes if credits < 0), ZERO),
    )
