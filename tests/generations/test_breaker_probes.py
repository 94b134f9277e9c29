"""One task tries an account that tripped: who may, and what its end says."""

from typing import Any

import pytest
from django.utils import timezone

from generations import breaker, lifecycle, routing
from generations.models import Attempt, Breaker, Task
from generations.providers.base import Accepted
from tests.cast import Person
from tests.generations.breakers import EMPTY, NO_CONNECTION, NO_PERMISSION, ended, opened, probe_of, seconds_until
from tests.generations.gateway import Steps, alerts, ask, at_once
from tests.generations.simulator import RunningSimulator
from tests.generations.two_accounts import (
    Accounts,
    change,
    considered,
    let_time_pass,
    row_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def task(alice: Person, accounts: Accounts) -> Task:
    return ask(alice)


def test_a_probe_that_fails_opens_it_again_for_longer_each_time(alice: Person, accounts: Accounts) -> None:
    opened(ask(alice), accounts["cheap"])
    for wait in (60, 120, 300, 600, 600):
        attempt = probe_of(ask(alice), accounts["cheap"])
        assert row_of(accounts["cheap"]).state == "probing"
        breaker.fault(attempt, "still down")
        row = row_of(accounts["cheap"])
        assert (row.state, row.reason, row.probe, row.probing_until) == ("open", "still down", None, None)
        assert wait - 1 < seconds_until(row.probe_at) <= wait
        let_time_pass()
    assert row_of(accounts["cheap"]).openings == 6


def test_a_probe_that_is_accepted_closes_it_and_what_was_is_forgotten(alice: Person, accounts: Accounts) -> None:
    ended(ask(alice), accounts["cheap"], *[True] * 20)
    opened(ask(alice), accounts["cheap"])
    attempt = probe_of(ask(alice), accounts["cheap"])
    assert lifecycle.accepted(attempt, Accepted(upstream_id="u-1", route="/x", state_word="submitted"))
    row = row_of(accounts["cheap"])
    assert (row.state, row.openings, row.probe, row.probe_at) == ("closed", 0, None, None)
    assert alerts() == {"provider-refused", "breaker-tripped", "breaker-closed"}
    assert considered(ask(alice))["cheap"] == "can take it"
    breaker.fault(ended(ask(alice), accounts["cheap"], True), "once more")
    assert row_of(accounts["cheap"]).state == "closed"


def test_after_work_that_was_spoiled_only_a_result_closes_it(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts, settings: Any
) -> None:
    settings.BREAKER_MIN_FAULTS = 1
    change(accounts["dear"], enabled=False)
    simulator.script("fail internal", account="cheap")
    gateway.until(ask(alice), Task.Status.FAILED)
    assert row_of(accounts["cheap"]).needs_result
    let_time_pass()
    task = ask(alice)
    gateway.due()
    row = row_of(accounts["cheap"])
    assert (row.state, row.probe.task) == ("probing", task)
    assert row.probing_until == Task.objects.get(pk=task.pk).deadline_at
    gateway.until(task, Task.Status.COMPLETED)
    assert row_of(accounts["cheap"]).state == "closed"


def test_a_probe_that_is_refused_for_its_input_says_nothing(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts
) -> None:
    opened(ask(alice, prompt="The first"), accounts["cheap"])
    simulator.script("refuse 1301", account="cheap")
    task = gateway.until(ask(alice), Task.Status.FAILED)
    assert task.attempts.get().is_probe
    row = row_of(accounts["cheap"])
    assert (row.state, row.openings) == ("open", 1) and row.probe_at <= timezone.now()


def test_a_probe_that_is_told_to_slow_down_says_nothing_either(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts
) -> None:
    opened(ask(alice, prompt="The first"), accounts["cheap"])
    simulator.script("refuse 1302", account="cheap")
    task = ask(alice)
    gateway.due()
    row = row_of(accounts["cheap"])
    assert (row.state, row.openings) == ("open", 1) and row.probe_at <= timezone.now()
    assert considered(task)["cheap"].startswith("told to slow down")


def test_two_workers_want_the_probe_and_one_gets_it(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts
) -> None:
    opened(ask(alice), accounts["cheap"], EMPTY)
    breaker.refused(ended(ask(alice), accounts["cheap"], True), NO_PERMISSION)
    let_time_pass()
    tasks = [ask(alice) for _ in range(8)]

    def claim(task: Task) -> bool:
        try:
            return probe_of(task, accounts["cheap"]) is not None
        except routing.NoSlot:
            return False

    assert sorted(at_once([lambda task=task: claim(task) for task in tasks])) == [False] * 7 + [True]
    attempt = Attempt.objects.get(is_probe=True)
    assert {row.probe_id for row in Breaker.objects.all()} == {attempt.pk}
    assert considered(ask(alice))["cheap"] == "tripped: a probe is at work"
    breaker.accepted(attempt, until=timezone.now())
    assert set(Breaker.objects.values_list("state", flat=True)) == {"closed"}


def test_one_that_is_still_closed_to_probes_keeps_the_other_from_being_probed(
    alice: Person, accounts: Accounts
) -> None:
    opened(ask(alice), accounts["cheap"])
    breaker.refused(ended(ask(alice), accounts["cheap"], True), EMPTY)
    with pytest.raises(routing.NoSlot):
        probe_of(ask(alice), accounts["cheap"])
    assert set(Breaker.objects.values_list("state", "probe")) == {("open", None)}


def test_a_probe_that_died_makes_room_for_another(alice: Person, accounts: Accounts) -> None:
    opened(ask(alice), accounts["cheap"])
    dead = probe_of(ask(alice), accounts["cheap"])
    assert 299 < seconds_until(row_of(accounts["cheap"]).probing_until) <= 300
    let_time_pass()
    task = ask(alice)
    assert considered(task)["cheap"] == "can take it, as a probe"
    alive = probe_of(task, accounts["cheap"])
    breaker.fault(dead, "a word from the grave")
    assert row_of(accounts["cheap"]).probe == alive
    breaker.accepted(dead, until=timezone.now())
    assert row_of(accounts["cheap"]).state == "probing"


def test_a_probe_that_was_replaced_counts_like_any_other_attempt(
    alice: Person, accounts: Accounts, settings: Any
) -> None:
    settings.BREAKER_MIN_FAULTS = 1
    opened(ask(alice), accounts["cheap"])
    late = probe_of(ask(alice), accounts["cheap"])
    breaker.reset(row_of(accounts["cheap"]))
    Attempt.objects.filter(pk=late.pk).update(fault=True, judged_at=timezone.now())
    breaker.refused(late, NO_CONNECTION)
    row = row_of(accounts["cheap"])
    assert (row.state, row.openings) == ("open", 1)
