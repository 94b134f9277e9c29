"""A finished result is copied to our storage before anybody is told or charged."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from generations import fetching, leases
from generations.models import Attempt, StoredFile, Task
from tests.cast import Person
from tests.generations.gateway import Steps, alerts, ask, findings, money, seen
from tests.generations.simulator import RunningSimulator, wait_for
from tests.generations.wire import Canary

pytestmark = pytest.mark.django_db(transaction=True)


def ready(alice: Person, gateway: Steps, simulator: RunningSimulator, prompt: str = "A lighthouse") -> Attempt:
    """The provider has finished, and nothing was fetched yet."""
    task = ask(alice, prompt=prompt)
    gateway.sent(task)
    simulator.advance(10)

    def fetchable() -> Attempt | None:
        gateway.poll()
        return task.attempts.filter(state=Attempt.State.FETCHING).select_related("task").first()

    return wait_for(fetchable)


@pytest.mark.parametrize("status", [403, 404])
def test_a_stale_link_is_asked_for_again_and_the_task_does_not_fail(
    alice: Person, gateway: Steps, simulator: RunningSimulator, status: int
) -> None:
    attempt = ready(alice, gateway, simulator, f"[sim:result-{status} 1]")
    Attempt.objects.update(result_url=attempt.result_url + "?stale")
    gateway.due()
    stale = Attempt.objects.get()
    assert (stale.state, stale.fetch_tries, stale.result_url) == ("fetching", 1, attempt.result_url)
    assert seen(alice, attempt.task)["status"] == "processing"
    assert money(alice.organization) == (1000, 27)
    Attempt.objects.update(due_at=timezone.now())
    gateway.due()
    assert seen(alice, attempt.task)["status"] == "completed"
    assert money(alice.organization) == (973, 0)


def test_a_link_to_a_server_that_moved_is_asked_for_again(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    attempt = ready(alice, gateway, simulator)
    Attempt.objects.update(result_url="http://127.0.0.1:9/result.mp4")
    gateway.due()
    assert Attempt.objects.get().result_url == attempt.result_url
    Attempt.objects.update(due_at=timezone.now())
    gateway.due()
    assert seen(alice, attempt.task)["status"] == "completed"


def test_a_storage_that_fails_delays_the_result_only(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any, tmp_path: Path
) -> None:
    attempt = ready(alice, gateway, simulator)
    works = settings.STORAGES
    (tmp_path / "full").write_text("a file where the folder should be")
    broken = works["default"] | {"OPTIONS": {"location": tmp_path / "full" / "files"}}
    settings.STORAGES = works | {"default": broken}
    gateway.due()
    again = Attempt.objects.get()
    assert (again.state, again.fetch_tries, again.claims, again.leased_until) == ("fetching", 1, 0, None)
    assert timezone.now() < again.due_at
    settings.STORAGES = works
    Attempt.objects.update(due_at=timezone.now())
    gateway.due()
    assert seen(alice, attempt.task)["status"] == "completed"


def test_a_poll_never_downloads(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    attempt = ready(alice, gateway, simulator)
    assert not StoredFile.objects.exists()
    assert attempt.task.status == "processing"


def test_a_worker_that_died_after_it_kept_the_file_leaves_no_second_one(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    attempt = ready(alice, gateway, simulator)
    kept = fetching._bring(attempt.task, attempt)
    gateway.due()
    assert StoredFile.objects.get().pk == kept.pk
    assert seen(alice, attempt.task)["status"] == "completed"
    assert money(alice.organization) == (973, 0)


def test_a_worker_that_lost_its_claim_cannot_complete(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    attempt = ready(alice, gateway, simulator)
    ours = leases.claim(Attempt.objects.filter(pk=attempt.pk), seconds=60)
    assert ours is not None
    leases.release_leases(leases.worker_name())
    result = fetching._bring(attempt.task, attempt)
    assert fetching.lifecycle.complete(ours, result=result) is False
    assert money(alice.organization) == (1000, 27)
    gateway.due()
    assert seen(alice, attempt.task)["status"] == "completed"
    assert findings() == []


def test_rung_twice_is_done_once(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    attempt = ready(alice, gateway, simulator)
    fetching.fetch(str(attempt.pk))
    fetching.fetch(str(attempt.pk))
    assert StoredFile.objects.count() == 1
    assert money(alice.organization) == (973, 0)


def test_what_is_no_video_is_not_delivered(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    attempt = ready(alice, gateway, simulator)
    Attempt.objects.update(result_url=f"{simulator.url}/__sim/health")
    gateway.due()
    assert Attempt.objects.get().fetch_tries == 1
    assert not StoredFile.objects.exists()
    assert seen(alice, attempt.task)["status"] == "processing"


def test_a_result_that_kills_its_worker_is_set_aside(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any
) -> None:
    attempt = ready(alice, gateway, simulator)
    Attempt.objects.update(claims=settings.MAX_CLAIMS)
    gateway.due()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.due_at) == ("fetching", None)
    assert alerts() == {"poison-result"}
    assert money(alice.organization) == (1000, 27)


def test_a_foreign_address_as_result_is_not_fetched(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any
) -> None:
    """Only the simulator's own address may be internal."""
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    attempt = ready(alice, gateway, simulator)
    canary = Canary()
    Attempt.objects.update(result_url=f"http://127.0.0.1:{canary.port}/result.mp4")
    gateway.due()
    assert Attempt.objects.get().fetch_tries == 1
    assert canary.connections() == 0
    canary.close()
    Attempt.objects.update(result_url=attempt.result_url, due_at=timezone.now())
    gateway.until(attempt.task, Task.Status.COMPLETED)
