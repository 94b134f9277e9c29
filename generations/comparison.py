"""What a provider charged for each piece of work, beside what we wrote down for it: the rules of a reconciliation.

    charged, no attempt has the id        unknown
    charged, the attempt has no cost      orphan
    charged, the cost is another          amount     in the provider's own unit where both say it, else in dollars
    a cost, and no charge around the day  missing    not what was recorded later: orphans, corrections

`theirs` and `ours` add up the same work, so their difference is the sum of the items' differences.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TypeVar
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db.models import Sum

from billing.models import CostKind, ProviderCost
from generations import costs
from generations.models import Attempt, ProviderAccount, Reconciliation, ReconciliationItem

Kind = ReconciliationItem.Kind
CHUNK = 1000
T = TypeVar("T")
NOTHING = Decimal(0)


@dataclass(kw_only=True)
class Comparison:
    """Totals in dollars, and what does not agree (not saved)."""

    items: list[ReconciliationItem] = field(default_factory=list)
    charges: int = 0
    costs: int = 0
    unpriced: int = 0
    theirs: Decimal = NOTHING
    ours: Decimal = NOTHING


@dataclass(kw_only=True)
class Charged:
    """What the provider took for one piece of work, by unit."""

    model: str
    amounts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def told(self) -> tuple[Decimal | None, str]:
        """Amount and unit; an amount only where there is one unit."""
        ((unit, amount),) = self.amounts.items() if len(self.amounts) == 1 else (("several", None),)
        return amount, unit

    def dollars(self, account: ProviderAccount) -> Decimal | None:
        worth = [costs.in_dollars(account, amount, unit) for unit, amount in self.amounts.items()]
        return None if None in worth else sum((one for one in worth if one is not None), NOTHING)


def batched(found: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(found)
    while some := list(islice(rest, CHUNK)):
        yield some


def groups(accounts: Iterable[ProviderAccount]) -> list[list[ProviderAccount]]:
    """Rows that sign in with the same credentials are one account at the provider, and have one ledger.

    Those that serve sandbox keys alone are left out: that is nobody's money.
    """
    found: dict[object, list[ProviderAccount]] = defaultdict(list)
    for account in accounts:
        try:
            credentials = tuple(sorted(account.caller().credentials.items()))
        except (InvalidToken, ValueError):
            continue  # nobody can sign in there
        found[account.provider, account.base_url, credentials].append(account)
    live = ProviderAccount.Serves.LIVE
    return [group for group in found.values() if any(account.serves == live for account in group)]


def compare(run: Reconciliation, day: tuple[datetime, datetime]) -> Comparison:
    """The lines that the run has read, with our attempts and their costs."""
    found = Comparison()
    neighbours = {"provider": run.account.provider, "base_url": run.account.base_url}
    there = groups(ProviderAccount.objects.filter(**neighbours))
    ours = {account.pk for account in next((group for group in there if run.account in group), [run.account])}
    charged = _charged(run)
    for some in batched(charged):
        attempts = _attempts(neighbours, some)
        booked = _costs([attempt.pk for attempt in attempts.values()])
        for upstream_id in some:
            attempt = attempts.get(upstream_id)
            if attempt is None or attempt.account_id in ours:
                rows = booked.get(attempt.pk, []) if attempt else []
                _judge(found, run, upstream_id, charged[upstream_id], attempt, rows)
    near = set(run.lines.values_list("upstream_id", flat=True))
    for attempt, rows in _of_the_day(ours, day):
        if attempt.upstream_id not in near:
            _add(found, run, Kind.MISSING, attempt.upstream_id, None, attempt, rows)
    return found


def _judge(
    found: Comparison,
    run: Reconciliation,
    upstream_id: str,
    charged: Charged,
    attempt: Attempt | None,
    rows: Sequence[ProviderCost],
) -> None:
    """One piece of work that the provider charged; what was given back in full is as if it never was."""
    amount, unit = charged.told
    dollars, ours = charged.dollars(run.account), sum((row.amount for row in rows), NOTHING)
    told_alike = len(rows) == 1 and (rows[0].told_amount, rows[0].told_unit) == (amount, unit)
    if not rows and not any(charged.amounts.values()):
        return
    if rows and (told_alike or dollars == ours):
        found.charges, found.costs = found.charges + 1, found.costs + 1
        found.theirs, found.ours = found.theirs + ours, found.ours + ours
    elif rows and dollars is None and (len(rows) > 1 or rows[0].told_unit != unit):
        found.unpriced += 1
    else:
        kind = Kind.UNKNOWN if attempt is None else Kind.AMOUNT if rows else Kind.ORPHAN
        _add(found, run, kind, upstream_id, charged, attempt, rows)


def _add(
    found: Comparison,
    run: Reconciliation,
    kind: Kind,
    upstream_id: str,
    charged: Charged | None,
    attempt: Attempt | None,
    rows: Sequence[ProviderCost],
) -> None:
    amount, unit = charged.told if charged else (None, "")
    theirs = charged.dollars(run.account) if charged else NOTHING
    ours = sum((row.amount for row in rows), NOTHING)
    found.charges += charged is not None
    found.costs += bool(rows)
    found.unpriced += theirs is None
    found.theirs, found.ours = found.theirs + (theirs or NOTHING), found.ours + ours
    found.items.append(
        ReconciliationItem(
            reconciliation=run,
            kind=kind,
            upstream_id=upstream_id,
            attempt=attempt,
            model=attempt.model if attempt else charged.model if charged else "",
            told_amount=amount,
            told_unit=unit,
            theirs=theirs,
            ours=ours,
        )
    )


def _charged(run: Reconciliation) -> dict[str, Charged]:
    """The day's own lines, added up for each piece of work."""
    found: dict[str, Charged] = {}
    lines = run.lines.filter(is_near=False).order_by()
    for upstream_id, unit, model, amount in lines.values_list("upstream_id", "unit", "model").annotate(Sum("amount")):
        one = found.setdefault(upstream_id, Charged(model=model))
        one.amounts[unit] = one.amounts.get(unit, NOTHING) + amount
    return found


