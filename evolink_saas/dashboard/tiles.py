"""Figures as the page shows them: one number with its unit, a line below it, and the way to the rows behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db.models import Model
from django.urls import reverse
from django.utils.timesince import timesince

from billing.models import AuditRun, GrantRequest, Transfer, VoucherBatch
from evolink_saas.dashboard.attention import Audited
from evolink_saas.dashboard.days import Takings
from evolink_saas.dashboard.now import OfModel, Workers
from evolink_saas.reports import behind
from evolink_saas.reports.asked import ONE_DAY, Asked, midnight
from evolink_saas.reports.liabilities import Balance
from evolink_saas.reports.outcomes import Outcomes
from evolink_saas.reports.tables import dollars, money, rounded, shown
from generations.models import Alert, KillSwitch, ReconciliationItem, Task, WorkerPulse

Tone = Literal["", "good", "warning", "danger"]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """`rows`: what of the admin stands behind the link; only who may see these gets it. None: a report."""

    title: str
    figure: str
    note: str = ""
    link: str = ""
    rows: type[Model] | None = None
    tone: Tone = ""


def of_money(today: date, takings: Takings, owed: Balance) -> list[Tile]:
    now, before = (takings.by_day[day] for day in (today, today - ONE_DAY))
    report = _report("sales", today)
    refunds = behind.of(_alone(today)).transfers("refunded")
    of_revenue = "" if now.margin_share is None else f"{shown('share', now.margin_share)}% of revenue"
    return [
        Tile(
            title="Revenue",
            figure=money(dollars(now.revenue)),
            note=_note(f"{rounded(now.revenue):,} credits", money(dollars(before.revenue))),
            link=report,
        ),
        Tile(title="Upstream cost", figure=money(now.upstream), note=_note("", money(before.upstream)), link=report),
        Tile(
            title="Margin",
            figure=money(now.margin),
            note=_note(of_revenue, money(before.margin)),
            link=report,
            tone="danger" if now.margin < 0 else "",
        ),
        Tile(
            title="Refunds",
            figure=money(dollars(now.refunded)),
            note=_note(f"{rounded(now.refunded):,} credits", money(dollars(before.refunded))),
            link=refunds,
            rows=Transfer,
        ),
        Tile(
            title="Owed to customers",
            figure=money(dollars(owed.paid)),
            note=f"{rounded(owed.paid):,} paid credits, unused · promo and goodwill {money(dollars(owed.unpaid))}",
            link=reverse("reports:liabilities"),
        ),
    ]


def of_tasks(today: date, accepted: Mapping[date, int], ended: Mapping[date, Outcomes]) -> list[Tile]:
    now, before = (ended[day] for day in (today, today - ONE_DAY))
    rows = behind.of(_alone(today))
    rate = "" if now.failure_share is None else f"{shown('share', now.failure_share)}% failure rate"
    return [
        Tile(
            title="Tasks accepted",
            figure=f"{accepted[today]:,}",
            note=_note("that reserved credits", f"{accepted[today - ONE_DAY]:,}"),
            link=_list(Task, f"created_at__gte={_spelled(today)}&customers=live"),
            rows=Task,
        ),
        Tile(
            title="Completed",
            figure=f"{now.completed:,}",
            note=_note("", f"{before.completed:,}"),
            link=rows.tasks("completed"),
            rows=Task,
        ),
        Tile(
            title="Failed",
            figure=f"{now.failed:,}",
            note=_note(rate, f"{before.failed:,}"),
            link=rows.tasks("failed", failed_by="us"),
            rows=Task,
        ),
        Tile(
            title="Failed by input",
            figure=f"{now.failed_by_input:,}",
            note=_note("the customer's", f"{before.failed_by_input:,}"),
            link=rows.tasks("failed", failed_by="input"),
            rows=Task,
        ),
        Tile(
            title="Cancelled",
            figure=f"{now.cancelled:,}",
            note=_note("", f"{before.cancelled:,}"),
            link=rows.tasks("cancelled"),
            rows=Task,
        ),
    ]


def of_work(work: list[OfModel]) -> list[Tile]:
    oldest = min((row.waits_since for row in work if row.waits_since), default=None)
    return [
        Tile(
            title="Pending now",
            figure=f"{sum(row.pending for row in work):,}",
            note=f"the oldest waits for {timesince(oldest)}" if oldest else "nobody waits",
            link=_list(Task, "status__exact=pending&customers=live"),
            rows=Task,
        ),
        Tile(
            title="Processing now",
            figure=f"{sum(row.processing for row in work):,}",
            link=_list(Task, "status__exact=processing&customers=live"),
            rows=Task,
        ),
    ]


def of_workers(found: Workers) -> Tile:
    claimed = f" · last claim {timesince(found.claimed_at)} ago" if found.claimed_at else ""
    return Tile(
        title="Workers alive",
        figure=f"{len(found.names):,}",
        note=f"{found.loops} of {found.shards} polling loops are held{claimed}",
        link=_list(WorkerPulse),
        rows=WorkerPulse,
        tone="danger" if found.loops < found.shards else "good",
    )


def of_alerts(count: int) -> Tile:
    tone: Tone = "danger" if count else "good"
    link = _list(Alert, "resolved_at__isempty=1")
    return Tile(title="Open alerts", figure=f"{count:,}", link=link, rows=Alert, tone=tone)


def of_differences(count: int) -> Tile:
    return Tile(
        title="Open differences",
        figure=f"{count:,}",
        note="between providers' books and ours",
        link=_list(ReconciliationItem, "resolved_at__isempty=1"),
        rows=ReconciliationItem,
        tone="warning" if count else "good",
    )


def of_grants(count: int) -> Tile:
    return Tile(
        title="Grants waiting",
        figure=f"{count:,}",
        note="for a second operator",
        link=_list(GrantRequest, "state__exact=pending"),
        rows=GrantRequest,
        tone="warning" if count else "good",
    )


def of_vouchers(count: int) -> Tile:
    return Tile(
        title="Vouchers waiting",
        figure=f"{count:,}",
        note="batches, for a second operator",
        link=_list(VoucherBatch, "needs_confirmation__exact=1&confirmed_by__isnull=True"),
        rows=VoucherBatch,
        tone="warning" if count else "good",
    )


def of_switches(count: int) -> Tile:
    return Tile(
        title="Switched off",
        figure=f"{count:,}",
        note="models, accounts, organizations",
        link=_list(KillSwitch, "lifted_at__isempty=1"),
        rows=KillSwitch,
        tone="warning" if count else "good",
    )


def of_audits(found: Audited) -> Tile:
    """The last run; one that broke something in the last 24 hours stands before it."""
    run = found.worst
    if run is None:
        return Tile(
            title="Last audit", figure="never", note="No run has ended yet.", link=_list(AuditRun), rows=AuditRun
        )
    broken = len(run.findings)
    return Tile(
        title="Last audit",
        figure=f"{broken:,} finding{'s' * (broken != 1)}" if broken else "clean",
        note=f"{run.scope} ({run.wallets:,}), {run.started_at:%Y-%m-%d %H:%M} UTC",
        link=reverse("admin:billing_auditrun_change", args=[run.pk]),
        rows=AuditRun,
        tone="danger" if broken else "good",
    )


def _note(*parts: str) -> str:
    """Its own words, and the whole of the day before."""
    *own, before = parts
    return " · ".join([*filter(None, own), f"yesterday {before}"])


def _alone(day: date) -> Asked:
    return Asked(first=day, last=day, by=())


def _report(name: str, day: date) -> str:
    return f"{reverse(f'reports:{name}')}?first={day}&last={day}&by=model"


def _list(model: type[Model], query: str = "") -> str:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{query}" if query else address


def _spelled(day: date) -> str:
    return f"{midnight(day):%Y-%m-%dT%H:%M:%SZ}"
