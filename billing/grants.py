"""Credits that operators give and take: at once, or after a second operator has confirmed it. The states are those of
`GrantRequest`.

More than `GRANT_CONFIRMATION_CREDITS` needs a second operator, in one grant or in all that one operator gave one
organization alone within 24 hours; what was taken back counts like what was given. The wallet is locked while that is
added up, so grants at once do not slip through together. The ledger moves the credits in the transaction that makes the
request `done`, under the request's reference: once.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Abs, Coalesce
from django.utils import timezone

from accounts import audit_log
from accounts.models import Organization, User
from billing import confirmations, ledger, locks
from billing.amounts import ZERO, exact
from billing.errors import GrantRefused
from billing.models import CreditLot, GrantRequest

PENDING_FOR = timedelta(days=7)
ASKED = ("organization_id", "verb", "amount", "kind", "expires_at", "reason")
"""What makes two requests under one reference the same."""
SHOWN = ("verb", "amount", "kind", "expires_at", "reference")
Verb, State = GrantRequest.Verb, GrantRequest.State


def grant(
    organization: Organization,
    amount: Decimal,
    *,
    kind: CreditLot.Kind | str,
    reference: str,
    reason: str,
    by: User,
    expires_at: datetime | None = None,
) -> GrantRequest:
    """Give credits as a new lot, or ask a second operator to. Again with the same reference is the same request.

    Raises ValueError or LedgerConflict as the ledger does.
    """
    if exact(amount) <= 0:
        raise ValueError(f"{amount} is not a positive amount.")
    return _ask(
        organization, verb=Verb.GRANT, amount=amount, kind=CreditLot.Kind(kind).value, expires_at=expires_at,
        reference=reference, reason=reason, asked_by=by,
    )  # fmt: skip


def adjust(organization: Organization, amount: Decimal, *, reference: str, reason: str, by: User) -> GrantRequest:
    """Correct the books by a signed amount (`ledger.adjust`), or ask a second operator to."""
    if exact(amount) == 0:
        raise ValueError("An adjustment of 0 changes nothing.")
    return _ask(organization, verb=Verb.ADJUST, amount=amount, reference=reference, reason=reason, asked_by=by)


@transaction.atomic
def confirm(request: GrantRequest, *, by: User, reason: str) -> GrantRequest:
    """Do what another operator asked for. Raises GrantRefused, or LedgerConflict and nothing is done."""
    row = _decide(request, State.DONE, by, reason)
    if row.expires_at is not None and row.expires_at <= timezone.now():
        raise GrantRefused("The credits would have expired already; decline it, and ask for new ones.")
    _do(row)
    return row


@transaction.atomic
def decline(request: GrantRequest, *, by: User, reason: str) -> GrantRequest:
    """Let it be. Raises GrantRefused."""
    return _decide(request, State.DECLINED, by, reason)


def lapse_due() -> int:
    """Give up what nobody decided within 7 days; how many that were."""
    due = GrantRequest.objects.filter(state=State.PENDING, lapses_at__lte=timezone.now())
    return sum(_lapse(pk) for pk in due.values_list("pk", flat=True))


@transaction.atomic
def _ask(organization: Organization, **asked: Any) -> GrantRequest:
    locks.lock(organization)
    earlier = organization.grant_requests.filter(reference=asked["reference"]).first()
    if earlier is not None:
        given = GrantRequest(organization=organization, **asked)
        same = all(getattr(earlier, name) == getattr(given, name) for name in ASKED)
        return ledger.require_same(earlier, same)
    now = timezone.now()
    needed = confirmations.needed(asked["amount"], _given_alone(organization, asked["asked_by"], now))
    row = GrantRequest.objects.create(
        organization=organization,
        needs_confirmation=needed,
        state=State.PENDING if needed else State.DONE,
        asked_at=now,
        lapses_at=now + PENDING_FOR if needed else None,
        **asked,
    )
    _record("asked" if needed else "done", row, audit_log.made(row, SHOWN), row.reason)
    if not needed:
        _do(row)
    return row


def _given_alone(organization: Organization, by: User, now: datetime) -> Decimal:
    """What this operator gave and took within 24 hours without a second one."""
    alone = organization.grant_requests.filter(
        asked_by=by, asked_at__gt=now - confirmations.WINDOW, needs_confirmation=False
    )
    return alone.aggregate(sum=Coalesce(Sum(Abs(F("amount"))), ZERO))["sum"]


def _decide(request: GrantRequest, state: GrantRequest.State, by: User, reason: str) -> GrantRequest:
    """Move a pending request on, as another operator than the one who asked."""
    row = (
        GrantRequest.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization")
        .get(pk=request.pk)
    )
    now = timezone.now()
    if row.state != State.PENDING:
        raise GrantRefused(f"It is {row.state} already.")
    if row.lapses_at is not None and row.lapses_at <= now:
        raise GrantRefused("It was not decided in time; ask for it again.")
    confirmations.check_another(by, row.asked_by)
    row.state, row.decided_by, row.decided_at, row.decided_reason = state, by, now, reason
    row.save(update_fields=["state", "decided_by", "decided_at", "decided_reason"])
    verb = "confirmed" if state == State.DONE else "declined"
    _record(verb, row, {"state": [State.PENDING, state]} | audit_log.made(row, SHOWN), reason)
    return row


@transaction.atomic
def _lapse(pk: Any) -> int:
    """1, unless somebody decided it meanwhile."""
    rows = GrantRequest.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    row = rows.filter(pk=pk, state=State.PENDING).first()
    if row is None:
        return 0
    row.state, row.decided_at = State.LAPSED, timezone.now()
    row.save(update_fields=["state", "decided_at"])
    _record("lapsed", row, {"state": [State.PENDING, State.LAPSED]}, "")
    return 1


def _do(row: GrantRequest) -> None:
    """The movement itself, the last step of the transaction."""
    reference = f"operator:{row.reference}"
    if row.verb == Verb.ADJUST:
        ledger.adjust(row.organization, row.amount, reference=reference, reason=row.reason)
    else:
        ledger.grant(
            row.organization,
            row.amount,
            kind=row.kind,
            reference=reference,
            reason=row.reason,
            expires_at=row.expires_at,
        )


def _record(verb: str, row: GrantRequest, changes: audit_log.Changes, reason: str) -> None:
    audit_log.record(action=f"grant.{verb}", target=row, organization=row.organization, changes=changes, reason=reason)
