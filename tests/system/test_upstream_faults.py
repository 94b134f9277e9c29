"""Everything that can go wrong at the upstream, a little of each at once: every task ends, and the refunds are exact.

CHAOS_FAULT_TASKS and CHAOS_FAULT (one of the names) make it larger, or about one fault alone.
"""

import os
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from generations import lookups
from generations.models import Alert, Attempt, OrphanSpend, Task
from tests.generations.gateway import task
from tests.system.faults import FAULTS
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong, together

pytestmark = pytest.mark.system

TASKS = int(os.environ.get("CHAOS_FAULT_TASKS", "200"))
SHARE = 0.05


def test_every_task_ends_and_every_refund_is_exact(site: Site) -> None:
    customer = Customer(site.url, PRICE * TASKS)
    only = os.environ.get("CHAOS_FAULT")
    faults = [fault for fault in FAULTS if only in (None, fault.split()[0])]
    site.simulator.do("settings", rates=dict.fromkeys(faults, SHARE), seed=1)
    tasks = site.finished(together([customer.buy] * TASKS, threads=4), seconds=60 + TASKS)
    site.simulator.do("settings", rates={})
    counts = Counter((one.status, one.error_code) for one in tasks)
    sys.stderr.write(f"{dict(counts)}\n")
    assert set(counts) <= {("completed", ""), ("failed", "content_policy_violation")}
    completed = counts["completed", ""]
    assert customer.remaining() == PRICE * (TASKS - completed)
    assert {one.charged_credits for one in tasks} <= {Decimal(0), PRICE}
    assert_nothing_is_wrong(site)


def test_a_success_after_the_refund_is_never_charged_and_operators_are_told(site: Site) -> None:
    customer = Customer(site.url, PRICE)
    late = task(customer.buy(prompt="A heron [sim:late-success]"))
    site.until(lambda: late.attempts.filter(state=Attempt.State.RUNNING).exists())
    Task.objects.filter(pk=late.pk).update(deadline_at=timezone.now())
    (ended,) = site.finished([late.public_id], seconds=30)
    assert (ended.status, ended.error_code) == ("failed", "generation_timeout")
    assert customer.remaining() == PRICE
    assert OrphanSpend.objects.get(attempt__task=late).due_at > timezone.now() + timedelta(hours=23)

    site.simulator.do("finish", external_id=late.attempts.get().reference)
    OrphanSpend.objects.filter(attempt__task=late).update(due_at=timezone.now())
    lookups.look_at_orphans()
    orphan = OrphanSpend.objects.get(attempt__task=late)
    assert (orphan.due_at, orphan.found_state) == (None, "succeeded")
    assert orphan.cost_amount
    assert Alert.objects.filter(kind="late-success").exists()
    assert customer.remaining() == PRICE
    assert task(late.public_id).status == "failed"
    assert_nothing_is_wrong(site)


def test_an_unknown_word_means_still_running_and_operators_are_told(site: Site) -> None:
    customer = Customer(site.url, PRICE)
    asked = customer.buy(prompt="A heron [sim:unknown-status polishing]")
    (ended,) = site.finished([asked], seconds=30)
    assert (ended.status, ended.charged_credits) == ("completed", PRICE)
    assert "'polishing'" in Alert.objects.get(kind="unknown-status-word").message
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
