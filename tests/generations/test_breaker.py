"""When a provider account is no longer trusted with work, and how it comes back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generations import breaker, lifecycle, requests, routing
from generations.models import Attempt, Breaker, DayLoss, ProviderAccount, Task
from generations.providers.base import ProviderRefused
from tests.cast import Person
from tests.generations.breakers import EMPTY, NO_CONNECTION, NO_PERMISSION, ended, opened, probe_of, seconds_until
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, alerts, ask, at_once, findings, money
from tests.generations.simulator import RunningSimulator
from tests.generations.two_accounts import (
    DOWN,
    MODEL,
    Accounts,
    break_down,
    considered,
    let_time_pass,
    row_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

POST = "/v1/videos/generations"


@pytest.fixture
def task(alice: Person, accounts: Accounts) -> Task:
    return ask(alice)


@pytest.mark.parametrize(
    ("faults", "good", "state"), [(4, 0, None), (5, 0, "open"), (5, 5, "open"), (5, 6, None), (6, 6, "open")]
)
def test_it_trips_at_a_number_and_a_share_of_faults(
    alice: Person, task: Task, accounts: Accounts, faults: int, good: int, state: str | None
) -> None:
    ended(task, accounts["cheap"], *[False] * good) if good else None
    breaker.fault(ended(task, accounts["cheap"], *[True] * faults), "HTTP 502")
    assert Breaker.objects.values_list("state", flat=True).first() == state
    assert alerts() == (set() if state is None else {"breaker-tripped"})
    if state:
        row = row_of(accounts["cheap"])
        assert row.reason == f"{faults} of {faults + good} attempts failed by the provider's fault, the last: HTTP 502"
        assert 29 < seconds_until(row.probe_at) <= 30
        assert considered(ask(alice)) == {"cheap": f"tripped: {row.reason}", "dear": "can take it"}


def test_only_the_window_that_model_and_that_account_count(task: Task, accounts: Accounts) -> None:
    ended(task, accounts["cheap"], *[True] * 9, at=timezone.now() - timedelta(seconds=301))
    ended(task, accounts["cheap"], *[True] * 9, model="another-model")
    ended(task, accounts["dear"], *[True] * 9)
    breaker.fault(ended(task, accounts["cheap"], *[True] * 4), "x")
    assert not Breaker.objects.exists()
    breaker.fault(ended(task, accounts["cheap"], True), "x")
    assert [str(row) for row in Breaker.objects.all()] == [f"cheap {MODEL}"]


def test_what_runs_speaks_for_a_provider_whose_calls_fail_but_not_for_one_that_spoils_work(
    alice: Person, task: Task, accounts: Accounts
) -> None:
    running = {"account": accounts["cheap"], "model": MODEL, "number": 1, "route": "/x", "state": "running"}
    for number in range(6):
        Attempt.objects.create(task=ask(alice), upstream_id=f"{number}", accepted_at=timezone.now(), **running)
    breaker.fault(ended(task, accounts["cheap"], *[True] * 5), "x")
    assert not Breaker.objects.exists()
    breaker.fault(ended(task, accounts["cheap"], True, accepted_at=timezone.now()), "x")
    assert row_of(accounts["cheap"]).needs_result


@pytest.mark.parametrize(
    ("fault", "status"),
    [("refuse 1301", "failed"), ("refuse 1302", "completed"), ("refuse 1303", "completed"), ("fail content", "failed")],
)
def test_the_customers_input_and_slow_down_are_no_faults(
    alice: Person,
    gateway: Steps,
    simulator: RunningSimulator,
    accounts: Accounts,
    settings: Any,
    fault: str,
    status: str,
) -> None:
    settings.BREAKER_MIN_FAULTS = 1
    simulator.script(fault, times=3, account="cheap")
    for _ in range(3):
        gateway.until(ask(alice), status)
        let_time_pass()
    assert not Breaker.objects.exclude(state="closed").exists()
    assert not Attempt.objects.filter(fault=True).exists()
    assert alerts() == set()


def test_while_all_goes_well_nothing_is_written(alice: Person, gateway: Steps, accounts: Accounts) -> None:
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    attempt = task.attempts.get()
    assert (attempt.model, attempt.fault, attempt.is_probe, attempt.loss) == (MODEL, False, False, 0)
    assert attempt.judged_at is not None
    assert not Breaker.objects.exists() and not DayLoss.objects.exists()


@pytest.mark.parametrize(("refusal", "model"), [(EMPTY, "*"), (NO_PERMISSION, MODEL)])
def test_what_a_provider_says_with_certainty_trips_at_once(
    task: Task, accounts: Accounts, refusal: ProviderRefused, model: str
) -> None:
    breaker.refused(ended(task, accounts["cheap"], True), refusal)
    assert row_of(accounts["cheap"], model).state == "open"
    assert alerts() == {"provider-refused", "breaker-tripped"}


def test_a_connection_that_fails_only_counts(task: Task, accounts: Accounts) -> None:
    for number in range(1, 6):
        breaker.refused(ended(task, accounts["cheap"], True), NO_CONNECTION)
        assert Breaker.objects.filter(state="open").exists() == (number == 5)
    assert row_of(accounts["cheap"]).reason.endswith("No connection")


@pytest.mark.parametrize(
    ("code", "trips"),
    [(1000, "*"), (1003, "*"), (1100, "*"), (1102, "*"), (1304, "*"), (5001, "*"), (1103, MODEL), (1203, MODEL)],
)
def test_klings_own_words_about_an_account_are_certain(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts, code: int, trips: str
) -> None:
    simulator.script(f"refuse {code}", account="cheap")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert [one.account.name for one in task.attempts.order_by("number")] == ["cheap", "dear"]
    assert row_of(accounts["cheap"], trips).state == "open"


@pytest.mark.parametrize(("asked", "waits"), [(None, 30), (7, 30), (45, 45), (99_999, 600)])
def test_a_provider_may_ask_for_longer_but_not_for_ever(
    task: Task, accounts: Accounts, asked: int | None, waits: int
) -> None:
    refusal = ProviderRefused("x", scope="account", certain=True, retry_after_seconds=asked)
    breaker.refused(ended(task, accounts["cheap"], True), refusal)
    assert waits - 1 < seconds_until(row_of(accounts["cheap"], "*").probe_at) <= waits


def test_faults_at_once_trip_it_once(alice: Person, accounts: Accounts) -> None:
    tasks = [ask(alice) for _ in range(8)]
    attempts = [ended(task, accounts["cheap"], True) for task in tasks]
    at_once([lambda attempt=attempt: breaker.refused(attempt, EMPTY) for attempt in attempts])
    assert row_of(accounts["cheap"], "*").openings == 1


def test_work_that_the_deadline_ended_is_the_providers_fault(
    alice: Person, gateway: Steps, accounts: Accounts, settings: Any
) -> None:
    settings.BREAKER_MIN_FAULTS = 1
    task = ask(alice, prompt="[sim:slow 600]")
    gateway.sent(task)
    lifecycle.give_up(task)
    assert row_of(accounts["cheap"]).reason.endswith("It did not finish before the deadline.")


def test_accounts_for_sandbox_keys_have_none(task: Task, gateway: Steps) -> None:
    account = ProviderAccount.objects.get(serves="sandbox")
    attempt = ended(task, account, *[True] * 9)
    breaker.refused(attempt, EMPTY)
    breaker.fault(attempt, "x")
    assert breaker.rest(account, MODEL, ProviderRefused("x", scope="soft")) > timezone.now()
    assert not Breaker.objects.exists() and alerts() == set()


@pytest.mark.parametrize(("asked", "seconds"), [(None, 2), (7, 7), (300, 300), (999_999, 300)])
def test_slow_down_makes_an_account_rest_and_the_task_wait(
    task: Task, accounts: Accounts, asked: int | None, seconds: int
) -> None:
    refusal = ProviderRefused("busy", scope="soft", retry_after_seconds=asked)
    until = breaker.rest(accounts["cheap"], MODEL, refusal)
    assert seconds - 1 < seconds_until(until) <= seconds
    wanted = routing.wish(task, requests.order(task))
    for at_post in (True, False):
        resting = next(one for one in routing.candidates(wanted, at_post=at_post) if one.account == accounts["cheap"])
        assert (resting.reason, resting.waits) == ("told to slow down: busy", True)
    let_time_pass()
    assert considered(task)["cheap"] == "can take it"


def test_a_rest_leaves_an_open_breaker_as_it_is(task: Task, accounts: Accounts) -> None:
    opened(task, accounts["cheap"])
    breaker.rest(accounts["cheap"], MODEL, ProviderRefused("busy", scope="soft"))
    row = row_of(accounts["cheap"])
    assert (row.state, row.reason, row.rest_reason) == ("open", "no permission", "busy")


def test_new_requests_are_refused_until_the_earliest_probe(alice: Person, task: Task, accounts: Accounts) -> None:
    breaker.refused(ended(task, accounts["dear"], True), EMPTY)
    breaker.refused(
        ended(task, accounts["cheap"], True),
        ProviderRefused("x", scope="account", certain=True, retry_after_seconds=90),
    )
    answer = alice.client.post(POST, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"], answer["Retry-After"]) == (
        503,
        "model_unavailable",
        "30",
    )
    assert money(alice.organization) == (1000, 27)
    let_time_pass()
    assert alice.client.post(POST, TEXT_TO_VIDEO).status_code == 200


def test_a_task_that_waits_for_a_breaker_waits_until_its_deadline(
    alice: Person, gateway: Steps, task: Task, accounts: Accounts
) -> None:
    for account in accounts.values():
        breaker.trip(account, "*", "maintenance", until=None)
    gateway.due()
    task.refresh_from_db()
    assert (task.status, task.claims, task.attempts.count()) == ("pending", 0, 0)
    assert considered(task) == {"cheap": "tripped: maintenance", "dear": "tripped: maintenance"}
    answer = alice.client.post(POST, TEXT_TO_VIDEO)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    for row in Breaker.objects.all():
        breaker.reset(row)
    Task.objects.update(due_at=timezone.now())
    gateway.until(task, Task.Status.COMPLETED)


def test_an_operator_trips_it_until_a_time_or_for_good_and_resets_it(task: Task, accounts: Accounts) -> None:
    until = timezone.now() + timedelta(hours=1)
    row = breaker.trip(accounts["cheap"], MODEL, "they announced it", until=until)
    assert (row.state, row.probe_at) == ("open", until)
    row = breaker.trip(accounts["cheap"], MODEL, "for good", until=None)
    assert considered(task)["cheap"] == "tripped: for good"
    Breaker.objects.filter(pk=row.pk).update(rest_until=until)
    breaker.reset(row)
    assert considered(task)["cheap"] == "can take it"
    assert row_of(accounts["cheap"]).rest_until is None


def test_a_probe_no_longer_counts_once_an_operator_has_tripped_it(alice: Person, accounts: Accounts) -> None:
    opened(ask(alice), accounts["cheap"])
    attempt = probe_of(ask(alice), accounts["cheap"])
    breaker.trip(accounts["cheap"], MODEL, "wait", until=None)
    breaker.accepted(attempt, until=timezone.now())
    assert row_of(accounts["cheap"]).state == "open"


@pytest.mark.parametrize("way", DOWN)
def test_while_the_cheapest_is_down_all_is_made_elsewhere_and_a_probe_brings_it_back(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts, way: str
) -> None:
    mend: Callable[[], None] = break_down(simulator, accounts["cheap"], way)
    tasks = [ask(alice, prompt=f"{way} {number}") for number in range(8)]
    for task in tasks:
        gateway.until(task, Task.Status.COMPLETED)
    assert {task.attempts.get(state="succeeded").account.name for task in tasks} == {"dear"}
    assert money(alice.organization) == (1000 - 8 * 27, 0)
    last = tasks[-1].attempts.get(state="succeeded").choice
    why = next(row["reason"] for row in last if row["account"] == "cheap")
    assert why.startswith("told to slow down" if way == "429" else ("tripped: ", "the task failed here"))
    assert Breaker.objects.filter(state="open", account=accounts["cheap"]).exists() == (way != "429")
    assert ("breaker-tripped" in alerts()) == (way != "429")
    mend()
    let_time_pass()
    back = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert back.attempts.get().account == accounts["cheap"]
    assert back.attempts.get().is_probe == (way != "429")
    assert not Breaker.objects.exclude(state="closed").exists()
    assert findings() == []


def test_a_probe_that_fails_costs_the_customer_nothing_but_a_moment(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts
) -> None:
    break_down(simulator, accounts["cheap"], "empty balance")
    gateway.until(ask(alice), Task.Status.COMPLETED)
    let_time_pass()
    probe = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert list(probe.attempts.order_by("number").values_list("account__name", "is_probe", "state")) == [
        ("cheap", True, "failed"),
        ("dear", False, "succeeded"),
    ]
    assert row_of(accounts["cheap"], "*").openings == 2
    assert money(alice.organization) == (1000 - 2 * 27, 0)
