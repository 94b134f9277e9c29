"""The spending guard: pause a key that spends far beyond its own history, and tell the members.

Off until an organization switches it on. Spending is what a key reserves in a clock hour (UTC), read from the roll-ups
and their tail, so exactly. It may be `minimum`, or `factor` times the busiest hour of the 14 days before, whichever is
more; keys that were rolled into each other have one history.

A pause and its notice are one transaction, behind the key's lock. What a key had spent when it was paused never pauses
it again, so a key that was resumed goes on.
"""

import logging
import math
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts import keys
from accounts.errors import InvalidRequest
from accounts.models import ApiKey, Organization
from billing import notices, rollups
from billing.amounts import ZERO, exact, number
from billing.models import KeyPause, Kind, Notice, RollUp, SpendingGuard

logger = logging.getLogger(__name__)
HOUR, HISTORY = timedelta(hours=1), timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Jump:
    """What a key has spent in the hour that begins at `hour_at`, and what it may."""

    key_id: UUID
    hour_at: datetime
    spent: Decimal
    busiest: Decimal
    allowed: Decimal


def switch_on(
    organization: Organization, *, factor: Decimal = Decimal(10), minimum: Decimal = Decimal(100)
) -> SpendingGuard:
    """Watch the organization's keys from this hour on. Raises InvalidRequest for a factor below 1 or a minimum of 0."""
    if factor < 1 or minimum <= 0:
        message = "The factor is at least 1, and the minimum more than 0 credits."
        raise InvalidRequest("invalid_parameter", message, param="factor" if factor < 1 else "minimum")
    values = {"factor": factor, "minimum": exact(minimum)}
    guard, _ = SpendingGuard.objects.update_or_create(
        organization=organization, defaults=values, create_defaults=values
    )
    SpendingGuard.objects.filter(pk=guard.pk, on_since=None).update(on_since=timezone.now())
    guard.refresh_from_db()
    return guard


def switch_off(organization: Organization) -> None:
    """Watch no more. Keys that are paused stay so until somebody resumes them."""
    SpendingGuard.objects.filter(organization=organization).update(on_since=None)


def look_all(*, seconds: float = math.inf) -> int:
    """Look at every organization that is guarded, for so long, and say how many keys were paused."""
    until, paused = time.monotonic() + seconds, 0
    guarded = SpendingGuard.objects.filter(on_since__isnull=False, organization__suspended_at=None)
    for guard in guarded.select_related("organization").order_by("?"):
        try:
            paused += look(guard, timezone.now())
        except Exception:
            logger.exception("The spending guard of %s failed; the next look tries again", guard.organization)
        if time.monotonic() >= until:
            break
    return paused


def look(guard: SpendingGuard, now: datetime) -> int:
    """Pause the keys whose spending jumped, in this hour or at the end of the last; say how many that were."""
    this_hour = hour_of(now)
    hours = [hour for hour in (this_hour - HOUR, this_hour) if guard.on_since and hour >= hour_of(guard.on_since)]
    return sum(pause(guard, jump, now) for hour in hours for jump in jumps(guard, hour))


def jumps(guard: SpendingGuard, hour_at: datetime) -> list[Jump]:
    """The keys that spent more in that hour than they may. Their history is read only when one spent the minimum."""
    spending = _by_key(guard, hour_at, hour_at + HOUR)
    large = {key_id: hours[hour_at] for key_id, hours in spending.items() if hours[hour_at] > guard.minimum}
    if not large:
        return []
    history = busiest_hours(guard, hour_at)
    found = []
    for key in ApiKey.objects.filter(pk__in=large, organization=guard.organization_id):
        busiest = history.get(key.budget_id, ZERO)
        allowed = max(guard.minimum, (guard.factor * busiest).quantize(ZERO))
        if large[key.pk] > allowed:
            spent = large[key.pk]
            found.append(Jump(key_id=key.pk, hour_at=hour_at, spent=spent, busiest=busiest, allowed=allowed))
    return found


def busiest_hours(guard: SpendingGuard, hour_at: datetime) -> dict[int, Decimal]:
    """By budget, the most that its keys together spent in one hour of the 14 days before."""
    budgets = dict(ApiKey.objects.filter(organization=guard.organization_id).values_list("pk", "budget_id"))
    sums: dict[tuple[int, datetime], Decimal] = defaultdict(lambda: ZERO)
    for key_id, hours in _by_key(guard, hour_at - HISTORY, hour_at).items():
        for hour, amount in hours.items():
            sums[budgets[key_id], hour] += amount
    busiest: dict[int, Decimal] = {}
    for (budget, _), amount in sums.items():
        busiest[budget] = max(busiest.get(budget, ZERO), amount)
    return busiest


@transaction.atomic
def pause(guard: SpendingGuard, jump: Jump, now: datetime) -> bool:
    """Pause the key for this jump, unless it is paused, or was resumed from a pause for the same spending."""
    key = keys.lock(jump.key_id)
    if key is None:
        return False
    before = KeyPause.objects.filter(api_key=key, hour_at=jump.hour_at).aggregate(most=Max("spent"))["most"]
    if jump.spent - (before or ZERO) <= jump.allowed or not keys.pause(key, now):
        return False
    KeyPause.objects.create(
        api_key=key,
        hour_at=jump.hour_at,
        spent=jump.spent,
        allowed=jump.allowed,
        busiest=jump.busiest,
        paused_at=now,
    )
    reference = f"key-paused:{key.public_id}:{now.isoformat()}"
    return notices.write(guard.organization, Notice.Kind.KEY_PAUSED, reference, _facts(key, jump, now))


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _by_key(guard: SpendingGuard, since: datetime, until: datetime) -> dict[UUID, dict[datetime, Decimal]]:
    """What each key reserved, by hour."""
    found: dict[UUID, dict[datetime, Decimal]] = defaultdict(dict)
    rows = rollups.sums(
        ["key", "time"],
        since=since,
        until=until,
        wallet_id=guard.organization_id,
        kinds=[Kind.RESERVE],
        span=RollUp.Span.HOUR,
    )
    for row in rows:
        if row["key"] is not None:
            found[row["key"]][row["time"]] = row["amount"]
    return found


def _facts(key: ApiKey, jump: Jump, now: datetime) -> dict[str, object]:
    return {
        "key": str(key.pk),
        "key_id": key.public_id,
        "key_name": " ".join(key.name.split()),
        "key_hint": key.hint,
        "hour_at": jump.hour_at.isoformat(),
        "spent": number(jump.spent),
        "busiest": number(jump.busiest),
        "allowed": number(jump.allowed),
        "at": now.isoformat(),
    }