def _attempts(neighbours: dict[str, str], upstream_ids: Sequence[str]) -> dict[str, Attempt]:
    """By upstream id, over all our accounts at that provider: two of ours may be one there."""
    there = {f"account__{name}": value for name, value in neighbours.items()}
    return {attempt.upstream_id: attempt for attempt in Attempt.objects.filter(**there, upstream_id__in=upstream_ids)}


def _costs(attempts: Sequence[UUID]) -> dict[UUID, list[ProviderCost]]:
    """By attempt, its cost and what was corrected of it."""
    found: dict[UUID, list[ProviderCost]] = defaultdict(list)
    references = [costs.reference(attempt) for attempt in attempts]
    first = {row.attempt_id: row for row in ProviderCost.objects.filter(reference__in=references)}
    for attempt, row in first.items():
        found[attempt].append(row)
    corrected = ReconciliationItem.objects.filter(
        attempt__in=attempts, resolution=ReconciliationItem.Resolution.BOOKED
    ).values_list("pk", flat=True)
    for row in ProviderCost.objects.filter(reference__in=[costs.correction_reference(item) for item in corrected]):
        found[row.attempt_id].append(row)
    return found


def _of_the_day(accounts: set[int], day: tuple[datetime, datetime]) -> Iterator[tuple[Attempt, list[ProviderCost]]]:
    """The attempts of these accounts whose cost was written down that day, and was not nothing."""
    since, until = day
    rows = ProviderCost.objects.filter(account_id__in=accounts, at__gte=since, at__lt=until, kind=CostKind.ATTEMPT)
    for some in batched(rows.exclude(amount=0).values_list("attempt_id", flat=True).iterator()):
        booked = _costs(some)
        for attempt in Attempt.objects.filter(pk__in=some):
            yield attempt, booked[attempt.pk]
