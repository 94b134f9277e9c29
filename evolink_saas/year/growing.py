"""All of a year: the market, each customer's events in a transaction of its own, and the roll-ups that reports read.

It goes only into a database without organizations: nobody's books are ever mixed with made-up ones. What breaks off
in the middle leaves whole customers; start again in an empty database.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from accounts.models import Organization
from billing import provider_costs, report_rollups, rollups
from billing.models import Transfer
from evolink_saas import roles
from evolink_saas.year import market, offers
from evolink_saas.year.customer import CustomersYear
from evolink_saas.year.rows import Rows
from generations import figures, outcomes
from generations.models import OutcomeMark

AT_A_TIME = 500
TASKS_AN_ORGANIZATION, FEWEST, MOST = 4_000, 6, 250
ROLL_UP_SECONDS = 3_600.0
Tell = Callable[[int, str], None]


class NotEmpty(Exception):
    """The database has organizations or transfers: a year is grown in an empty one only."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`end` is the moment at which the year is over; everything that was asked for has ended by then."""

    tasks: int
    end: datetime
    days: int = 365
    organizations: int | None = None
    seed: int = 1

    @property
    def start(self) -> datetime:
        return self.end - timedelta(days=self.days)

    @property
    def customers(self) -> int:
        return self.organizations or min(MOST, max(FEWEST, self.tasks // TASKS_AN_ORGANIZATION))


def planned(tasks: int, *, days: int = 365, organizations: int | None = None, seed: int = 1) -> Plan:
    """A year that is over now."""
    end = datetime.now(UTC).replace(microsecond=0)
    return Plan(tasks=tasks, end=end, days=days, organizations=organizations, seed=seed)


def grow(plan: Plan, tell: Tell) -> None:
    """Grow it; `tell` hears how many tasks were written so far, and what is done now. Raises NotEmpty."""
    refuse_books()
    rng = random.Random(plan.seed)
    tell(0, "customers")
    with transaction.atomic():
        there = market.open_market(rng, plan.start, plan.days, plan.customers, plan.tasks)
    shops = {name: offers.of(group) for name, group in there.groups.items()}
    done = 0
    for place, customer in enumerate(there.customers):
        accounts = there.sandbox if customer.organization.is_sandbox else there.live
        own = random.Random(f"{plan.seed} {place}")
        rows = Rows()
        with transaction.atomic():
            year = CustomersYear(customer, own, rows, shops[customer.group], accounts, plan.end)
            for some in year.happen(AT_A_TIME):
                done += some
                tell(done, "tasks")
            rows.write()
    for name, step in _afterwards(plan):
        tell(done, name)
        step()


def refuse_books() -> None:
    if Organization.objects.exists() or Transfer.objects.exists():
        raise NotEmpty(NotEmpty.__doc__)


def _afterwards(plan: Plan) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "statistics", _analyze
    yield "roll-ups", lambda: rollups.roll_all(seconds=ROLL_UP_SECONDS)
    yield "costs", lambda: provider_costs.roll_all(seconds=ROLL_UP_SECONDS)
    yield "outcomes", lambda: _count_outcomes(plan)
    yield "report roll-ups", lambda: report_rollups.roll_all(seconds=ROLL_UP_SECONDS)
    yield "statistics", _analyze


@transaction.atomic
def _count_outcomes(plan: Plan) -> None:
    """All hours at once, which the worker would count one by one."""
    since, until = figures.hour_of(plan.start), figures.hour_of(plan.end)
    outcomes.count(since, until)
    rows = Rows()
    rows.add(OutcomeMark(counted_until=until))
    rows.write()


def _analyze() -> None:
    """Only the owner of a table may."""
    with roles.as_owner(connection), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
