"""What must hold at every provider when the worst happens between it and us, each over real HTTP.

One provider is the cheapest, and a dearer account elsewhere could take over: so that nothing is bought twice is seen.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import ids
from billing.models import Transfer
from generations import hints, jobs, leases, lifecycle, lookups, requests, routing
from generations.models import Attempt, OrphanSpend, ProviderAccount, Task
from generations.providers import ADAPTERS, adapter
from generations.providers.base import Accepted
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, alerts, ask, at_once, findings, money, seen
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

FOUND_BY_A_LOOK = ("kling", "replicate", "fal")
"""Where a create whose answer got lost is found without being told: by our reference, or in the provider's list."""
NEVER_SURE = ("fal", "kie")
"""Where nobody can say that nothing was created."""
NEVER = 3600.0
PRICE = 27


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """The provider under test, our account there, and the worker."""

    name: str
    face: RunningFace
    account: ProviderAccount
    worker: Steps

    def requests(self) -> int:
        """How many creates arrived, at all providers together."""
        return sum(count["requests"] for count in self.face.simulator.creates().values())

    def works(self) -> int:
        """How many pieces of work exist there."""
        return len(self.face.see("tasks")["tasks"])


def open_account(name: str, face: RunningFace, rate: str) -> ProviderAccount:
    account = ProviderAccount(name=name, alias=name, provider=face.name, base_url=face.url, simulator=True)
    account.costs = {TEXT_TO_VIDEO["model"]: {"720p_off": rate}}
    account.set_credentials(
        {
            "api_key": face.account.credentials["api_key"],
            "platform_url": face.url,
            "jwks_url": f"{face.url}/.well-known/jwks.json",
        }
    )
    account.save()
    return account


@pytest.fixture(params=sorted(ADAPTERS))
def upstream(request: pytest.FixtureRequest, gateway: Steps, simulator: RunningSimulator) -> Upstream:
    face = simulator.face(request.param)
    ProviderAccount.objects.all().delete()
    simulator.do("accounts", provider="kling", api_key="spare")
    spare = open_account("spare", simulator.face("kling"), "0.07")
    spare.set_credentials({"api_key": "spare"})
    spare.save(update_fields=["encrypted_credentials"])
    account = open_account("cheapest", face, "0.05")
    return Upstream(name=request.param, face=face, account=account, worker=gateway)


@pytest.fixture
def reachable(live_server: LiveServer, upstream: Upstream, settings: Settings) -> None:
    """Providers can call us; nothing else makes us look at a lost create."""
    settings.PUBLIC_URL = live_server.url
    settings.LOOKUP_DELAYS_SECONDS = [NEVER]
    settings.LOOKUP_ABSENT_GAP_SECONDS = NEVER


def only(upstream: Upstream, *names: str) -> None:
    if upstream.name not in names:
        pytest.skip(f"not at {upstream.name}")


def used(task: Task) -> list[tuple[str, str]]:
    """The accounts that were asked, each with how it ended."""
    return [(attempt.account.name, attempt.state) for attempt in task.attempts.order_by("number")]


def captures(person: Person) -> int:
    return Transfer.objects.filter(wallet=person.organization.pk, kind="capture").count()


def assert_bought_once(upstream: Upstream, person: Person, task: Task) -> None:
    assert used(task) == [("cheapest", Attempt.State.SUCCEEDED)]
    assert (upstream.requests(), upstream.works()) == (1, 1)
    assert money(person.organization) == (1000 - PRICE, 0)
    assert captures(person) == 1
    assert findings() == []


@pytest.mark.parametrize("fault", ["reset-after-body", "close-after-body", "bad-gateway-created", "garbage", "no-id"])
def test_a_reply_that_got_lost_is_found_by_looking(upstream: Upstream, alice: Person, fault: str) -> None:
    only(upstream, *FOUND_BY_A_LOOK)
    upstream.face.script(fault)
    task = upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    assert_bought_once(upstream, alice, task)


