"""Today's money and outcomes (UTC) beside yesterday's, and the last 30 days as a picture."""

from datetime import date

from django.utils.html import format_html
from django.utils.safestring import SafeString

from evolink_saas.reports import behind, charts, liabilities, outcomes, sales, shown_sales
from evolink_saas.reports.asked import ONE_DAY, Asked, day_of, midnight
from evolink_saas.reports.outcomes import Outcomes
from evolink_saas.reports.shown import Card
from evolink_saas.reports.tables import dollars, money, rounded

DAYS = 30


def cards(today: date) -> tuple[Card, ...]:
    """Of today so far; each note says what yesterday was, all of it."""
    now, before = (sales.total(_of(day)) for day in (today, today - ONE_DAY))
    ended, ended_before = (outcomes.added(outcomes.of(_of(day))) for day in (today, today - ONE_DAY))
    group = behind.of(_of(today))
    owed = liabilities.at(midnight(today + ONE_DAY))
    pairs = (
        ("Revenue", dollars(now.revenue), dollars(before.revenue), group.transfers("captured")),
        ("Upstream cost", now.upstream, before.upstream, group.costs()),
        ("Margin", now.margin, before.margin, group.costs()),
        ("Refunds", dollars(now.refunded), dollars(before.refunded), group.transfers("refunded")),
    )
    return (
        *(Card(title=title, figure=_led(money(a), link), note=f"yesterday {money(b)}") for title, a, b, link in pairs),
        Card(
            title="Tasks completed",
            figure=_led(f"{ended.completed:,}", group.tasks()),
            note=f"yesterday {ended_before.completed:,}",
        ),
        Card(title="Tasks failed", figure=_led(f"{ended.failed:,}", group.tasks("failed")), note=_failed(ended)),
        Card(
            title="Owed to customers",
            figure=money(dollars(owed.paid)),
            note=f"{rounded(owed.paid):,} paid credits, unspent",
        ),
    )


def picture(today: date) -> tuple[str, SafeString]:
    """Every one of the last days, those without sales as well."""
    asked = _of(today, back=DAYS - 1, by=("day",))
    found = {day_of(row.group[0]): row for row in sales.of(asked)}
    days = [asked.first + number * ONE_DAY for number in range(DAYS)]
    title = f"Revenue, upstream cost and margin a day, last {DAYS} days (UTC)"
    series = shown_sales.series([found.get(day, sales.Sales()) for day in days], line=True)
    return title, charts.over_time(title, "US$", [f"{day:%m-%d}" for day in days], series)


def _of(day: date, *, back: int = 0, by: tuple[str, ...] = ()) -> Asked:
    return Asked(first=day - back * ONE_DAY, last=day, by=by)


def _failed(ended: Outcomes) -> str:
    """By us, that is; those by the customer's own input stand apart."""
    of_all = "" if ended.failure_share is None else f"{rounded(100 * ended.failure_share):,}% of those judged · "
    return f"{of_all}{ended.failed_by_input:,} more by their own input"


def _led(figure: str, link: str) -> SafeString | str:
    return format_html('<a href="{}">{}</a>', link, figure) if link else figure
