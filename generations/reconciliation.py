"""Compare each closed UTC day of an account with what its provider says it charged, and keep what does not agree.

    plan        rows for the days that are closed, once a day each
    run         what the worker does every few minutes: plan, then go on with every day that is due
    reconcile   read the provider's ledger page by page, then compare; called again it goes on where it was
    resolve, book, run_again    what an operator does about it

Work is matched by the provider's own id, whatever the day: a provider books when work ends and we when its result is
here, so the hours around the day are read as well, for matching alone. Nothing is booked by itself.
"""

import logging
import time
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generations import alerts, comparison, costs, leases
from generations.models import Attempt, ProviderAccount, Reconciliation, ReconciliationItem, UpstreamCharge
from generations.providers import ADAPTERS, adapter
from generations.providers.base import ChargePage, ProviderError, TellsCharges

logger = logging.getLogger(__name__)


class NotBookable(Exception):
    """What an item says cannot be booked as a cost."""


GIVEN_UP = (Attempt.State.LOST, Attempt.State.FAILED)
CHANGED = "Our own costs of this work have changed since: run the day again."
CLOSED_AFTER = timedelta(hours=12)
"""Nothing of a day runs any more by then, and the provider's books have caught up."""
DAYS_BACK = 7
"""Days without a row are caught up with, so many."""
NEAR = timedelta(hours=3)
LEASE_SECONDS = 110
READ_SECONDS = 45  # a job has 120, and a page may take 30
RETRY = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
TRIES = 5
DAY = timedelta(days=1)


def plan() -> int:
    """A row for each closed day of each upstream account of which there is none yet; how many were missing."""
    last = (timezone.now() - CLOSED_AFTER - DAY).astimezone(UTC).date()
    days = [last - timedelta(days=back) for back in range(DAYS_BACK)]
    wanted = [
        Reconciliation(account=group[0], day=day, due_at=timezone.now())
        for group in comparison.groups(_telling())
        for day in days
        if day >= group[0].created_at.astimezone(UTC).date()
    ]
    known = set(Reconciliation.objects.filter(day__in=days).values_list("account_id", "day"))
    missing = [row for row in wanted if (row.account_id, row.day) not in known]
    Reconciliation.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)


def run(*, seconds: float) -> int:
    """Go on with every day that is due, for so long, and say how many that were."""
    plan()
    until, went_on = time.monotonic() + seconds, 0
    due = Reconciliation.objects.filter(finished_at__isnull=True, due_at__lte=timezone.now()).order_by("due_at", "pk")
    for reconciliation_id in due.values_list("pk", flat=True):
        if time.monotonic() >= until:
            break
        reconcile(reconciliation_id)
        went_on += 1
    return went_on


def reconcile(reconciliation_id: int) -> None:
    """Go on with one day, as far as the time lasts."""
    rows = Reconciliation.objects.filter(pk=reconciliation_id, finished_at__isnull=True).select_related("account")
    run = leases.claim(rows, seconds=LEASE_SECONDS)
    if run is None:
        return
    with leases.work_on(run):
        if run.claims > TRIES:
            leases.let_go(run, due_at=None, progressed=False)
            alerts.tell("reconciliation-stuck", str(run), f"Set aside after {run.claims} tries: {run.problem}")
            return
        try:
            is_read = _read(run)
        except ProviderError as error:
            _later(run, error)
            return
        if is_read:
            _compare(run)
        else:
            leases.let_go(run, due_at=timezone.now())


def run_again(run: Reconciliation) -> None:
    """Read and compare the day anew. Whoever is at work on it loses the claim; what is resolved stays resolved."""
    now = timezone.now()
    with transaction.atomic():
        Reconciliation.objects.filter(pk=run.pk).update(
            window=0,
            cursor="",
            problem="",
            finished_at=None,
            claims=0,
            due_at=now,
            rung_until=None,
            leased_until=None,
            leased_by="",
            lease_token=F("lease_token") + 1,
        )
        UpstreamCharge.objects.filter(reconciliation=run).delete()


@transaction.atomic
def resolve(item: ReconciliationItem, *, note: str) -> bool:
    """It was looked into, and nothing is booked; False when it was resolved before."""
    return _settle(item, ReconciliationItem.Resolution.NOTED, note)


