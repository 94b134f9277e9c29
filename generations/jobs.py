"""What django-q2 runs. Each job takes one id, claims the row behind it and does one step; rung twice = done once.

`loop` is the heart: one leased job (a shard each) that polls the providers and sweeps up every row that is due, so that
nothing gets lost even when every queued job was.
"""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django_q.models import Schedule

from accounts import organizations, throttles
from billing import (
    audit,
    grants,
    ledger,
    notices,
    provider_costs,
    report_rollups,
    rollups,
    spending_guard,
    thresholds,
    voucher_tries,
)
from billing.top_ups import looks as top_up_looks
from billing.top_ups import recharge
from generations import audit as books
from generations import (
    catalog,
    creation,
    dispatch,
    doorbell,
    element_copies,
    fetching,
    files,
    health,
    idempotency,
    leases,
    lifecycle,
    lookups,
    outcomes,
    polling,
    provider_accounts,
    quotes,
    reconciliation,
    uploads,
    voices,
    webhooks,
)
from generations.models import Attempt, Delivery, ElementCopy, LoopLease, StoredFile, Task, WorkerPulse
from generations.models.tasks import Leased
from generations.providers.base import QUERY_SECONDS

logger = logging.getLogger(__name__)
LOOP_SECONDS = 70
HANDOVER_SECONDS = 25  # with them it ends well before the time-out of a job
LOOP_LEASE_SECONDS = 6
SWEEP_SECONDS = 0.5
AUDIT_SECONDS = 60  # a job has 120; what is left over has its turn in the next
ROLL_UP_SECONDS = 40  # the next one starts after a minute
COSTS_ROLL_UP_SECONDS = 10
REPORT_ROLL_UP_SECONDS = 40
ROLL_UP_SECONDS = 45  # the next one starts after a minute
RECONCILE_SECONDS = 30  # a day that is begun then may take 45 more
TOP_UP_SECONDS = 25  # for each of two, likewise
WATCH_SECONDS, MAIL_SECONDS = 20, 30  # together far less than the time-out of a job
SWEEP_LIMIT = 200
POLL_MARGIN_SECONDS = 10
SCHEDULES_LOCK = 0x736368656475  # an advisory lock of the database: those who write the schedules come one by one

submit = dispatch.submit
fetch = fetching.fetch
deliver = webhooks.deliver
check_face = uploads.check_face
delete_copy = element_copies.delete_copy

DUE: tuple[tuple[str, type[Leased], Q], ...] = (
    ("submit", Task, Q(status__in=Task.OPEN)),
    ("fetch", Attempt, Q(state=Attempt.State.FETCHING)),
    ("deliver", Delivery, Q()),
    ("check_face", StoredFile, Q()),
    ("delete_copy", ElementCopy, Q()),
)
"""The job that serves each kind of due row."""


