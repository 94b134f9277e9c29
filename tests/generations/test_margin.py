"""How much one task may lose us, and all tasks of a day together."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts import ids
from accounts.errors import Conflict
from generations import lifecycle, margin, routing
from generations.failures import SERVICE_ERROR
from generations.models import Alert, Attempt, DayLoss, MarginGuard, ProviderAccount, Task
from generations.providers.base import Accepted, Cost, Plan, Progress, Verdict
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, alerts, ask, at_once, findings, money
from tests.generations.simulator import RunningSimulator
from tests.generations.two_accounts import MODEL, Accounts, change, considered, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)

POST = "/v1/videos/generations"
LOSING = {MODEL: {"720p_off": "0.085"}}  # 0.425 dollars for five seconds that sell for 0.375
LOSS = Decimal("0.05")
USED_UP = "the day's loss is used up"


@pytest.fixture
def losing(accounts: Accounts) -> ProviderAccount:
    """The only account: each task loses 5 cents there."""
    change(accounts["cheap"], costs=LOSING)
    change(accounts["dear"], enabled=False)
    return ProviderAccount.objects.get(name="cheap")


def lost(day: Any = None) -> Decimal:
    return sum(DayLoss.objects.filter(day=day or timezone.now().date()).values_list("lost", flat=True), Decimal(0))


def sent(task: Task, account: ProviderAccount, *, loss: Decimal = LOSS) -> Attempt:
    """The intent to send it, as the workers commit it."""
    attempt = lifecycle.begin_attempt(
        task, account, plan=Plan(route="/x"), choice=[], cost_estimate=Decimal("0.425"), loss=loss, attempt_id=ids.new()
    )
    assert attempt is not None
    return attempt


def allow(a_day: str, share: str = "0.15") -> None:
    MarginGuard.objects.update_or_create(
        pk=1, defaults={"max_loss_a_day": Decimal(a_day), "max_loss_share": Decimal(share)}
    )


def test_what_a_task_loses_is_counted_and_what_earns_is_not(
    alice: Person, gateway: Steps, losing: ProviderAccount, accounts: Accounts
) -> None:
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert (task.attempts.get().loss, lost()) == (LOSS, LOSS)
    change(accounts["dear"], enabled=True)
    gateway.until(ask(alice), Task.Status.COMPLETED)
    assert lost() == LOSS


def test_operators_say_how_much_a_task_may_lose(alice: Person, losing: ProviderAccount) -> None:
    task = ask(alice)
    allow("100", share="0.13")
    assert considered(task)["cheap"] == "would cost too much"
    allow("100", share="0.14")
    assert considered(task)["cheap"] == "can take it"


def test_the_settings_say_it_while_no_operator_does(alice: Person, losing: ProviderAccount, settings: Any) -> None:
    task = ask(alice)
    assert considered(task)["cheap"] == "can take it"
    settings.MAX_LOSS_A_DAY = Decimal("0.04")
    assert considered(task)["cheap"] == USED_UP
    with pytest.raises(routing.NoSlot):
        sent(task, losing)
    assert (lost(), Attempt.objects.count()) == (0, 0)


def test_when_the_day_is_used_up_the_account_is_passed_over_and_operators_hear_once(
    alice: Person, gateway: Steps, losing: ProviderAccount, accounts: Accounts
) -> None:
    allow("0.12")
    tasks = [ask(alice, prompt=f"{number}") for number in range(4)]
    change(accounts["dear"], enabled=True)
    change(accounts["dear"], costs={MODEL: {"720p_off": "0.0855"}})
    gateway.due()
    assert [task.attempts.count() for task in tasks] == [1, 1, 0, 0]
    assert lost() == 2 * LOSS
    assert considered(tasks[2]) == {"cheap": USED_UP, "dear": USED_UP}
    assert Task.objects.get(pk=tasks[2].pk).error_code == "service_unavailable"
    answer = alice.client.post(POST, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert (alerts(), Alert.objects.get().count) == ({"daily-loss"}, 1)
    change(accounts["dear"], costs={MODEL: {"720p_off": "0.074"}})
    assert considered(ask(alice))["dear"] == "can take it"


def test_another_day_begins_anew(alice: Person, losing: ProviderAccount) -> None:
    allow("0.12")
    task = ask(alice)
    DayLoss.objects.create(day=timezone.now().date() - timedelta(days=1), lost=Decimal(99))
    assert considered(task)["cheap"] == "can take it"
    DayLoss.objects.create(day=timezone.now().date(), lost=Decimal("0.08"))
    assert considered(task)["cheap"] == USED_UP


def test_8_at_once_take_exactly_what_the_day_allows(alice: Person, losing: ProviderAccount) -> None:
    allow("0.25")
    tasks = [ask(alice, prompt=f"{number}") for number in range(16)]

    def begin(task: Task) -> bool:
        try:
            return sent(task, losing) is not None
        except routing.NoSlot:
            return False

    for half in (tasks[:8], tasks[8:]):
        at_once([lambda task=task: begin(task) for task in half])
    assert Attempt.objects.count() == 5
    assert lost() == Decimal("0.25")


def test_takes_and_returns_at_once_stay_exact(alice: Person, losing: ProviderAccount) -> None:
    tasks = [ask(alice, prompt=f"{number}") for number in range(8)]
    allow("0.20")
    attempts, waiting = [sent(task, losing) for task in tasks[:4]], tasks[4:]

    def begin(task: Task) -> bool:
        try:
            return sent(task, losing) is not None
        except routing.NoSlot:
            return False

    def refuse(attempt: Attempt) -> bool:
        lifecycle.refused(attempt, "x", "provider_refused", retry_at=timezone.now())
        return False

    ends = [lambda attempt=attempt: refuse(attempt) for attempt in attempts] * 2
    begun = at_once([*ends, *(lambda task=task: begin(task) for task in waiting)])
    assert lost() == LOSS * sum(begun)


def verdict(*, by_input: bool = False) -> Verdict:
    return Verdict(code="service_error", message="x", by_input=by_input, retryable=True, upstream_message="x")


def progress(cost: Decimal | None = None, **changes: Any) -> Progress:
    booked = None if cost is None else Cost(amount=cost, unit="cash", currency="USD")
    return Progress(
        upstream_id="u", state="failed", state_word="failed", known_word=True, verdict=verdict(**changes), cost=booked
    )


def accepted(attempt: Attempt) -> Attempt:
    assert lifecycle.accepted(attempt, Accepted(upstream_id="u", route="/x", state_word="submitted"))
    return Attempt.objects.select_related("account").get(pk=attempt.pk)


def refuse(attempt: Attempt, outcome: str = "provider_refused") -> None:
    lifecycle.refused(attempt, "x", outcome, retry_at=timezone.now())


ENDS_FOR_NOTHING = {
    "refused": refuse,
    "slow down": lambda attempt: refuse(attempt, "slow_down"),
    "not created": lambda attempt: refuse(attempt, "not_created"),
    "the input refused": lambda attempt: lifecycle.fail(attempt.task, SERVICE_ERROR, attempt=attempt),
    "failed unbilled": lambda attempt: lifecycle.attempt_failed(accepted(attempt), progress()),
    "failed and booked as nothing": lambda attempt: lifecycle.attempt_failed(accepted(attempt), progress(Decimal(0))),
    "the input failed": lambda attempt: lifecycle.attempt_failed(accepted(attempt), progress(by_input=True)),
    "withdrawn": lambda attempt: lifecycle.withdrawn(accepted(attempt)),
    "cancelled": lambda attempt: lifecycle.cancel(attempt.task, stopped=accepted(attempt)),
}


@pytest.mark.parametrize("end", ENDS_FOR_NOTHING)
def test_what_cost_nothing_is_given_back_once(alice: Person, losing: ProviderAccount, end: str) -> None:
    attempt = sent(ask(alice), losing)
    assert lost() == LOSS
    ENDS_FOR_NOTHING[end](attempt)
    assert lost() == 0
    refuse(attempt)
    assert lost() == 0


def test_what_is_given_back_goes_to_the_day_it_was_taken_from(alice: Person, losing: ProviderAccount) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    DayLoss.objects.create(day=yesterday.date(), lost=Decimal("1.05"))
    attempt = sent(ask(alice), losing)
    Attempt.objects.filter(pk=attempt.pk).update(created_at=yesterday)
    refuse(Attempt.objects.get(pk=attempt.pk))
    assert (lost(yesterday.date()), lost()) == (1, LOSS)


@pytest.mark.parametrize("loss", [LOSS, Decimal(0)])
def test_an_attempt_that_is_given_up_counts_with_its_whole_cost(
    alice: Person, losing: ProviderAccount, loss: Decimal
) -> None:
    allow("0.30")
    attempt = sent(ask(alice), losing, loss=loss)
    lifecycle.give_up(attempt.task)
    assert lost() == Decimal("0.425")
    lifecycle.give_up(attempt.task)
    assert lost() == Decimal("0.425")


def test_work_that_failed_and_was_billed_counts_with_its_whole_cost(alice: Person, losing: ProviderAccount) -> None:
    lifecycle.attempt_failed(accepted(sent(ask(alice), losing)), progress(Decimal("0.4")))
    assert lost() == Decimal("0.425")


def test_a_failover_to_an_account_that_loses_is_guarded_too(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts
) -> None:
    change(accounts["dear"], costs=LOSING)
    allow("0.05")
    simulator.script("refuse 1103", times=9, account="cheap")
    first, second = ask(alice, prompt="First"), ask(alice, prompt="Second")
    Task.objects.filter(pk=second.pk).update(due_at=timezone.now() + timedelta(hours=1))
    gateway.until(first, Task.Status.COMPLETED)
    assert (first.attempts.count(), lost()) == (2, LOSS)
    Task.objects.filter(pk=second.pk).update(due_at=timezone.now())
    let_time_pass()
    gateway.until(second, Task.Status.FAILED)
    assert second.error_code == "service_unavailable"
    assert lost() == LOSS and alerts() >= {"daily-loss"}
    assert money(alice.organization) == (973, 0) and findings() == []


def test_a_claim_that_was_lost_takes_nothing(alice: Person, losing: ProviderAccount) -> None:
    task = ask(alice)
    Task.objects.filter(pk=task.pk).update(lease_token=7)
    assert (
        lifecycle.begin_attempt(task, losing, plan=Plan(route="/x"), choice=[], cost_estimate=Decimal(1), loss=LOSS)
        is None
    )
    with pytest.raises(Conflict):
        sent(Task.objects.get(pk=task.pk), losing)
        lifecycle.cancel(task)
    assert lost() == LOSS


def test_a_days_loss_is_never_negative() -> None:
    with pytest.raises(IntegrityError):
        DayLoss.objects.create(day=timezone.now().date(), lost=Decimal(-1))


def test_losses_are_dollars_beyond_the_price() -> None:
    assert margin.loss(Decimal("0.425"), Decimal(27)) == Decimal("0.05")
    assert margin.loss(Decimal("0.375"), Decimal(27)) == margin.loss(Decimal(0), Decimal(27)) == 0
