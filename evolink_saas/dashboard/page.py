"""The page: each part is read only for an operator who may see the rows behind it; money needs the right to reports."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from billing.models import AuditRun, GrantRequest, VoucherBatch
from evolink_saas.dashboard import attention, days, now, tiles
from evolink_saas.dashboard.days import Takings
from evolink_saas.dashboard.now import OfAccount, OfModel
from evolink_saas.dashboard.tiles import Tile
from evolink_saas.reports import charts, liabilities
from evolink_saas.reports.asked import ONE_DAY, day_of, midnight
from evolink_saas.reports.charts import Series
from evolink_saas.reports.outcomes import Outcomes
from evolink_saas.reports.pages import may_read
from evolink_saas.reports.sales import Sales
from evolink_saas.reports.shown_sales import series
from evolink_saas.reports.tables import rounded
from generations.admin import tones
from generations.models import Alert, KillSwitch, ProviderAccount, ReconciliationItem, Task, WorkerPulse

WAITING = (
    (ReconciliationItem, tiles.of_differences, attention.differences),
    (GrantRequest, tiles.of_grants, attention.grants),
    (VoucherBatch, tiles.of_vouchers, attention.vouchers),
    (KillSwitch, tiles.of_switches, attention.switched_off),
)
"""What is only counted: the rows, their tile, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """A provider account with its work, and what it charged: empty for who may not read it."""

    of: OfAccount
    tone: str
    spent_today: str
    spent: str


@dataclass(kw_only=True)
class Dashboard:
    """What one operator sees of the moment `at`."""

    at: datetime
    attention: list[Tile] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    money: list[Tile] = field(default_factory=list)
    tasks: list[Tile] = field(default_factory=list)
    charts: list[tuple[str, SafeString]] = field(default_factory=list)
    work: list[OfModel] | None = None
    accounts: list[AccountLine] | None = None
    shows_money: bool = False

    @property
    def is_nothing(self) -> bool:
        return not (self.attention or self.money or self.tasks or self.accounts is not None)


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """As the admin's own page of these rows says."""
    return admin.site.get_model_admin(model).has_view_permission(request)


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What django-unfold calls for the admin's first page."""
    return context | {"title": "Today", "dashboard": dashboard(request, timezone.now())}


def dashboard(request: HttpRequest, moment: datetime) -> Dashboard:
    today = day_of(moment)
    found = Dashboard(at=moment, shows_money=may_read(request))
    found.attention = _linked(request, _attention(request, moment))
    if may_view(request, Alert):
        count, found.alerts = attention.alerts()
        found.attention = [*_linked(request, [tiles.of_alerts(count)]), *found.attention]
    takings = days.takings(today) if found.shows_money else None
    if takings is not None:
        owed = liabilities.at(midnight(today + ONE_DAY))
        found.money = _linked(request, tiles.of_money(today, takings, owed))
        found.charts.append(_chart_of_money(takings.by_day))
    if may_view(request, Task):
        ended = days.ended(today)
        found.work = now.work()
        told = [*tiles.of_tasks(today, days.accepted(today), ended), *tiles.of_work(found.work)]
        found.tasks = _linked(request, told)
        found.charts.append(_chart_of_tasks(ended))
    if may_view(request, ProviderAccount):
        found.accounts = [_account(one, takings) for one in now.accounts()]
    return found


def _attention(request: HttpRequest, moment: datetime) -> Iterator[Tile]:
    for model, tile, count in WAITING:
        if may_view(request, model):
            yield tile(count())
    if may_view(request, AuditRun):
        yield tiles.of_audits(attention.audited(moment))
    if may_view(request, WorkerPulse):
        yield tiles.of_workers(now.workers(moment))


def _linked(request: HttpRequest, found: Any) -> list[Tile]:
    """Nobody is led to rows that he may not see."""
    return [one if one.rows is None or may_view(request, one.rows) else replace(one, link="") for one in found]


def _account(one: OfAccount, takings: Takings | None) -> AccountLine:
    spent = () if takings is None else takings.by_account.get(one.account.name, (Sales(), Sales()))
    spent_today, spent_in_all = [f"{rounded(row.upstream):,}" for row in spent] or ("", "")
    return AccountLine(of=one, tone=tones.ACCOUNT[one.standing], spent_today=spent_today, spent=spent_in_all)


def _chart_of_money(by_day: Mapping[date, Sales]) -> tuple[str, SafeString]:
    title = f"Revenue, upstream cost and margin of the last {days.DAYS} days"
    return title, charts.over_time(title, "US$", _labels(by_day), series(list(by_day.values()), line=True))


def _chart_of_tasks(by_day: Mapping[date, Outcomes]) -> tuple[str, SafeString]:
    title = f"Tasks that ended in the last {days.DAYS} days"
    rows = by_day.values()
    lines = [
        Series(name="Completed", values=[row.completed for row in rows], look="margin"),
        Series(name="Failed", values=[row.failed for row in rows], look="bad"),
        Series(name="Failed by input", values=[row.failed_by_input for row in rows], look="cost"),
    ]
    return title, charts.over_time(title, "tasks", _labels(by_day), lines)


def _labels(by_day: Mapping[date, Any]) -> list[str]:
    return [f"{day:%m-%d}" for day in by_day]