@transaction.atomic
def ensure_schedules() -> None:
    """The rows by which the loops and the housekeeping start by themselves, and a ring for the loops to start now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SCHEDULES_LOCK])
    for shard in range(settings.POLL_SHARDS):
        _schedule(f"loop {shard}", "generations.jobs.loop", Schedule.MINUTES, minutes=1, args=f"({shard},)")
        doorbell.ring_first("loop", shard)
    _schedule("roll-ups", "generations.jobs.roll_up", Schedule.MINUTES, minutes=1)
    _schedule("report-roll-ups", "generations.jobs.roll_up_reports", Schedule.MINUTES, minutes=1)
    _schedule("top-ups", "generations.jobs.top_ups", Schedule.MINUTES, minutes=1)
    _schedule("notices", "generations.jobs.notify", Schedule.MINUTES, minutes=1)
    _schedule("housekeeping", "generations.jobs.housekeeping", Schedule.MINUTES, minutes=5)
    _schedule("reconciliation", "generations.jobs.reconcile", Schedule.MINUTES, minutes=5)
    _schedule("audit", "generations.jobs.audit_changed", Schedule.MINUTES, minutes=5)
    _schedule("nightly audit", "generations.jobs.audit_all", Schedule.DAILY)
    _schedule("voices", "generations.jobs.synchronize_voices", Schedule.DAILY)
    Schedule.objects.filter(name__startswith="loop ").exclude(
        name__in=[f"loop {shard}" for shard in range(settings.POLL_SHARDS)]
    ).delete()


def release_leases(owner: str) -> int:
    """Free what the processes of a dead worker held (the supervisor calls this before it starts them again)."""
    return leases.release_leases(owner)


def progress() -> tuple[int, datetime | None]:
    """Rows that could be claimed right now, and when anything was last claimed anywhere.

    Attempts that wait for their next poll count as one, and only when even a hanging provider cannot be the reason: it
    may hold up thousands, but some are claimed and move on whenever its last answers were given up.
    """
    now = timezone.now()
    claimable = sum(_due(model, states, now).count() for _, model, states in DUE)
    overdue = now - timedelta(seconds=QUERY_SECONDS + POLL_MARGIN_SECONDS)
    running = Attempt.objects.filter(state=Attempt.State.RUNNING, due_at__isnull=False)
    last_moves = running.values("account").annotate(last=Max("due_at"))
    claimable += last_moves.filter(last__lte=overdue).count()
    return claimable, WorkerPulse.objects.aggregate(last=Max("claimed_at"))["last"]


def loop(shard: int) -> None:
    """Poll and sweep for a little over a minute, if no other worker does it for this shard, and ring for the next loop.

    It goes on until the next one is there, for a while at least: jobs that hang may hold every worker. The schedule
    starts one each minute as well, should a loop die; one that comes while another is at work stops.
    """
    stopping = threading.Event()
    with _told_by_sigterm(stopping):
        lease = _lease_loop(shard)
        if lease is not None:
            _poll_and_sweep(lease, stopping)


def sweep(limit: int = SWEEP_LIMIT) -> int:
    """Ring for every due row that nobody was rung for lately; end what has passed its deadline.

    While the queue is long nothing is rung: what it holds comes first. Of the overdue it takes any, so that those that
    cannot be ended stand in nobody's way.
    """
    rung = 0 if doorbell.is_crowded() else sum(_ring_due(job, model, states, limit) for job, model, states in DUE)
    overdue = Task.objects.filter(status__in=Task.OPEN, deadline_at__lte=timezone.now()).order_by("?")[:limit]
    for task in overdue:
        try:
            lifecycle.give_up(task)
        except Exception:
            logger.exception("%s has passed its deadline and cannot be ended; the next sweep tries again", task)
    return rung + len(overdue)


def observe() -> None:
    """Look whether each model would take a request of a live organization now, and write it down for this minute."""
    anyone = organizations.ordinary()
    health.note_looks({spec.id: creation.takes(anyone, spec.plain_request) for spec in catalog.SPECS})


def housekeeping() -> None:
    """Files, lots and records whose time has come; yesterday's orphans. One chore that fails stops no other."""
    for chore in CHORES:
        try:
            chore()
        except Exception:
            logger.exception("%s failed; the next housekeeping tries again", chore.__name__)


def expire_files() -> None:
    while files.expire_due():
        pass


def forget_quotes() -> None:
    while quotes.sweep():
        pass


def forget_rates() -> None:
    throttles.sweep(time.time())


def synchronize_voices() -> None:
    """Ask the providers what voices they have."""
    voices.synchronize()


def roll_up() -> None:
    """Roll up the transfers and the provider costs of every wallet, so that tails are short."""
    provider_costs.roll_all(seconds=COSTS_ROLL_UP_SECONDS)
    rollups.roll_all(seconds=ROLL_UP_SECONDS)


def roll_up_reports() -> None:
    """Roll up what the reports of all organizations read."""
    report_rollups.roll_all(seconds=REPORT_ROLL_UP_SECONDS)


def top_ups() -> None:
    """Ask Stripe about top-ups that nobody told us of, and recharge wallets that run low."""
    top_up_looks.run(seconds=TOP_UP_SECONDS)
    recharge.run(seconds=TOP_UP_SECONDS)


def notify() -> None:
    """Look whose balance fell and which keys' spending jumped, and send what members are to be told."""
    for step in (watch_balances, watch_keys):
        _go_on_after_errors(step)
    notices.send_due(seconds=MAIL_SECONDS)


def watch_balances() -> None:
    thresholds.look_all(seconds=WATCH_SECONDS)


def watch_keys() -> None:
    spending_guard.look_all(seconds=WATCH_SECONDS)


def reconcile() -> None:
    """Compare closed days with the providers' own ledgers."""
    reconciliation.run(seconds=RECONCILE_SECONDS)


def audit_changed() -> None:
    """Check the books of the wallets that changed."""
    audit.audit_changed(seconds=AUDIT_SECONDS)


def audit_all() -> None:
    """Check every invariant on every wallet, those that nobody looked at for longest first."""
    audit.audit_all(seconds=AUDIT_SECONDS)