@transaction.atomic
def book(item: ReconciliationItem, *, note: str) -> bool:
    """Write what the provider charged beyond ours, or less, as a cost of ours; False when it was resolved.

    Raises NotBookable without work of ours, while nobody can say what it is worth in dollars, and when our own costs
    have changed since, or still will by themselves.
    """
    locked = ReconciliationItem.objects.select_for_update(no_key=True, of=("self",))
    item = locked.select_related("attempt__task__organization", "attempt__account").get(pk=item.pk)
    if item.attempt is None:
        raise NotBookable("No work of ours is behind it, so no organization's costs can be corrected.")
    if not item.difference:
        raise NotBookable("The account has no rate for the provider's unit: set it, and run the day again.")
    if item.resolved_at is not None:
        return False
    if item.kind == ReconciliationItem.Kind.ORPHAN and item.attempt.state not in GIVEN_UP:
        raise NotBookable(
            f"Its attempt is {item.attempt.state}: its cost is written down at its end, or by record_costs."
        )
    if costs.recorded(item.attempt) != item.ours:
        raise NotBookable(CHANGED)
    if not _settle(item, ReconciliationItem.Resolution.BOOKED, note):
        return False
    if not costs.record_difference(item):
        raise NotBookable(CHANGED)
    return True


def _settle(item: ReconciliationItem, how: ReconciliationItem.Resolution, note: str) -> bool:
    rows = ReconciliationItem.objects.filter(pk=item.pk, resolved_at__isnull=True)
    return bool(rows.update(resolved_at=timezone.now(), resolution=how, note=note[:300]))


def windows(day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The day itself, and the hours before and after it."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (start, start + DAY), (start - NEAR, start), (start + DAY, start + DAY + NEAR)


def _telling() -> list[ProviderAccount]:
    providers = [name for name, api in ADAPTERS.items() if isinstance(api, TellsCharges)]
    return list(ProviderAccount.objects.filter(provider__in=providers).order_by("pk"))


def _read(run: Reconciliation) -> bool:
    """Read on, a page a transaction. True when everything is read; False when the time is over, or the claim lost."""
    api, caller, until = adapter(run.account.provider), run.account.caller(), time.monotonic() + READ_SECONDS
    assert isinstance(api, TellsCharges)
    spans = windows(run.day)
    while run.window < len(spans):
        if time.monotonic() >= until:
            return False
        page = api.charges(caller, *spans[run.window], run.cursor)
        if not _keep(run, page):
            return False
    return True


@transaction.atomic
def _keep(run: Reconciliation, page: ChargePage) -> bool:
    """The page's lines and the place behind it, both or none of them."""
    is_near = run.window > 0
    run.window, run.cursor = (run.window, page.next_cursor) if page.next_cursor else (run.window + 1, "")
    until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    if not leases.held(run).update(window=run.window, cursor=run.cursor, claims=0, problem="", leased_until=until):
        return False
    UpstreamCharge.objects.bulk_create(
        UpstreamCharge(
            reconciliation=run,
            upstream_id=charge.upstream_id[:200],
            model=charge.model[:80],
            amount=charge.cost.amount,
            unit=charge.cost.name,
            is_near=is_near,
        )
        for charge in page.charges
    )
    return True


def _later(run: Reconciliation, error: ProviderError) -> None:
    logger.warning("%s: its provider's ledger could not be read: %s", run, error)
    leases.held(run).update(problem=str(error)[:300])
    wait = RETRY[min(max(run.claims, 1), len(RETRY)) - 1]
    leases.let_go(run, due_at=timezone.now() + wait, progressed=False)


def _compare(run: Reconciliation) -> None:
    """Keep what does not agree, and close the day: one transaction."""
    now = timezone.now()
    with transaction.atomic():
        if not leases.held(run).select_for_update(no_key=True).exists():
            return
        found = comparison.compare(run, windows(run.day)[0])
        left = _write_items(run, found.items, now)
        leases.held(run).update(
            charges=found.charges,
            costs=found.costs,
            unpriced=found.unpriced,
            theirs=found.theirs,
            ours=found.ours,
            finished_at=now,
            problem="",
        )
        leases.let_go(run, due_at=None)
        UpstreamCharge.objects.filter(reconciliation=run).delete()
        if left:
            difference = found.theirs - found.ours
            alerts.tell("reconciliation", str(run), f"{left} items do not agree; {difference:+.2f} dollars in all.")


def _write_items(run: Reconciliation, found: list[ReconciliationItem], now: datetime) -> int:
    """New items, open ones as they are now, and open ones that are gone; how many are open."""
    known = {item.upstream_id: item for item in run.items.select_for_update(no_key=True)}
    seen = {item.upstream_id for item in found}
    for item in found:
        before = known.get(item.upstream_id)
        if before is None:
            item.save(force_insert=True)
        elif before.resolved_at is None:
            item.pk, item.found_at = before.pk, before.found_at
            item.save(update_fields=["kind", "attempt", "model", "told_amount", "told_unit", "theirs", "ours"])
    gone = [item.pk for item in known.values() if item.resolved_at is None and item.upstream_id not in seen]
    ReconciliationItem.objects.filter(pk__in=gone).update(
        resolved_at=now, resolution=ReconciliationItem.Resolution.GONE, note="A later run did not find it."
    )
    return run.items.filter(resolved_at__isnull=True).count()
