"""Which provider account gets a task, and why the others do not."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from billing import ledger
from generations import lifecycle, requests, routing
from generations.models import Attempt, ProviderAccount, Task
from generations.providers.base import Plan
from tests.cast import Person, client_for, give_key
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, money
from tests.generations.simulator import RunningSimulator
from tests.generations.two_accounts import MODEL, Accounts, add_account, change, considered

pytestmark = pytest.mark.django_db


def test_the_cheapest_comes_first_and_the_choice_is_stored(alice: Person, gateway: Steps, accounts: Accounts) -> None:
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert attempt.account == accounts["cheap"]
    assert attempt.cost_estimate == Decimal("0.35")
    assert attempt.choice == [
        {"account": "cheap", "cost": "0.350", "reason": "can take it"},
        {"account": "dear", "cost": "0.370", "reason": "can take it"},
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"draining": True}, "draining"),
        ({"costs": {"another-model": {}}}, "does not offer it"),
        ({"costs": {MODEL: {"4k_on": "0.4"}}}, "does not offer it"),
        ({"costs": {}, "simulator": False}, "does not offer it"),
        ({"costs": {MODEL: {"720p_off": "0.0863"}}}, "would cost too much"),
    ],
)
def test_one_that_cannot_take_it_is_passed_over(
    alice: Person, accounts: Accounts, values: dict[str, Any], reason: str
) -> None:
    task = ask(alice)
    change(accounts["cheap"], **values)
    assert considered(task) == {"cheap": reason, "dear": "can take it"}


def test_the_margin_guard_allows_a_loss_of_15_percent_and_no_more(alice: Person, accounts: Accounts) -> None:
    """27 credits are 0.375 dollars; with 15 percent 0.43125, which is 0.08625 a second."""
    task = ask(alice)
    change(accounts["dear"], enabled=False)
    change(accounts["cheap"], costs={MODEL: {"720p_off": "0.08625"}})
    assert considered(task)["cheap"] == "can take it"
    change(accounts["cheap"], costs={MODEL: {"720p_off": "0.086251"}})
    assert considered(task)["cheap"] == "would cost too much"
    answer = alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")


def test_an_account_that_is_drained_finishes_what_runs(alice: Person, gateway: Steps, accounts: Accounts) -> None:
    task = ask(alice)
    gateway.due()
    change(accounts["cheap"], draining=True)
    other = ask(alice)
    gateway.due()
    assert task.attempts.get().state == Attempt.State.RUNNING
    assert other.attempts.get().account == accounts["dear"]


def test_a_full_account_is_passed_over_and_when_all_are_full_the_task_waits(
    alice: Person, gateway: Steps, accounts: Accounts
) -> None:
    change(accounts["cheap"], caps={MODEL: 1})
    change(accounts["dear"], caps={"*": 1})
    tasks = [ask(alice, prompt=f"[sim:slow 60] {number}") for number in range(3)]
    gateway.due()
    assert [task.attempts.values_list("account__name", flat=True).first() for task in tasks] == ["cheap", "dear", None]
    assert considered(tasks[2]) == {"cheap": "full", "dear": "full"}
    waiting = Task.objects.get(pk=tasks[2].pk)
    assert (waiting.status, waiting.claims) == ("pending", 0)
    assert waiting.due_at > timezone.now()
    assert ask(alice).status == "pending"


def test_an_unknown_outcome_keeps_its_slot(
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: Accounts
) -> None:
    change(accounts["cheap"], caps={"*": 1})
    simulator.script("reset-after-body")
    task = ask(alice)
    gateway.due()
    assert task.attempts.get().state == Attempt.State.SUBMITTING
    assert considered(ask(alice))["cheap"] == "full"


def test_the_last_slot_is_given_once(alice: Person, accounts: Accounts) -> None:
    change(accounts["cheap"], caps={"*": 1})
    first, second = ask(alice), ask(alice)
    chosen = routing.choose(first).account
    assert chosen == routing.choose(second).account == ProviderAccount.objects.get(name="cheap")
    intent = {"plan": Plan(route="/x"), "choice": [], "cost_estimate": Decimal(0)}
    assert lifecycle.begin_attempt(first, chosen, **intent) is not None
    with pytest.raises(routing.NoSlot):
        lifecycle.begin_attempt(second, chosen, **intent)
    assert second.attempts.count() == 0


def test_an_account_where_the_task_failed_is_not_asked_again(alice: Person, accounts: Accounts) -> None:
    task = ask(alice)
    attempt = Attempt.objects.create(task=task, account=accounts["cheap"], number=1, route="/x")
    for outcome, reason in (
        ("slow_down", "can take it"),
        ("not_created", "can take it, asked last: the task got lost there"),
        ("provider_refused", "the task failed here"),
        ("service_error", "the task failed here"),
    ):
        Attempt.objects.filter(pk=attempt.pk).update(state="failed", outcome=outcome)
        assert considered(task)["cheap"] == reason


def test_an_account_where_the_work_got_lost_comes_after_the_others(alice: Person, accounts: Accounts) -> None:
    task = ask(alice)
    lost = {"number": 1, "route": "/x", "state": "failed", "outcome": "not_created"}
    Attempt.objects.create(task=task, account=accounts["cheap"], **lost)
    last = "can take it, asked last: the task got lost there"
    assert list(considered(task).items()) == [("dear", "can take it"), ("cheap", last)]
    assert routing.choose(task).account == accounts["dear"]
    change(accounts["dear"], enabled=False)
    assert routing.choose(task).account == accounts["cheap"]


def test_equals_share_the_work_by_weight(alice: Person, accounts: Accounts, simulator: RunningSimulator) -> None:
    """The shares of 10,000 tasks stay within 4 standard deviations of what the weights say."""
    change(accounts["dear"], enabled=False)
    change(accounts["cheap"], weight=5)
    for name, weight in (("twin", 2), ("triplet", 1)):
        change(add_account(simulator, name, "0.070"), weight=weight)
    weights, draws = {"cheap": 5, "twin": 2, "triplet": 1}, 10_000
    rivals = list(ProviderAccount.objects.filter(name__in=weights))
    first = Counter(min(rivals, key=lambda one: routing._turn(one, f"task {n}")).name for n in range(draws))
    for name, weight in weights.items():
        share = weight / 8
        assert abs(first[name] - draws * share) < 4 * (draws * share * (1 - share)) ** 0.5
    chosen = Counter(routing.choose(task).account.name for task in [ask(alice, prompt=f"{n}") for n in range(32)])
    assert chosen["cheap"] > chosen["triplet"] and sum(chosen.values()) == 32


def test_the_choice_between_equals_stays_the_same_and_moves_only_with_its_account(
    alice: Person, accounts: Accounts, simulator: RunningSimulator
) -> None:
    twin = add_account(simulator, "twin", "0.070")
    tasks = [ask(alice, prompt=f"{n}") for n in range(12)]
    before = [routing.choose(task).account.name for task in tasks]
    assert before == [routing.choose(task).account.name for task in tasks]
    assert set(before) == {"cheap", "twin"}
    add_account(simulator, "triplet", "0.070")
    after = [routing.choose(task).account.name for task in tasks]
    assert all(new in (old, "triplet") for old, new in zip(before, after, strict=True))
    change(twin, enabled=False)
    assert all(routing.choose(task).account.name != "twin" for task in tasks)


def test_weight_never_beats_price(alice: Person, accounts: Accounts) -> None:
    change(accounts["dear"], weight=1000)
    assert {routing.choose(ask(alice, prompt=f"{n}")).account.name for n in range(6)} == {"cheap"}


def test_a_new_task_and_a_task_that_waits_need_one_statement_for_all_accounts(
    alice: Person, accounts: Accounts, django_assert_num_queries: Any
) -> None:
    task = ask(alice)
    wanted = routing.wish(task, requests.order(task))
    with django_assert_num_queries(1):
        routing.admit(wanted, routing.ask(wanted.model, wanted.organization_id, sandbox=wanted.sandbox))
    with django_assert_num_queries(1):
        routing.candidates(wanted)


@pytest.fixture
def sandbox(alice: Person, gateway: Steps) -> Organization:
    """The sandbox twin of alice's organization, with test credits."""
    made = Organization.objects.create(
        name="Acme sandbox", user_group=alice.organization.user_group, sandbox_of=alice.organization
    )
    ledger.open_wallet(made)
    ledger.grant(made, Decimal(100), kind="promo", reference="test credits", reason="test")
    return made


def test_a_sandbox_key_is_served_by_sandbox_accounts_only(alice: Person, gateway: Steps, sandbox: Organization) -> None:
    secret = give_key(sandbox)[1]
    assert secret.startswith("sk-test-")
    client = client_for(secret)
    assert client.post("/v1/videos/generations", TEXT_TO_VIDEO).status_code == 200
    gateway.due()
    assert Attempt.objects.get().account.name == "simulator-sandbox"
    assert (money(sandbox), money(alice.organization)) == ((100, 27), (1000, 0))
    ProviderAccount.objects.filter(serves="sandbox").update(enabled=False)
    assert client.post("/v1/videos/generations", TEXT_TO_VIDEO).status_code == 503


def test_a_live_key_is_never_served_by_a_sandbox_account(alice: Person, gateway: Steps) -> None:
    ProviderAccount.objects.filter(serves="live").delete()
    assert alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO).status_code == 503
    assert not Task.objects.exists()


def test_credentials_are_encrypted_and_never_printed(gateway: Steps) -> None:
    account = ProviderAccount.objects.get(serves="live")
    assert b"demo" not in bytes(account.encrypted_credentials)
    assert account.caller().credentials == {"api_key": "demo"}
    assert "demo" not in repr(account.caller())