CHORES = (
    expire_files,
    ledger.expire_due,
    grants.lapse_due,
    voucher_tries.sweep,
    idempotency.forget_old,
    forget_quotes,
    forget_rates,
    books.watch_reservations,
    lookups.look_at_orphans,
    provider_accounts.fetch_callback_keys,
    health.roll_up,
    outcomes.roll_up,
    top_up_looks.catch_up,
)


def _schedule(name: str, func: str, kind: str, *, minutes: int | None = None, args: str = "") -> None:
    values = {"func": func, "schedule_type": kind, "minutes": minutes, "args": args, "repeats": -1}
    first = Schedule.objects.filter(name=name).order_by("pk").values_list("pk", flat=True).first()
    Schedule.objects.filter(name=name, pk__gt=first or 0).delete()  # names are not unique there
    Schedule.objects.update_or_create(name=name, defaults=values)


def _due(model: type[Leased], states: Q, now: datetime) -> QuerySet[Leased]:
    return model._default_manager.filter(states, leases.free(now), due_at__lte=now)


def _ring_due(job: str, model: type[Leased], states: Q, limit: int) -> int:
    now = timezone.now()
    with transaction.atomic():
        waiting = _due(model, states, now).filter(Q(rung_until__isnull=True) | Q(rung_until__lte=now))
        found = list(
            waiting.order_by("due_at")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", flat=True)[:limit]
        )
        model._default_manager.filter(pk__in=found).update(rung_until=now + leases.RING_TRUST)
        for identifier in found:
            doorbell.ring(job, identifier)
    return len(found)


def _poll_and_sweep(lease: LoopLease, stopping: threading.Event, *, seconds: float = LOOP_SECONDS) -> None:
    until = time.monotonic() + seconds
    offered = threading.Event()
    sweeping = threading.Thread(target=_sweep_until, args=(stopping, lease.shard), name="sweep", daemon=True)
    sweeping.start()

    def keep_going() -> bool:
        late = time.monotonic() - until
        if stopping.is_set() or late > HANDOVER_SECONDS:
            return False
        if late < 0:
            return _renew(lease)
        if not offered.is_set():
            _offer(lease)
            offered.set()
        return _loops_of(lease).exists()

    try:
        asyncio.run(polling.run(lease.shard, keep_going=keep_going))
    finally:
        stopping.set()
        sweeping.join()
        if not offered.is_set():
            _offer(lease)


@transaction.atomic
def _offer(lease: LoopLease) -> None:
    """Let go of the lease and ring for the next loop, unless another has taken it."""
    if _loops_of(lease).update(leased_until=None, leased_by=""):
        doorbell.ring_first("loop", lease.shard)


def _sweep_until(stopping: threading.Event, shard: int) -> None:
    """Sweep in a thread beside the polling, and observe each minute; only shard 0 does."""
    observed = None
    while shard == 0 and not stopping.wait(SWEEP_SECONDS):
        _go_on_after_errors(sweep)
        minute = int(time.time() // 60)
        if minute != observed and _go_on_after_errors(observe):
            observed = minute
    connections.close_all()


def _go_on_after_errors(step: Callable[[], object]) -> bool:
    """Take the step; an error is logged, and the next time tries again."""
    try:
        step()
    except Exception:
        logger.exception("%s failed; the next one tries again", step.__name__)
        connections.close_all()
        return False
    return True


def _lease_loop(shard: int) -> LoopLease | None:
    LoopLease.objects.bulk_create([LoopLease(shard=shard)], ignore_conflicts=True)
    now = timezone.now()
    taken = LoopLease.objects.filter(leases.free(now), pk=shard).update(
        leased_by=leases.worker_name(),
        leased_until=now + timedelta(seconds=LOOP_LEASE_SECONDS),
        lease_token=F("lease_token") + 1,
    )
    return LoopLease.objects.get(pk=shard) if taken else None


def _renew(lease: LoopLease) -> bool:
    return bool(_loops_of(lease).update(leased_until=timezone.now() + timedelta(seconds=LOOP_LEASE_SECONDS)))


def _loops_of(lease: LoopLease) -> QuerySet[LoopLease]:
    """The lease, while no other loop has taken it since."""
    return LoopLease.objects.filter(pk=lease.pk, lease_token=lease.lease_token)


@contextmanager
def _told_by_sigterm(stopping: threading.Event) -> Iterator[None]:
    """SIGTERM sets the event meanwhile. Only a main thread can listen to signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
