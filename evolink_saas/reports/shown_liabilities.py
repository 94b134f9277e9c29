"""The page of liabilities: what is owed at the end of the last day, how it came to that, and to whom."""

from decimal import Decimal

from django.utils.safestring import SafeString

from accounts.models import Organization
from evolink_saas.reports import charts, liabilities
from evolink_saas.reports.asked import ONE_DAY, Asked
from evolink_saas.reports.charts import Series
from evolink_saas.reports.liabilities import Balance
from evolink_saas.reports.shown import Card, Shown, linked, summary
from evolink_saas.reports.tables import Cell, Column, Line, Table, dollars, money, rounded

BALANCES = (
    Column(name="paid", title="Paid", unit="credits", help="Paid for and not used: what we owe."),
    Column(name="promo", title="Promo", unit="credits", help="Given away and not used."),
    Column(name="goodwill", title="Goodwill", unit="credits", help="Given as an apology and not used."),
    Column(name="all", title="All credits", unit="credits", help="What the wallets hold, reserved credits included."),
)
NOTES = (
    "Paid credits are owed until they are used, paid back or expire; promo and goodwill credits are not.",
    "Reserved credits are included: a task that fails gives them back. 1 US$ is 72 credits. Days are of UTC.",
    "Sandbox organizations are left out.",
)


def answer(asked: Asked, path: str, words: dict[str, str]) -> Shown:
    found = liabilities.roll_forward(asked)
    closing = found.closing
    each = [] if asked.wallet_id else liabilities.by_organization(asked.until)
    tables = {"roll_forward": _roll_forward(asked, found)}
    if not asked.wallet_id:
        tables["organizations"] = _organizations(asked, each, closing, path, words)
    return Shown(
        summary=summary(asked),
        cards=(
            _card(f"Owed at the end of {asked.last}: paid credits", closing.paid),
            _card("Change of it since the first day", closing.paid - found.opening.paid),
            _card("Promo and goodwill, apart", closing.unpaid),
        ),
        charts=_chart(asked),
        tables=tables,
        notes=NOTES,
    )


def _card(title: str, credits: Decimal) -> Card:
    return Card(title=title, figure=money(dollars(credits)), note=f"{rounded(credits):,} credits")


def _roll_forward(asked: Asked, found: liabilities.RollForward) -> Table:
    steps = [
        Line(cells=(Cell(value=liabilities.STEPS[step]), *_cells(balance))) for step, balance in found.steps.items()
    ]
    opening = f"Opening balance, end of {asked.first - ONE_DAY}"
    return Table(
        columns=(Column(name="movement", title="Movement", unit="text"), *BALANCES),
        lines=[Line(cells=(Cell(value=opening), *_cells(found.opening)), tone="quiet"), *steps],
        total=Line(cells=(Cell(value=f"Closing balance, end of {asked.last}"), *_cells(found.closing)), tone="total"),
    )


def _organizations(asked: Asked, each: list[Balance], closing: Balance, path: str, words: dict[str, str]) -> Table:
    names = Organization.objects.in_bulk([balance.group[0] for balance in each])
    lines = []
    for balance in each:
        identifier = balance.group[0]
        query = f"?organization={linked('organization', identifier)}&first={asked.first}&last={asked.last}"
        name = Cell(value=str(names.get(identifier, identifier)), leads_to=path + query)
        lines.append(Line(cells=(name, *_cells(balance))))
    return Table(
        columns=(Column(name="organization", title="Organization", unit="text"), *BALANCES),
        lines=lines,
        total=Line(cells=(Cell(value="Total"), *_cells(closing)), tone="total"),
        empty="Nobody has any credits left.",
    )


def _cells(balance: Balance) -> tuple[Cell, ...]:
    return tuple(Cell(value=getattr(balance, column.name)) for column in BALANCES)


def _chart(asked: Asked) -> tuple[tuple[str, SafeString], ...]:
    days = liabilities.day_by_day(asked)
    if not days:
        return ()
    title = "Unused credits at the end of each day"
    series = [
        Series(name="Paid", values=[dollars(one.paid) for one in days], look="revenue", is_line=True),
        Series(name="Promo and goodwill", values=[dollars(one.unpaid) for one in days], look="cost", is_line=True),
    ]
    return ((title, charts.over_time(title, "US$", [f"{one.group[0]:%Y-%m-%d}" for one in days], series)),)
