"""What the first page of the console shows, read from the books and the tasks: nothing here counts raw transfers."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing import dollars, standing
from billing.amounts import ZERO
from evolink_saas.console import charts, task_search
from evolink_saas.console.task_search import Row
from generations import catalog, usage
from generations.models import Delivery, Task

DAYS = 30
LOW = Decimal(20)
"""Below it the page warns, unless the organization has set thresholds of its own."""
RECENT = timedelta(hours=24)
SHOWN_TASKS = 6
FIRST = catalog.SPECS[0]  # what the first steps ask for


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Credits that can be spent now, that running tasks hold, and that were used in the last days."""

    available: Decimal
    reserved: Decimal
    used: Decimal
    days: int
    tasks_charged: int
    first_request: str
    chart: SafeString
    chart_text: str
    running: int
    tasks: list[Row]
    has_keys: bool
    is_low: bool
    is_frozen: bool
    is_suspended: bool
    failed_callbacks: int
    paused_keys: int

    @property
    def is_new(self) -> bool:
        return not self.tasks


def of(organization: Organization, now: datetime) -> Overview:
    wallet = organization.wallet
    available = standing.of_organization(organization, now).remaining
    today = now.astimezone(UTC).date()
    spent = usage.of(organization, today - timedelta(days=DAYS - 1), today, usage.groups("day"))
    by_day = {row.group[0].astimezone(UTC).date(): row.used for row in spent.rows}
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    shown = [charts.Day(day, by_day.get(day, ZERO), _text(day, by_day.get(day, ZERO))) for day in days]
    title = _("Credits used a day, last %(days)d days") % {"days": DAYS}
    open_tasks = organization.tasks.filter(status__in=Task.OPEN)
    live_keys = organization.api_keys.filter(revoked_at=None)
    return Overview(
        available=available,
        reserved=wallet.reserved,
        used=spent.total.used,
        days=DAYS,
        tasks_charged=spent.total.tasks_charged,
        first_request=json.dumps(FIRST.plain_request, ensure_ascii=False),
        chart=charts.bars(title, shown),
        chart_text=title,
        running=open_tasks.count(),
        tasks=task_search.rows(organization.tasks.order_by("-id")[:SHOWN_TASKS]),
        has_keys=live_keys.exists(),
        is_low=available < _threshold(organization),
        is_frozen=wallet.frozen_at is not None or wallet.debt > 0,
        is_suspended=organization.suspended_at is not None,
        failed_callbacks=organization.deliveries.filter(
            state=Delivery.State.FAILED, created_at__gt=now - RECENT
        ).count(),
        paused_keys=live_keys.filter(~Q(paused_at=None)).count(),
    )


def _threshold(organization: Organization) -> Decimal:
    """The organization's highest threshold, else ours."""
    return organization.balance_thresholds.order_by("-credits").values_list("credits", flat=True).first() or LOW


def _text(day: date, used: Decimal) -> str:
    return _("%(day)s: %(credits)s credits, $%(dollars)s") % {
        "day": day.isoformat(),
        "credits": f"{used:,.4f}".rstrip("0").rstrip("."),
        "dollars": f"{dollars.usd(used):,.2f}",
    }
