"""The auditor: checks the invariants wallet by wallet, stores what it saw, and freezes a wallet whose credits fail.

A check is a function from a Wallet to Findings. The apps above add theirs by their dotted path in
`settings.AUDIT_CHECKS`. Each wallet is read in one snapshot, so nothing that happens meanwhile looks like a fault.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import chain
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from billing import book_checks, ledger, report_checks
from billing.models import AuditMark, AuditRun, Wallet
from billing.replay import Finding, compare, replay
from billing.snapshots import one_snapshot

Check = Callable[[Wallet], Iterable[Finding]]
CHUNK = 5_000  # transfers read at a time
NEVER_CLEAN = -1  # the `seq` of a mark before the first clean audit
OURS_ALONE = {"I23", "I24", "I25", "I26"}
"""What our costs and reports must hold: no customer's credits are in doubt, so it freezes no wallet."""


def replayed(wallet: Wallet) -> list[Finding]:
    """I1, I2, I4, I5, I9, I10, I15: what shows when the transfers are replayed in their order."""
    lots = {lot.id: lot for lot in wallet.lots.all()}
    transfers = wallet.transfers.order_by("seq").iterator(chunk_size=CHUNK)
    return compare(replay(transfers, lots), wallet, lots)


CHECKS: tuple[Check, ...] = (replayed, book_checks.broken, report_checks.of_one)


def all_checks() -> tuple[Check, ...]:
    """The checks of the books, and those of the apps above."""
    return (*CHECKS, *(import_string(path) for path in settings.AUDIT_CHECKS))


def audit_all(*, seconds: float = math.inf) -> AuditRun:
    return run("all wallets", Wallet.objects.all(), seconds=seconds, also=report_checks.of_all)


def audit_changed(*, seconds: float = math.inf) -> AuditRun:
    """Audit the wallets with transfers since they were last found clean."""
    changed = Wallet.objects.filter(Q(audit_mark__isnull=True) | ~Q(audit_mark__seq=F("seq")))
    return run("changed wallets", changed, seconds=seconds)


def run(
    scope: str,
    wallets: QuerySet[Wallet],
    checks: Iterable[Check] | None = None,
    *,
    seconds: float = math.inf,
    also: Callable[[], list[Finding]] = list,
) -> AuditRun:
    """Audit these wallets, freeze those that fail, and store what was found; `also` checks what is of no wallet.

    Those that nobody looked at for longest come first, and a run takes up at least one but no further one after
    `seconds`, so every wallet has its turn. A run that left some over says so in its scope.
    """
    checks = tuple(checks) if checks is not None else all_checks()
    stored = AuditRun.objects.create(scope=scope)
    findings = [*book_checks.unguarded(), *also()]
    until = time.monotonic() + seconds
    longest_ago_first = wallets.order_by(F("audit_mark__checked_at").asc(nulls_first=True), "pk")
    for wallet_id in longest_ago_first.values_list("pk", flat=True):
        if stored.wallets and time.monotonic() >= until:
            stored.scope = f"some of {scope}"
            break
        findings += audit_wallet(wallet_id, checks, stored)
        stored.wallets += 1
    stored.findings = [asdict(finding) for finding in findings]
    stored.finished_at = timezone.now()
    stored.save(update_fields=["scope", "wallets", "findings", "finished_at"])
    return stored


def audit_wallet(wallet_id: UUID, checks: Iterable[Check], stored: AuditRun) -> list[Finding]:
    """One wallet's findings, their subjects naming its organization. Clean: its mark moves on; else it is frozen,
    unless only what is ours is broken.

    That it was looked at is written first: a wallet that takes too long for a job then stands in nobody's way.
    """
    now = timezone.now()
    AuditMark.objects.update_or_create(
        wallet_id=wallet_id, defaults={"checked_at": now}, create_defaults={"seq": NEVER_CLEAN, "checked_at": now}
    )
    with one_snapshot():
        wallet = Wallet.objects.select_related("organization").get(pk=wallet_id)
        found = sorted(set(chain.from_iterable(check(wallet) for check in checks)))
    organization = wallet.organization
    if found:
        if broken := {finding.invariant for finding in found} - OURS_ALONE:
            ledger.freeze(organization, reason=f"Audit {stored.pk} found {', '.join(sorted(broken))} broken.")
    else:
        AuditMark.objects.filter(wallet=wallet).update(seq=wallet.seq)
    owner = organization.public_id
    return [Finding(**{**asdict(one), "subject": f"{owner} {one.subject}"}) for one in found]
