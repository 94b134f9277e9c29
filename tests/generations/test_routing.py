"""Which provider account gets a task, and why the others do not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from billing import ledger
from generations import lifecycle, provider_accounts, requests, routing
from generations.models import Attempt, ProviderAccount, Task
from generations.providers.base import Plan, ProviderRefused
from tests.cast import Person, client_for, give_key
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, alerts, ask, money
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db

MODEL = "kling-v3-text-to-video"
Change = Callable[..., None]


@pytest.fixture
def accounts(gateway: Steps, simulator: RunningSimulator) -> dict[str, ProviderAccount]:
    """A dear and a cheap account, in that order of making."""
    ProviderAccount.objects.filter(serves="live").delete()
    made = {}
    for name, rate in (("dear", "0.080"), ("cheap", "0.070")):
        account = ProviderAccount(name=name, alias=name, provider="kling", base_url=simulator.url, simulator=True)
        account.costs = {MODEL: {"720p_off": rate, "720p_on": "0.5"}}
        account.set_credentials({"api_key": "demo"})
        account.save()
        made[name] = account
    return made


def change(account: ProviderAccount, **values: Any) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(**values)


def considered(task: Task) -> dict[str, str]:
    """By account: its reason, in the order of preference; the one that was chosen says `can take it`."""
    return {row["account"]: row["reason"] for row in routing.choose(task).considered}


def test_the_cheapest_comes_first_and_the_choice_is_stored(
    alice: Person, gateway: Steps, accounts: dict[str, ProviderAccount]
) -> None:
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert attempt.account == accounts["cheap"]
    assert attempt.cost_estimate == Decimal("0.35")
    assert attempt.choice == [
        {"account": "cheap", "cost": "0.350", "reason": "can take it"},
        {"account": "dear", "cost": "0.400", "reason": "can take it"},
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"enabled": False}, "switched off"),
        ({"draining": True}, "draining"),
        ({"costs": {"another-model": {}}}, "does not offer it"),
        ({"costs": {MODEL: {"4k_on": "0.4"}}}, "does not offer it"),
        ({"costs": {}, "simulator": False}, "does not offer it"),
        ({"costs": {MODEL: {"720p_off": "0.0863"}}}, "would cost too much"),
    ],
)
def test_one_that_cannot_take_it_is_passed_over(
    alice: Person, accounts: dict[str, ProviderAccount], values: dict[str, Any], reason: str
) -> None:
    task = ask(alice)
    change(accounts["cheap"], **values)
    assert considered(task) == {"cheap": reason, "dear": "can take it"}


def test_the_margin_guard_allows_a_loss_of_15_percent_and_no_more(
    alice: Person, accounts: dict[str, ProviderAccount]
) -> None:
    """27 credits are 0.375 dollars; with 15 percent 0.43125, which is 0.08625 a second."""
    task = ask(alice)
    change(accounts["dear"], enabled=False)
    change(accounts["cheap"], costs={MODEL: {"720p_off": "0.08625"}})
    assert considered(task)["cheap"] == "can take it"
    change(accounts["cheap"], costs={MODEL: {"720p_off": "0.086251"}})
    assert considered(task)["cheap"] == "would cost too much"
    answer = alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")


def test_an_account_that_is_drained_finishes_what_runs(
    alice: Person, gateway: Steps, accounts: dict[str, ProviderAccount]
) -> None:
    task = ask(alice)
    gateway.due()
    change(accounts["cheap"], draining=True)
    other = ask(alice)
    gateway.due()
    assert task.attempts.get().state == Attempt.State.RUNNING
    assert other.attempts.get().account == accounts["dear"]


def test_a_full_account_is_passed_over_and_when_all_are_full_the_task_waits(
    alice: Person, gateway: Steps, accounts: dict[str, ProviderAccount]
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
    alice: Person, gateway: Steps, simulator: RunningSimulator, accounts: dict[str, ProviderAccount]
) -> None:
    change(accounts["cheap"], caps={"*": 1})
    simulator.script("reset-after-body")
    task = ask(alice)
    gateway.due()
    assert task.attempts.get().state == Attempt.State.SUBMITTING
    assert considered(ask(alice))["cheap"] == "full"


def test_the_last_slot_is_given_once(alice: Person, accounts: dict[str, ProviderAccount]) -> None:
    change(accounts["cheap"], caps={"*": 1})
    first, second = ask(alice), ask(alice)
    chosen = routing.choose(first).account
    assert chosen == routing.choose(second).account == ProviderAccount.objects.get(name="cheap")
    intent = {"plan": Plan(route="/x"), "choice": [], "cost_estimate": Decimal(0)}
    assert lifecycle.begin_attempt(first, chosen, **intent) is not None
    with pytest.raises(routing.NoSlot):
        lifecycle.begin_attempt(second, chosen, **intent)
    assert second.attempts.count() == 0


def test_an_account_where_the_task_failed_is_not_asked_again(
    alice: Person, accounts: dict[str, ProviderAccount]
) -> None:
    task = ask(alice)
    attempt = Attempt.objects.create(task=task, account=accounts["cheap"], number=1, route="/x")
    for outcome, reason in (
        ("slow_down", "can take it"),
        ("not_created", "can take it"),
        ("provider_refused", "the task failed here"),
        ("service_error", "the task failed here"),
    ):
        Attempt.objects.filter(pk=attempt.pk).update(state="failed", outcome=outcome)
        assert considered(task)["cheap"] == reason


@pytest.mark.parametrize(
    ("scope", "seconds", "other_model", "waits"),
    [("account", 60, "left alone: empty", False), ("model", 60, "", False), ("soft", 2, "", True)],
)
def test_an_unwell_account_is_left_alone_for_a_while(
    alice: Person, accounts: dict[str, ProviderAccount], scope: Any, seconds: int, other_model: str, waits: bool
) -> None:
    """A task that is there waits for it, a new one only for a moment."""
    before = timezone.now()
    until = provider_accounts.pause(accounts["cheap"], MODEL, ProviderRefused("empty", scope=scope))
    assert timedelta(0) <= until - before - timedelta(seconds=seconds) < timedelta(seconds=1)
    task = ask(alice)
    wish = routing.wish(task, requests.order(task))
    for at_post, worth_waiting in ((True, waits), (False, True)):
        found = {one.account.name: one for one in routing.candidates(wish, at_post=at_post)}
        assert (found["cheap"].reason, found["cheap"].waits) == ("left alone: empty", worth_waiting)
    assert alerts() == (set() if waits else {"provider-refused"})
    stored = ProviderAccount.objects.get(name="cheap").pauses
    assert list(stored) == (["*"] if scope == "account" else [MODEL])
    for pause in stored.values():
        pause["until"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    change(accounts["cheap"], pauses=stored)
    assert not next(one for one in routing.candidates(wish) if one.account.name == "cheap").reason


@pytest.mark.parametrize(("asked", "seconds"), [(7, 7), (300, 300), (999999, 300)])
def test_a_provider_cannot_make_itself_left_alone_for_long(
    accounts: dict[str, ProviderAccount], asked: int, seconds: int
) -> None:
    before = timezone.now()
    refusal = ProviderRefused("busy", scope="account", retry_after_seconds=asked)
    until = provider_accounts.pause(accounts["cheap"], MODEL, refusal)
    assert timedelta(0) <= until - before - timedelta(seconds=seconds) < timedelta(seconds=1)


def test_two_pauses_stand_beside_each_other(accounts: dict[str, ProviderAccount]) -> None:
    stale = ProviderAccount.objects.get(name="cheap")
    provider_accounts.pause(accounts["cheap"], "one", ProviderRefused("x", scope="model"))
    provider_accounts.pause(stale, "two", ProviderRefused("x", scope="model"))
    assert sorted(ProviderAccount.objects.get(name="cheap").pauses) == ["one", "two"]


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


def test_a_sandbox_account_is_never_paused(gateway: Steps) -> None:
    account = ProviderAccount.objects.get(serves="sandbox")
    provider_accounts.pause(account, MODEL, ProviderRefused("scripted", scope="account"))
    account.refresh_from_db()
    assert (account.pauses, alerts()) == ({}, set())


def test_credentials_are_encrypted_and_never_printed(gateway: Steps) -> None:
    account = ProviderAccount.objects.get(serves="live")
    assert b"demo" not in bytes(account.encrypted_credentials)
    assert account.caller().credentials == {"api_key": "demo"}
    assert "demo" not in repr(account.caller())
