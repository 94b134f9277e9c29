"""Whether a provider account, or one model on it, is trusted with work: one answer for all workers, in the database.

    closed --faults--> open --at probe_at: one task may try--> probing --it went well--> closed
                        ^                                         |
                        +-------------- a fault, and a longer wait +

No row is closed too, and while all goes well nothing is written. Only the provider's faults count: refusals that are
not the customer's doing, unknown outcomes, accepted work that failed there; never the customer's input, never "slow
down" (that only makes the account rest for a moment). The faults are counted in the attempts themselves, so nobody
keeps a second count. What the provider says with certainty about the whole account or model trips at once.

The attempt of a probe carries `is_probe`; its end is told here by those who move it. A probe that ends without telling
anything is followed by another when `probing_until` has passed. Accounts for sandbox keys have no breaker.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils import timezone

from generations import alerts
from generations.models import Attempt, Breaker, ProviderAccount
from generations.providers.base import ProviderRefused

State = Breaker.State
ALL = Breaker.ALL
LOOKED_AT = 200  # of the attempts that ended in the window, the last so many: the count stays quick at any load
REST_SECONDS, MAX_REST_SECONDS = 2, 300
VERDICT_SECONDS = 10  # how soon to ask again while a probe is at work
FACTS = ("state", "reason", "probe_at", "probing_until", "rest_until", "rest_reason")
REST = {"rest_until": None, "rest_reason": ""}
NO_PROBE = {"probe": None, "probing_until": None}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it is with an account for one model. `reason`: why nothing goes there now; empty: it may.

    `soft`: it only rests for a moment. `is_probe`: what is sent now is the probe. `again_at`: when it may change.
    """

    reason: str = ""
    soft: bool = False
    is_probe: bool = False
    again_at: datetime | None = None


def of_account(model: Any) -> ArraySubquery:
    """For a query of provider accounts: what speaks against each, in the form that `standing` reads."""
    against = Q(state__in=[State.OPEN, State.PROBING]) | Q(rest_until__isnull=False)
    rows = Breaker.objects.filter(Q(model=ALL) | Q(model=model), against, account=OuterRef("pk")).order_by("model")
    return ArraySubquery(rows.values(row=JSONObject(**{name: name for name in FACTS})))


def facts(row: Breaker) -> dict[str, Any]:
    """The same of one row."""
    return {name: getattr(row, name) for name in FACTS}


def standing(rows: Iterable[Mapping[str, Any]], now: datetime) -> Standing:
    """Of the account's own row and the model's, the one that holds for longer."""
    found = [_standing(row, now) for row in rows]
    against = [one for one in found if one.reason]
    if against:
        return max(against, key=lambda one: (not one.soft, one.again_at is None, one.again_at or now))
    return Standing(is_probe=any(one.is_probe for one in found))


def rest(account: ProviderAccount, model: str, refusal: ProviderRefused) -> datetime:
    """It said to slow down: leave the model there alone for a moment, and say until when."""
    seconds = min(refusal.retry_after_seconds or REST_SECONDS, MAX_REST_SECONDS)
    until = timezone.now() + timedelta(seconds=seconds)
    if _has_one(account):
        row = Breaker(account=account, model=model, rest_until=until, rest_reason=refusal.reason[:300])
        Breaker.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["account", "model"], update_fields=list(REST)
        )
    return until


def refused(attempt: Attempt, refusal: ProviderRefused) -> None:
    """A create was refused, and not by the customer's fault. Tells the operators, but for "slow down"."""
    if refusal.scope == "soft":
        undecided(attempt)
        return
    if not _has_one(attempt.account):
        return
    scope = ALL if refusal.scope == "account" else attempt.model
    alerts.tell("provider-refused", f"{attempt.account} {scope}", refusal.reason)
    at_least = refusal.retry_after_seconds or 0
    is_open_again = attempt.is_probe and _open_again(attempt, refusal.reason, at_least)
    if refusal.certain:
        _trip(attempt.account, scope, refusal.reason, at_least=at_least)
    elif not is_open_again:
        _count(attempt, refusal.reason)


def fault(attempt: Attempt, reason: str) -> None:
    """The provider was at fault in another way; the attempt's row says so already."""
    if not _has_one(attempt.account):
        return
    if attempt.is_probe and _open_again(attempt, reason):
        return
    _count(attempt, reason)


def accepted(attempt: Attempt, *, until: datetime) -> None:
    """The provider took the work. It ends a probe, unless work failed after it was taken: then its result decides."""
    if attempt.is_probe:
        _probed_by(attempt).filter(needs_result=True).update(probing_until=until)
        _recovered(_probed_by(attempt).filter(needs_result=False))


def succeeded(attempt: Attempt) -> None:
    if attempt.is_probe:
        _recovered(_probed_by(attempt))


def undecided(attempt: Attempt) -> None:
    """A probe ended and says nothing about the provider: the next task may be one."""
    if attempt.is_probe:
        _probed_by(attempt).update(state=State.OPEN, probe_at=timezone.now(), **NO_PROBE)


def claim_probe(account: ProviderAccount, model: str, attempt_id: UUID) -> bool:
    """Make this attempt the one probe; False when another is at work, or it is too early. In the caller's transaction.

    Both rows are claimed where both are open; the caller rolls back when he gets no.
    """
    now = timezone.now()
    until = now + timedelta(seconds=settings.BREAKER_PROBE_SECONDS)
    for scope in (ALL, model):
        rows = Breaker.objects.filter(account=account, model=scope).exclude(state=State.CLOSED)
        due = Q(state=State.OPEN, probe_at__lte=now) | Q(state=State.PROBING, probing_until__lte=now)
        if not rows.filter(due).update(state=State.PROBING, probe=attempt_id, probing_until=until) and rows.exists():
            return False
    return True