@pytest.mark.usefixtures("reachable")
def test_a_reply_that_got_lost_is_adopted_when_the_provider_calls(upstream: Upstream, alice: Person) -> None:
    upstream.face.script("reset-after-body")
    task = upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    assert_bought_once(upstream, alice, task)


@pytest.mark.parametrize(("fault", "works"), [("reset-before-body", 0), ("reset-after-body", 1)])
def test_where_nobody_can_tell_nothing_is_sent_again_and_the_deadline_refunds(
    upstream: Upstream, alice: Person, fault: str, works: int
) -> None:
    only(upstream, *NEVER_SURE)
    upstream.face.script(fault)
    task = ask(alice, prompt="A heron [sim:slow 3600]")
    for _ in range(10):
        upstream.worker.work()
    assert money(alice.organization) == (1000, PRICE)

    Task.objects.filter(pk=task.pk).update(deadline_at=timezone.now())
    jobs.sweep()

    answer = seen(alice, task)
    assert (answer["status"], answer["error"]["code"]) == ("failed", "generation_timeout")
    assert used(task) == [("cheapest", Attempt.State.LOST)]
    assert OrphanSpend.objects.get().attempt.task == task
    assert (upstream.requests(), upstream.works()) == (1, works)
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_where_the_provider_certainly_has_none_it_is_sent_again(upstream: Upstream, alice: Person) -> None:
    only(upstream, *sorted(set(ADAPTERS) - set(NEVER_SURE)))
    upstream.face.script("reset-before-body")
    task = upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    assert [state for _, state in used(task)] == [Attempt.State.FAILED, Attempt.State.SUCCEEDED]
    assert task.attempts.get(number=1).outcome == "not_created"
    assert len(upstream.face.simulator.see("tasks")["tasks"]) == 1
    assert money(alice.organization) == (1000 - PRICE, 0)


def test_an_empty_balance_sends_the_task_elsewhere_and_rests_the_account(upstream: Upstream, alice: Person) -> None:
    upstream.face.script("refuse empty")
    task = upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    assert used(task) == [("cheapest", Attempt.State.FAILED), ("spare", Attempt.State.SUCCEEDED)]
    assert money(alice.organization) == (1000 - PRICE, 0)
    assert captures(alice) == 1

    second = upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    assert used(second) == [("spare", Attempt.State.SUCCEEDED)]
    assert upstream.works() == (2 if upstream.name == "kling" else 0)


def test_refused_content_is_refunded_and_sent_nowhere_else(upstream: Upstream, alice: Person) -> None:
    task = upstream.worker.until(ask(alice, prompt="A heron [sim:fail content]"), Task.Status.FAILED)
    assert seen(alice, task)["error"]["code"] == "content_policy_violation"
    assert used(task) == [("cheapest", Attempt.State.FAILED)]
    assert upstream.requests() == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_provider_that_answers_no_poll_for_long_refunds_nothing(upstream: Upstream, alice: Person) -> None:
    task = ask(alice, prompt="A heron [sim:poll-5xx 12]")
    upstream.worker.sent(task)
    upstream.face.simulator.advance(1200)
    for _ in range(4):
        Attempt.objects.update(due_at=timezone.now())
        upstream.worker.poll()
        assert seen(alice, task)["status"] == "processing"
    assert money(alice.organization) == (1000, PRICE)
    upstream.worker.until(task, Task.Status.COMPLETED)
    assert_bought_once(upstream, alice, task)


@pytest.mark.usefixtures("reachable")
def test_callbacks_and_polls_at_once_charge_once(upstream: Upstream, alice: Person) -> None:
    task = ask(alice)
    attempt = upstream.worker.sent(task)
    wait_for(lambda: upstream.face.see("callbacks")["callbacks"] or upstream.works())

    def heard() -> None:
        hints.note(attempt, attempt.upstream_id)

    for _ in range(5):
        at_once([upstream.worker.poll, heard, upstream.worker.poll, heard, upstream.worker.due])
    upstream.worker.until(task, Task.Status.COMPLETED)
    assert_bought_once(upstream, alice, task)


