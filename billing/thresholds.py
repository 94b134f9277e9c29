"""Low balances: tell the members when the available credits fall below a threshold of theirs.

Each threshold follows the wallet's transfers by their `seq`, as the roll-ups do. What was available after each movement
stands on its transfer, so no fall is missed however short it was, whatever was down meanwhile, and the request that
caused it pays nothing. A fall is named by the number of its transfer: looking twice, or at once, tells it once.

    available   120 ── 90 ──── 130 ── 95          threshold 100: told at 90; armed again at 130; told at 95
    seq          41    42       43    44
"""

import logging
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from accounts.errors import InvalidRequest
from accounts.models import Organization
from billing import notices
from billing.amounts import exact, number
from billing.locks import in_one_transaction, lock
from billing.models import BalanceThreshold, Kind, Notice, Transfer, Wallet

logger = logging.getLogger(__name__)
MOST = 10
QUIET = timedelta(hours=1)
"""Near a threshold, tasks that end early lift the credits above it for a moment. Unless credits came in, falls within
this time are the same news."""
COME_IN = (Kind.TOP_UP, Kind.GRANT, Kind.ADJUST)

FALLS = """
    SELECT seq, created_at, available FROM (
        SELECT seq, created_at, available, lag(available, 1, %(available)s::numeric) OVER (ORDER BY seq) AS before
        FROM (
            SELECT seq, created_at, balance_after - reserved_after AS available,
                lead(reference) OVER (ORDER BY seq) AS next, reference
            FROM billing_transfer WHERE wallet_id = %(wallet)s AND seq > %(after)s AND seq <= %(last)s) AS rows
        WHERE reference IS DISTINCT FROM next) AS postings
    WHERE before >= %(credits)s AND available < %(credits)s ORDER BY seq
"""
"""The transfers of one posting share a reference, and what was available between them never was."""


@dataclass(frozen=True)
class Fall:
    seq: int
    at: datetime
    available: Decimal


@in_one_transaction
def set_thresholds(organization: Organization, wanted: Iterable[Decimal]) -> list[BalanceThreshold]:
    """Let these be the organization's thresholds; one that stays keeps what it knows. Raises InvalidRequest.

    A new one tells of falls from now on, also when the credits are below it already.
    """
    amounts = {exact(credits) for credits in wanted}
    if len(amounts) > MOST or any(credits <= 0 for credits in amounts):
        message = f"An organization has at most {MOST} thresholds, each more than 0 credits."
        raise InvalidRequest("invalid_parameter", message, param="thresholds")
    wallet = lock(organization)
    rows = BalanceThreshold.objects.filter(organization=organization)
    rows.exclude(credits__in=amounts).delete()
    for credits in sorted(amounts):
        start = {"seq": wallet.seq, "available": wallet.available}
        BalanceThreshold.objects.get_or_create(organization=organization, credits=credits, defaults=start)
    return list(rows.order_by("credits"))


def look_all(*, seconds: float = math.inf) -> int:
    """Look at every threshold whose wallet has moved, for so long, and say how many notices that made."""
    until, told = time.monotonic() + seconds, 0
    behind = BalanceThreshold.objects.filter(organization__wallet__seq__gt=F("seq")).order_by("?")
    for threshold_id in behind.values_list("pk", flat=True):
        try:
            told += look(threshold_id)
        except Exception:
            logger.exception("The threshold %s failed; the next look tries again", threshold_id)
        if time.monotonic() >= until:
            break
    return told


@transaction.atomic
def look(threshold_id: int) -> int:
    """Tell of every fall since the last look, and say how many notices that made. While another looks: 0."""
    rows = BalanceThreshold.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    threshold = rows.select_related("organization").filter(pk=threshold_id).first()
    if threshold is None:
        return 0
    wallet = Wallet.objects.get(pk=threshold.organization_id)  # one row, so its `seq` and its sums are of one moment
    told = sum(_tell(threshold, fall) for fall in _news(threshold, _falls(threshold, wallet.seq)))
    threshold.seq, threshold.available = wallet.seq, wallet.available
    threshold.save(update_fields=["seq", "available", "noticed_seq", "noticed_at"])
    return told


def _falls(threshold: BalanceThreshold, last: int) -> list[Fall]:
    given: dict[str, Any] = {
        "wallet": threshold.organization_id,
        "after": threshold.seq,
        "last": last,
        "available": threshold.available,
        "credits": threshold.credits,
    }
    with connection.cursor() as cursor:
        cursor.execute(FALLS, given)
        return [Fall(*row) for row in cursor.fetchall()]


def _news(threshold: BalanceThreshold, falls: list[Fall]) -> Iterable[Fall]:
    """Those of the falls that are told, each remembered on the threshold."""
    came_in = _came_in(threshold, falls[-1].seq) if falls else []
    for fall in falls:
        if threshold.noticed_at is not None and threshold.noticed_seq is not None:
            filled_up = any(threshold.noticed_seq < seq < fall.seq for seq in came_in)
            if not filled_up and fall.at - threshold.noticed_at < QUIET:
                continue
        threshold.noticed_seq, threshold.noticed_at = fall.seq, fall.at
        yield fall


def _came_in(threshold: BalanceThreshold, last: int) -> list[int]:
    """The transfers up to `last` by which credits came in since the last notice."""
    after = threshold.noticed_seq if threshold.noticed_seq is not None else threshold.seq
    rows = Transfer.objects.filter(wallet=threshold.organization_id, seq__gt=after, seq__lt=last)
    return list(rows.filter(kind__in=COME_IN, credit="available").values_list("seq", flat=True))


def _tell(threshold: BalanceThreshold, fall: Fall) -> bool:
    facts = {
        "threshold": number(threshold.credits),
        "available": number(fall.available),
        "at": fall.at.isoformat(),
    }
    reference = f"low-balance:{threshold.pk}:{fall.seq}"
    return notices.write(threshold.organization, Notice.Kind.LOW_BALANCE, reference, facts)
