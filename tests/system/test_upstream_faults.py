"""Everything that can go wrong at the upstream, a little of each at once: every task ends, and the refunds are exact.

CHAOS_FAULT_TASKS and CHAOS_FAULT (one of the names) make it larger, or about one fault alone, and CHAOS_LATE says how
many are late or speak an unknown word. CHAOS_SEED draws others.
"""

import os
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from generations import lookups
from generations.models import Alert, Attempt, OrphanSpend, Task
from tests.system.faults import FAULTS
from tests.system.notes import note
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong, together

pytestmark = pytest.mark.system

TASKS = int(os.environ.get("CHAOS_FAULT_TASKS", "200"))
LATE = int(os.environ.get("CHAOS_LATE", "3"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
SHARE = 0.05


def test_every_task_ends_and_every_refund_is_exact(site: Site) -> None:
    customer = Customer(site.url, PRICE * TASKS)
    only = os.environ.get("CHAOS_FAULT")
    faults = [fault for fault in FAULTS if only in (None, fault.split()[0])]
    site.simulator.do("settings", rates=dict.fromkeys(faults, SHARE), seed=SEED)
    tasks = site.finished(together([customer.buy] * TASKS, threads=4), seconds=60 + TASKS)
    site.simulator.do("settings", rates={})
    counts = Counter((one.status, one.error_code) for one in tasks)
    sys.stderr.write(f"{dict(counts)}\n")
    note(refunded=TASKS - counts["completed", ""])
    assert set(counts) <= {("completed", ""), ("failed", "content_policy_violation")}
    completed = counts["completed", ""]
    assert customer.remaining() == PRICE * (TASKS - completed)
    assert {one.charged_credits for one in tasks} <= {Decimal(0), PRICE}
    assert_nothing_is_wrong(site)


def test_successes_after_the_refund_are_never_charged_and_operators_are_told(site: Site) -> None:
    customer = Customer(site.url, PRICE * LATE)
    asked = together([partial(customer.buy, prompt="A heron [sim:late-success]")] * LATE, threads=4)
    tasks = Task.objects.filter(organization=customer.organization)
    attempts = Attempt.objects.filter(task__in=tasks)
    site.until(lambda: attempts.filter(state=Attempt.State.RUNNING).count() == LATE, seconds=60 + LATE)
    tasks.update(deadline_at=timezone.now())
    ended = site.finished(asked, seconds=30 + LATE)
    assert Counter((one.status, one.error_code) for one in ended) == {("failed", "generation_timeout"): LATE}
    assert customer.remaining() == PRICE * LATE
    orphans = OrphanSpend.objects.filter(attempt__in=attempts)
    assert orphans.filter(due_at__gt=timezone.now() + timedelta(hours=23)).count() == LATE

    for attempt in attempts:
        site.simulator.do("finish", external_id=attempt.reference)
    orphans.update(due_at=timezone.now())
    while lookups.look_at_orphans():
        sys.stderr.write(f"{orphans.filter(due_at=None).count()} of {LATE} looked up\n")
    assert Counter(orphans.values_list("due_at", "found_state")) == {(None, "succeeded"): LATE}
    assert all(orphan.cost_amount for orphan in orphans)
    assert Alert.objects.filter(kind="late-success").exists()
    note(late=LATE)
    assert customer.remaining() == PRICE * LATE
    assert set(tasks.values_list("status", flat=True)) == {"failed"}
    assert_nothing_is_wrong(site)


def test_an_unknown_word_means_still_running_and_operators_are_told(site: Site) -> None:
    customer = Customer(site.url, PRICE * LATE)
    words = [partial(customer.buy, prompt=f"A heron [sim:unknown-status polishing-{number}]") for number in range(LATE)]
    ended = site.finished(together(words, threads=4), seconds=60 + LATE)
    assert Counter((one.status, one.charged_credits) for one in ended) == {("completed", PRICE): LATE}
    assert "'polishing-" in Alert.objects.get(kind="unknown-status-word").message
    note(words=LATE)
    assert_nothing_is_wrong(site)


def test_an_upstream_killed_in_the_middle_finishes_its_tasks_when_it_is_back(site: Site) -> None:
    customer = Customer(site.url, PRICE * 12)
    site.simulator.do("settings", speed=15)
    asked = together([customer.buy] * 12, threads=4)
    running = Attempt.objects.filter(task__organization=customer.organization, state=Attempt.State.RUNNING)
    site.until(lambda: running.count() == 12)
    site.simulator.kill()
    site.until(lambda: "a poll of simulator-live failed" in site.log.read_text())
    assert customer.see(asked[0])["status"] == "processing"
    site.simulator.start()
    assert {one.status for one in site.finished(asked, seconds=60)} == {Task.Status.COMPLETED}
    assert customer.remaining() == 0
    assert_nothing_is_wrong(site)