def test_a_worker_killed_between_sending_and_writing_sends_nothing_twice(upstream: Upstream, alice: Person) -> None:
    task = ask(alice)
    attempt = sent_and_died(task, upstream)
    if upstream.name in FOUND_BY_A_LOOK:
        upstream.worker.until(task, Task.Status.COMPLETED)
        assert_bought_once(upstream, alice, task)
        return
    for _ in range(10):
        upstream.worker.work()
    assert used(task) == [("cheapest", Attempt.State.SUBMITTING)]
    hints.note(attempt, upstream.face.see("tasks")["tasks"][0]["id"])
    upstream.worker.until(task, Task.Status.COMPLETED)
    assert_bought_once(upstream, alice, task)


def sent_and_died(task: Task, upstream: Upstream) -> Attempt:
    """A worker commits its intent, the provider takes the work, and the answer is never written down."""
    claimed = leases.claim(Task.objects.filter(pk=task.pk), seconds=60)
    assert claimed is not None
    choice, attempt_id = routing.choose(claimed), ids.new()
    reference = ids.encode(Attempt.PREFIX, attempt_id)
    request = requests.order(claimed).request(
        upstream.account, reference=reference, callback_url=hints.address(reference)
    )
    api = adapter(upstream.name)
    assert choice.account == upstream.account
    attempt = lifecycle.begin_attempt(
        claimed, upstream.account, attempt_id=attempt_id, plan=api.plan(request), choice=[], cost_estimate=Decimal(0)
    )
    assert attempt is not None
    assert isinstance(api.submit(upstream.account.caller(), request), Accepted)
    past = timezone.now() - timedelta(seconds=1)
    Task.objects.filter(pk=task.pk).update(leased_until=past, due_at=past)
    return attempt


def test_work_that_fails_inside_the_provider_goes_elsewhere_once(upstream: Upstream, alice: Person) -> None:
    upstream.face.script("fail internal")
    task = upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    assert used(task) == [("cheapest", Attempt.State.FAILED), ("spare", Attempt.State.SUCCEEDED)]
    assert upstream.requests() == 2
    assert money(alice.organization) == (1000 - PRICE, 0)
    assert captures(alice) == 1
    assert findings() == []


def test_a_success_after_the_refund_is_written_down_and_not_charged(upstream: Upstream, alice: Person) -> None:
    task = ask(alice, prompt="A heron [sim:slow 600]")
    attempt = upstream.worker.sent(task)
    lifecycle.give_up(task)
    assert money(alice.organization) == (1000, 0)

    upstream.face.simulator.advance(700)
    OrphanSpend.objects.update(due_at=timezone.now())
    assert wait_for(lookups.look_at_orphans) == 1

    assert OrphanSpend.objects.get().attempt == attempt
    assert OrphanSpend.objects.get().due_at is None
    assert "late-success" in alerts()
    assert seen(alice, task)["status"] == "failed"
    assert (money(alice.organization), captures(alice)) == ((1000, 0), 0)
    assert findings() == []


def test_a_look_alike_that_is_another_tasks_proves_nothing(upstream: Upstream, alice: Person) -> None:
    """Two tasks ask for the very same. The first has ended there; the second runs, and nobody heard its answer."""
    upstream.worker.until(ask(alice), Task.Status.COMPLETED)
    upstream.face.simulator.do("settings", speed=1)
    upstream.face.script("reset-after-body")
    second = ask(alice)

    def looked_often() -> bool:
        upstream.worker.due()
        attempt = second.attempts.get()
        return attempt.looks >= 6 or attempt.state == Attempt.State.RUNNING

    wait_for(looked_often)
    is_found = upstream.name in ("kling", "replicate")
    assert used(second) == [("cheapest", Attempt.State.RUNNING if is_found else Attempt.State.SUBMITTING)]
    assert (upstream.requests(), upstream.works()) == (2, 2)
    assert money(alice.organization) == (1000 - PRICE, PRICE)