def trip(account: ProviderAccount, model: str, reason: str, *, until: datetime | None) -> Breaker:
    """By an operator: nothing goes there before `until`, then a probe; None: before a reset."""
    values = {"state": State.OPEN, "reason": reason[:300], "opened_at": timezone.now(), "probe_at": until}
    row, _ = Breaker.objects.update_or_create(
        account=account, model=model, defaults={**values, "openings": 1, "needs_result": False, **NO_PROBE}
    )
    return row


def reset(row: Breaker) -> None:
    """By an operator: trusted at once, faults until now are forgotten, and a rest is over."""
    _close(Breaker.objects.filter(pk=row.pk), **REST)
    alerts.withdraw("breaker-tripped", str(row))


def reset_all(account: ProviderAccount) -> None:
    for row in account.breakers.select_related("account"):
        reset(row)


def _standing(row: Mapping[str, Any], now: datetime) -> Standing:
    probe_at, probing_until, rest_until = map(_moment, (row["probe_at"], row["probing_until"], row["rest_until"]))
    if row["state"] == State.OPEN and (probe_at is None or probe_at > now):
        return Standing(reason=f"tripped: {row['reason']}", again_at=probe_at)
    if row["state"] == State.PROBING and probing_until and probing_until > now:
        again_at = min(probing_until, now + timedelta(seconds=VERDICT_SECONDS))
        return Standing(reason="tripped: a probe is at work", again_at=again_at)
    if rest_until and rest_until > now:
        return Standing(reason=f"told to slow down: {row['rest_reason']}", soft=True, again_at=rest_until)
    return Standing(is_probe=row["state"] != State.CLOSED)


def _moment(value: datetime | str | None) -> datetime | None:
    """As JSON or a row has it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _has_one(account: ProviderAccount) -> bool:
    return account.serves != ProviderAccount.Serves.SANDBOX


def _probed_by(attempt: Attempt) -> QuerySet[Breaker]:
    return Breaker.objects.filter(probe=attempt, state=State.PROBING)


def _count(attempt: Attempt, reason: str) -> None:
    """Trip the model on the account when too many of the attempts that ended lately were the provider's fault."""
    row = Breaker.objects.filter(account=attempt.account, model=attempt.model).first()
    if row is not None and row.state != State.CLOSED:
        return
    since = timezone.now() - timedelta(seconds=settings.BREAKER_WINDOW_SECONDS)
    if row is not None and row.closed_at is not None:
        since = max(since, row.closed_at)
    mine = Attempt.objects.filter(account=attempt.account, model=attempt.model)
    faults = list(mine.filter(judged_at__gt=since).order_by("-judged_at").values_list("fault", flat=True)[:LOOKED_AT])
    of = len(faults)
    if attempt.accepted_at is None:  # a call went wrong: those that were taken meanwhile speak for the provider
        of += mine.filter(state=Attempt.State.RUNNING, accepted_at__gt=since).count()
    if sum(faults) >= settings.BREAKER_MIN_FAULTS and sum(faults) >= settings.BREAKER_FAULT_SHARE * of:
        why = f"{sum(faults)} of {of} attempts failed by the provider's fault, the last: {reason}"
        _trip(attempt.account, attempt.model, why, needs_result=attempt.accepted_at is not None)


def _trip(
    account: ProviderAccount, scope: str, reason: str, *, needs_result: bool = False, at_least: float = 0
) -> None:
    Breaker.objects.bulk_create([Breaker(account=account, model=scope)], ignore_conflicts=True)
    now = timezone.now()
    tripped = Breaker.objects.filter(account=account, model=scope, state=State.CLOSED).update(
        state=State.OPEN,
        reason=reason[:300],
        opened_at=now,
        probe_at=now + _wait(0, at_least),
        openings=1,
        needs_result=needs_result,
    )
    if tripped:
        alerts.tell("breaker-tripped", f"{account} {scope}", reason)


def _open_again(attempt: Attempt, reason: str, at_least: float = 0) -> bool:
    """The probe went wrong. False when this attempt is no longer the probe."""
    now, opened = timezone.now(), 0
    for row in _probed_by(attempt):
        opened += (
            _probed_by(attempt)
            .filter(pk=row.pk)
            .update(
                state=State.OPEN,
                reason=reason[:300],
                probe_at=now + _wait(row.openings, at_least),
                openings=F("openings") + 1,
                **NO_PROBE,
            )
        )
    return opened > 0


def _wait(openings: int, at_least: float) -> timedelta:
    """Longer each time; what the provider asks for counts up to the longest of ours."""
    waits = settings.BREAKER_WAITS_SECONDS
    return timedelta(seconds=max(waits[min(openings, len(waits) - 1)], min(at_least, waits[-1])))


def _recovered(rows: QuerySet[Breaker]) -> None:
    for row in rows.select_related("account"):
        if _close(rows.filter(pk=row.pk)):
            alerts.withdraw("breaker-tripped", str(row))
            alerts.tell("breaker-closed", str(row), f"A probe went well. It had tripped: {row.reason}")


def _close(rows: QuerySet[Breaker], **more: Any) -> int:
    return rows.update(state=State.CLOSED, closed_at=timezone.now(), openings=0, probe_at=None, **NO_PROBE, **more)
