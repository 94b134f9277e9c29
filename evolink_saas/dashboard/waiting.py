"""What waits for an operator: each a number that should be 0, a word when it is, and the page behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.urls import reverse

from billing.models import AuditRun, GrantRequest, KeyPause, Wallet
from evolink_saas.dashboard.work import age
from generations.models import Alert, KillSwitch, OrphanSpend, ReconciliationItem, WorkerPulse

QUIET = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Item:
    """`count` None: what it says is said in `text` alone. `is_bad`: somebody should look."""

    title: str
    text: str
    link: str
    is_bad: bool


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """Rows that should not be there."""

    title: str
    page: str
    permission: str
    query: str
    count: Callable[[], int]


COUNTED = (
    _Counted(
        title="Open alerts",
        page="generations_alert",
        permission="generations.view_alert",
        query="resolved_at__isempty=1",
        count=lambda: Alert.objects.filter(resolved_at=None).count(),
    ),
    _Counted(
        title="Differences with providers' ledgers",
        page="generations_reconciliationitem",
        permission="generations.view_reconciliationitem",
        query="resolved_at__isempty=1",
        count=lambda: ReconciliationItem.objects.filter(resolved_at=None).count(),
    ),
    _Counted(
        title="Grants that wait for a second operator",
        page="billing_grantrequest",
        permission="billing.view_grantrequest",
        query=f"state__exact={GrantRequest.State.PENDING}",
        count=lambda: GrantRequest.objects.filter(state=GrantRequest.State.PENDING).count(),
    ),
    _Counted(
        title="Frozen wallets",
        page="billing_wallet",
        permission="billing.view_wallet",
        query="frozen_at__isempty=0",
        count=lambda: Wallet.objects.exclude(frozen_at=None).count(),
    ),
    _Counted(
        title="Paused keys",
        page="billing_keypause",
        permission="billing.view_keypause",
        query="",
        count=lambda: KeyPause.objects.filter(api_key__paused_at__isnull=False).values("api_key").distinct().count(),
    ),
    _Counted(
        title="Kill switches that are on",
        page="generations_killswitch",
        permission="generations.view_killswitch",
        query="lifted_at__isempty=1",
        count=lambda: KillSwitch.objects.filter(lifted_at=None).count(),
    ),
    _Counted(
        title="Orphan spend to look at again",
        page="generations_orphanspend",
        permission="generations.view_orphanspend",
        query="due_at__isempty=0",
        count=lambda: OrphanSpend.objects.exclude(due_at=None).count(),
    ),
)


def items(request: HttpRequest, now: datetime) -> Iterator[Item]:
    for one in COUNTED:
        if request.user.has_perm(one.permission):
            count = one.count()
            link = reverse(f"admin:{one.page}_changelist") + (f"?{one.query}" if one.query else "")
            yield Item(title=one.title, text=f"{count:,}" if count else "none", link=link, is_bad=count > 0)
    if request.user.has_perm("billing.view_auditrun"):
        yield _audit(now)
    if request.user.has_perm("generations.view_workerpulse"):
        yield _workers(now)


def _audit(now: datetime) -> Item:
    """The last run that came to its end."""
    run = AuditRun.objects.exclude(finished_at=None).order_by("-started_at").first()
    if run is None or run.finished_at is None:
        link = reverse("admin:billing_auditrun_changelist")
        return Item(title="Last audit", text="never", link=link, is_bad=True)
    link = reverse("admin:billing_auditrun_change", args=[run.pk])
    count = len(run.findings)
    found = f"{count:,} finding{'s' * (count != 1)}" if count else "clean"
    return Item(
        title="Last audit", text=f"{found}, {age(now, run.finished_at)} ago", link=link, is_bad=bool(run.findings)
    )


def _workers(now: datetime) -> Item:
    """Those that claimed something lately; an idle gateway still claims its loop."""
    alive = WorkerPulse.objects.filter(claimed_at__gt=now - QUIET).count()
    link = reverse("admin:generations_workerpulse_changelist")
    return Item(title="Workers at work", text=f"{alive:,}" if alive else "none", link=link, is_bad=not alive)
