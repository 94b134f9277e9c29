"""The last 30 UTC days, today the last: what each took in and cost, and what became of its tasks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.models import Organization
from billing import rollups
from billing.models.transfers import Kind
from evolink_saas.reports import outcomes, sales
from evolink_saas.reports.asked import ONE_DAY, Asked, day_of, midnight
from evolink_saas.reports.outcomes import Outcomes
from evolink_saas.reports.sales import Sales

DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Takings:
    """`by_day` has every day; `by_account` has, by name, today and all of the days."""

    by_day: Mapping[date, Sales]
    by_account: Mapping[str, tuple[Sales, Sales]]


def of(today: date) -> list[date]:
    """The oldest first."""
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def takings(today: date) -> Takings:
    """By one statement, so all of them are of one moment."""
    rows = sales.of(_asked(today, "day", "account"))
    days: dict[date, list[Sales]] = defaultdict(list)
    accounts: dict[str, list[Sales]] = defaultdict(list)
    for row in rows:
        moment, account = row.group
        days[day_of(moment)].append(row)
        accounts[account].append(row)
    return Takings(
        by_day={day: sales.added(days[day]) for day in of(today)},
        by_account={name: (_of_day(today, found), sales.added(found)) for name, found in accounts.items()},
    )


def ended(today: date) -> dict[date, Outcomes]:
    """Tasks by the day on which they ended; every day is there."""
    found = {day_of(row.group[0]): row for row in outcomes.of(_asked(today, "day"))}
    return {day: found.get(day, Outcomes()) for day in of(today)}


def accepted(today: date) -> dict[date, int]:
    """How many tasks reserved credits, today and on the day before."""
    rows = rollups.sums(
        ["time", "organization"],
        since=midnight(today - ONE_DAY),
        until=midnight(today + ONE_DAY),
        kinds=[Kind.RESERVE],
    )
    live = Organization.objects.filter(sandbox_of=None).in_bulk({row["organization"] for row in rows})
    found = {today: 0, today - ONE_DAY: 0}
    for row in rows:
        if row["organization"] in live:
            found[day_of(row["time"])] += row["postings"]
    return found


def _asked(today: date, *by: str) -> Asked:
    return Asked(first=of(today)[0], last=today, by=by)


def _of_day(day: date, rows: Iterable[Sales]) -> Sales:
    return sales.added(row for row in rows if day_of(row.group[0]) == day)
