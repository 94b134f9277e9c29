"""What an operator should look at: open alerts, what waits for a decision, and the auditor's word."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from billing.models import AuditRun, GrantRequest, VoucherBatch
from generations.models import Alert, KillSwitch, ReconciliationItem

NEWEST = 5
OPEN = Q(resolved_at__isnull=True)
LATELY = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Audited:
    """`last` run that came to its end, and the latest of the last 24 hours that `broke` something."""

    last: AuditRun | None
    broke: AuditRun | None

    @property
    def worst(self) -> AuditRun | None:
        return self.broke or self.last


def alerts() -> tuple[int, list[Alert]]:
    """How many are open, and the newest."""
    rows = Alert.objects.filter(OPEN)
    return rows.count(), list(rows.order_by("-last_at")[:NEWEST])


def differences() -> int:
    """What providers charged otherwise than we wrote down, and nobody has resolved."""
    return ReconciliationItem.objects.filter(OPEN).count()


def grants() -> int:
    """Requests that wait for a second operator."""
    return GrantRequest.objects.filter(state=GrantRequest.State.PENDING).count()


def vouchers() -> int:
    """Batches that wait for a second operator."""
    return VoucherBatch.objects.filter(needs_confirmation=True, confirmed_by=None).count()


def switched_off() -> int:
    return KillSwitch.objects.filter(lifted_at__isnull=True).count()


def audited(moment: datetime) -> Audited:
    runs = AuditRun.objects.order_by("-started_at")
    return Audited(
        last=runs.filter(finished_at__isnull=False).first(),
        broke=runs.filter(started_at__gte=moment - LATELY).exclude(findings=[]).first(),
    )
