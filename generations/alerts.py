"""Tell the operators. The same trouble about the same subject is one open row that counts up."""

import logging

from django.db.models import F
from django.utils import timezone

from generations.models import Alert

logger = logging.getLogger(__name__)


def tell(kind: str, subject: str, message: str) -> None:
    """Write the alert in the caller's transaction, and into the log."""
    logger.warning("alert %s %s: %s", kind, subject, message)
    now = timezone.now()
    Alert.objects.bulk_create(
        [Alert(kind=kind, subject=subject[:200], message=message[:1000], count=0, first_at=now, last_at=now)],
        ignore_conflicts=True,
    )
    Alert.objects.filter(kind=kind, subject=subject[:200], resolved_at__isnull=True).update(
        count=F("count") + 1, message=message[:1000], last_at=now
    )


def resolve(alert: Alert) -> None:
    """An operator has looked after it; the same trouble again is a new row."""
    Alert.objects.filter(pk=alert.pk, resolved_at__isnull=True).update(resolved_at=timezone.now())


def withdraw(kind: str, subject: str) -> None:
    """The trouble is over by itself."""
    Alert.objects.filter(kind=kind, subject=subject[:200], resolved_at__isnull=True).update(resolved_at=timezone.now())
