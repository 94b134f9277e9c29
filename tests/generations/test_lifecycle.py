"""From the request to the result: what a customer sees and pays, and what the operators keep."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Organization
from generations import jobs
from generations.models import Attempt, ProviderAccount, StoredFile, Task
from tests.cast import Person
from tests.generations.gateway import Steps, ask, everything_costs, findings, money, seen
from tests.generations.simulator import RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_finished_video_is_charged_and_playable(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert money(alice.organization) == (1000, 27)

    gateway.until(task, Task.Status.COMPLETED)

    answer = seen(alice, task)
    (result,) = answer["result_data"]
    assert answer["status"] == "completed"
    assert answer["progress"] == 100
    assert answer["results"] == [result["video_url"]]
    assert (result["width"], result["height"], result["has_audio"]) == (1280, 720, False)
    assert result["duration"] == pytest.approx(5, abs=0.1)
    assert answer["expires_at"] == pytest.approx(int(task.finished_at.timestamp()) + 24 * 3600, abs=5)
    assert answer["usage"] == {
        "credits_reserved": 27,
        "billing_rule": "per_second",
        "user_group": "default",
        "credits_used": 27,
    }
    assert answer["billing"] == {
        "charge_status": "charged",
        "refund_status": "not_required",
        "reserved_credits": 27,
        "charged_credits": 27,
        "refunded_credits": 0,
        "refunded_at": None,
    }
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_an_expired_result_leaves_the_task_and_its_dates(alice: Person, gateway: Steps) -> None:
    """The retention is a setting of the organization."""
    Organization.objects.update(result_retention_hours=2)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert seen(alice, task)["expires_at"] == pytest.approx(int(task.finished_at.timestamp()) + 2 * 3600, abs=5)
    past = timezone.now() - timedelta(minutes=1)
    StoredFile.objects.update(expires_at=past)
    Task.objects.update(expires_at=past)
    for _ in range(2):
        answer = seen(alice, task)
        assert (answer["status"], answer["results"], answer["result_data"]) == ("completed", [], [])
        assert answer["expires_at"] == int(past.timestamp())
        jobs.housekeeping()
    assert StoredFile.objects.get().deleted_at is not None
    assert findings() == []


def test_a_running_task_shows_its_progress_and_can_no_longer_be_cancelled(alice: Person, gateway: Steps) -> None:
    task = ask(alice, prompt="[sim:slow 60] A lighthouse")
    assert seen(alice, task)["task_info"] == {"estimated_time": 300, "can_cancel": True, "video_duration": 5}

    gateway.sent(task)

    answer = seen(alice, task)
    assert answer["status"] == "processing"
    assert 0 <= answer["progress"] <= 95
    assert answer["task_info"]["can_cancel"] is False
    assert "credits_used" not in answer["usage"]
    assert answer["billing"]["charge_status"] == "reserved"


def test_the_provider_and_its_cost_stay_on_the_attempt(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    attempt = task.attempts.get()
    (upstream,) = simulator.tasks_of(attempt.reference)
    assert (attempt.number, attempt.state, attempt.outcome) == (1, Attempt.State.SUCCEEDED, "succeeded")
    assert (attempt.upstream_id, attempt.route) == (upstream["id"], "/text-to-video/kling-3.0")
    assert (attempt.cost_amount, attempt.cost_unit) == (Decimal("3"), "unit")
    assert attempt.choice == [{"account": "simulator-live", "cost": "0", "reason": "can take it"}]
    assert "kling" not in str({**seen(alice, task), "model": ""}).lower()


@pytest.mark.parametrize(
    ("body", "credits", "size", "has_audio"),
    [
        ({"duration": 3, "aspect_ratio": "9:16", "quality": "1080p"}, "21.5946", (1080, 1920), False),
        ({"duration": 2, "sound": "on"}, "24.3", (1280, 720), True),
    ],
)
def test_what_was_asked_for_is_what_is_made_and_charged(
    alice: Person, gateway: Steps, body: dict[str, object], credits: str, size: tuple[int, int], has_audio: bool
) -> None:
    task = gateway.until(ask(alice, **body), Task.Status.COMPLETED)
    (result,) = seen(alice, task)["result_data"]
    assert (result["width"], result["height"], result["has_audio"]) == (*size, has_audio)
    assert task.charged_credits == Decimal(credits)
    assert task.measured_seconds == pytest.approx(Decimal(3), abs=Decimal("0.1"))
    assert money(alice.organization) == (1000 - Decimal(credits), 0)


def test_the_storyboard_of_the_customer_reaches_the_provider(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    shots = [{"index": 1, "prompt": "Dawn", "duration": "2"}, {"index": 2, "prompt": "Noon", "duration": 3}]
    params = {"multi_shot": True, "shot_type": "customize", "multi_prompt": shots}
    task = gateway.until(ask(alice, model_params=params), Task.Status.COMPLETED)
    assert task.attempts.get().route == "/v1/videos/text2video"
    (create,) = simulator.see("requests")["requests"]
    assert '"prompt": "Noon", "duration": "3"' in create["body"]
    assert task.charged_credits == 27


@pytest.mark.parametrize(
    ("reason", "code", "retryable"),
    [
        ("content", "content_policy_violation", False),
        ("image", "image_dimension_mismatch", False),
        ("download", "media_unreachable", True),
        ("face", "face_not_found", False),
        ("video", "video_probe_failed", False),
        ("timeout", "generation_timeout", True),
        ("internal", "service_error", True),
        ("Something nobody has ever read", "service_error", True),
    ],
)
def test_a_failed_task_gives_its_credits_back(
    alice: Person, gateway: Steps, reason: str, code: str, retryable: bool
) -> None:
    task = gateway.until(ask(alice, prompt=f"[sim:fail {reason}]"), Task.Status.FAILED)

    answer = seen(alice, task)
    assert (answer["error"]["code"], answer["error"]["retryable"]) == (code, retryable)
    assert answer["error"]["type"] == "task_error"
    assert task.attempts.get().upstream_message not in answer["error"]["message"]
    assert answer["usage"]["credits_used"] == 0
    assert answer["billing"] == {
        "charge_status": "released",
        "refund_status": "completed",
        "reserved_credits": 27,
        "charged_credits": 0,
        "refunded_credits": 27,
        "refunded_at": int(task.finished_at.timestamp()),
    }
    assert money(alice.organization) == (1000, 0)
    assert findings() == []
    assert not StoredFile.objects.exists()


def test_the_providers_own_failure_is_tried_once_more_elsewhere(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    task = ask(alice, prompt="[sim:fail internal]")
    gateway.until(task, Task.Status.FAILED)
    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["simulator-live", second_account]
    assert task.error_code == "service_error"
    assert money(alice.organization) == (1000, 0)


def test_a_refused_input_is_not_tried_elsewhere(alice: Person, gateway: Steps, second_account: str) -> None:
    task = gateway.until(ask(alice, prompt="[sim:fail content]"), Task.Status.FAILED)
    assert task.attempts.count() == 1


def test_a_failover_waits_for_an_account_that_is_full(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    other = ProviderAccount.objects.filter(name=second_account)
    simulator.script("fail internal", account="demo")
    task = ask(alice)
    gateway.sent(task)
    other.update(caps={"*": 0})
    simulator.advance(10)

    def failed() -> bool:
        gateway.poll()
        return task.attempts.filter(state="failed").exists()

    wait_for(failed)
    assert seen(alice, task)["status"] == "processing"
    gateway.due()
    other.update(caps={})
    Task.objects.update(due_at=timezone.now())
    gateway.until(task, Task.Status.COMPLETED)
    assert money(alice.organization) == (973, 0)


def test_work_that_failed_is_sent_once_more_and_no_oftener(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    third = ProviderAccount.objects.get(name=second_account)
    third.pk, third.name, third.costs = None, "third", everything_costs("0.0002")
    third.save()
    task = gateway.until(ask(alice, prompt="[sim:fail internal]"), Task.Status.FAILED)
    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["simulator-live", second_account]
    assert money(alice.organization) == (1000, 0)


def test_a_failover_that_works_charges_once(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    simulator.script("fail internal", account="demo")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    assert list(task.attempts.order_by("number").values_list("state", "account__name")) == [
        ("failed", "simulator-live"),
        ("succeeded", second_account),
    ]
    assert money(alice.organization) == (973, 0)
    assert findings() == []
