"""kie.ai from the request to the charge: its models, and how a create is settled where nobody can be asked about it.

The product runs as a live server, so that callbacks reach it and the simulator fetches the files it is given.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing.models import Transfer
from generations import hints, jobs, provider_accounts, routing
from generations.models import Attempt, Element, OrphanSpend, ProviderAccount, Task
from generations.providers.kie import callbacks
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, alerts, ask, ask_element, at_once, findings, money, seen, upload
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

CAT, FACE = PHOTOS / "chelsea.png", PHOTOS / "astronaut.png"
HUSH = "kie-hmac-key"


def account_at(kie: RunningFace, name: str, api_key: str, **credentials: str) -> ProviderAccount:
    """An account of ours at the simulated kie.ai."""
    account = ProviderAccount(
        name=name, alias=name, provider="kie", base_url=kie.url, simulator=True, serves=ProviderAccount.Serves.LIVE
    )
    account.set_credentials({"api_key": api_key} | credentials)
    account.save()
    return account


@pytest.fixture
def kie(gateway: Steps, simulator: RunningSimulator, live_server: LiveServer, settings: Settings) -> RunningFace:
    """kie.ai, the only provider of live keys; its callbacks are signed."""
    settings.PUBLIC_URL = live_server.url
    face = simulator.face("kie")
    simulator.do("settings", media="strict")
    face.change_account(webhook_secret=HUSH)
    account_at(face, "kie", "demo", webhook_secret=HUSH)
    provider_accounts.disable(ProviderAccount.objects.get(name="simulator-live"))
    return face


@pytest.fixture
def second(kie: RunningFace) -> str:
    """Another account there, asked after the first; its name."""
    kie.simulator.do("accounts", provider="kie", api_key="second")
    return account_at(kie, "second", "second").name


def bought(kie: RunningFace) -> int:
    """How many tasks exist there."""
    return len(kie.see("tasks")["tasks"])


def sent(kie: RunningFace) -> list[dict[str, Any]]:
    """The bodies of all creates, oldest first."""
    return [json.loads(row["body"]) for row in kie.see("requests")["requests"]]


def told(kie: RunningFace, count: int = 1) -> list[str]:
    """What our server answered to the callbacks, once there are so many."""

    def outcomes() -> list[str] | None:
        found = [row["outcome"] for row in kie.see("callbacks")["callbacks"]]
        return found if len(found) >= count else None

    found: list[str] = wait_for(outcomes)
    return found


def captures(task: Task) -> int:
    return Transfer.objects.filter(reservation=task.pk, kind="capture").count()


STORYBOARD = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [
        {"index": 1, "prompt": "Dawn", "duration": 3},
        {"index": 2, "prompt": "Noon", "duration": 2},
    ],
}
MOTION = {"character_orientation": "video"}
CASES: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "kling-3.0/video", "27", "0.35"),
    ({"quality": "4k", "sound": "on", "negative_prompt": "Rain", "duration": 3}, "kling-3.0/video", "81", "1.005"),
    ({"model_params": STORYBOARD, "sound": "on"}, "kling-3.0/video", "40.5", "0.5"),
    (
        {"model": "kling-v3-image-to-video", "image_start": CAT, "image_end": CAT, "quality": "1080p"},
        "kling-3.0/video",
        "35.991",
        "0.45",
    ),
    ({"model": "kling-v3-turbo-text-to-video"}, "kling/v3-turbo-text-to-video", "36", "0.45"),
    (
        {"model": "kling-v3-turbo-image-to-video", "image_start": CAT, "duration": 3},
        "kling/v3-turbo-image-to-video",
        "21.6",
        "0.27",
    ),
    (
        {"model": "kling-v3-motion-control", "image_urls": [CAT], "video_urls": ["clip"], "model_params": MOTION},
        "kling-3.0/motion-control",
        "24.4944",
        "0.18",
    ),
]


def uploaded(alice: Person, body: dict[str, Any], clip: Path) -> dict[str, Any]:
    """The body with uploads of hers in the place of files."""

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(entry) for entry in value]
        return upload(alice.organization, clip if value == "clip" else value) if value in (CAT, "clip") else value

    return {name: filled(value) for name, value in body.items()}


@pytest.mark.parametrize(("body", "route", "credits", "dollars"), CASES)
def test_a_model_is_made_charged_once_and_costs_what_kie_booked(
    alice: Person,
    gateway: Steps,
    kie: RunningFace,
    tmp_path: Path,
    body: dict[str, Any],
    route: str,
    credits: str,
    dollars: str,
) -> None:
    asked = uploaded(alice, body, film(tmp_path / "a.mp4", seconds=3))
    task = gateway.until(ask(alice, **asked), Task.Status.COMPLETED)

    attempt = task.attempts.get()
    assert (attempt.account.name, attempt.route, attempt.state) == ("kie", route, Attempt.State.SUCCEEDED)
    assert (attempt.cost_amount, attempt.cost_unit) == (Decimal(dollars), "USD")
    assert task.charged_credits == Decimal(credits)
    assert len(seen(alice, task)["results"]) == 1
    assert (bought(kie), captures(task)) == (1, 1)
    assert money(alice.organization) == (1000 - Decimal(credits), 0)
    assert findings() == []
    assert alerts() == set()


def test_an_element_that_lives_at_kling_is_sent_inline_from_its_files(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    kling = ProviderAccount.objects.get(name="simulator-live")
    provider_accounts.enable(kling)
    made = gateway.until(ask_element(alice, frontal=upload(alice.organization, FACE)), Task.Status.COMPLETED)
    element = Element.objects.get(task=made)
    assert [copy.account for copy in element.copies.all()] == [kling]
    provider_accounts.disable(kling)

    body = {
        "model": "kling-v3-image-to-video",
        "image_start": upload(alice.organization, CAT),
        "prompt": "<<<element_1>>>smiles",
        "model_params": {"element_list": [{"element_id": str(element.pk)}]},
    }
    task = gateway.until(ask(alice, **body), Task.Status.COMPLETED)

    (create,) = sent(kie)
    (inline,) = create["input"]["kling_elements"]
    frontal, again = inline.pop("element_input_urls")
    assert inline == {"name": "element_1", "description": "A woman in an orange suit"}
    assert frontal == again
    assert frontal.endswith(".png")
    assert create["input"]["prompt"] == "@element_1 smiles"
    assert task.attempts.get().account.name == "kie"
    assert money(alice.organization) == (1000 - 1 - 27, 0)
    assert findings() == []


def test_elements_themselves_are_not_made_there(alice: Person, kie: RunningFace) -> None:
    params = {
        "element_name": "Mia",
        "element_description": "A woman",
        "reference_type": "image_refer",
        "element_image_list": {"frontal_image": upload(alice.organization, FACE)},
    }
    answer = alice.client.post("/v1/videos/generations", {"model": "kling-custom-element", "model_params": params})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert money(alice.organization) == (1000, 0)


# --- a create whose answer got lost


@pytest.mark.parametrize("fault", ["reset-after-body", "bad-gateway-created", "internal-created", "garbage", "no-id"])
def test_lost_work_is_adopted_when_its_callback_names_it_and_the_provider_says_so_too(
    alice: Person, gateway: Steps, kie: RunningFace, second: str, fault: str
) -> None:
    kie.script(fault)
    kie.script("poll-5xx", times=2)
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.hint_id) == (Attempt.State.SUBMITTING, "")
    assert attempt.unknown_since is not None

    assert told(kie) == ["204"]
    gateway.due()
    attempt.refresh_from_db()
    (upstream,) = kie.see("tasks")["tasks"]
    assert (attempt.state, attempt.hint_id, attempt.upstream_id) == ("submitting", upstream["id"], "")

    gateway.until(task, Task.Status.COMPLETED)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.upstream_id) == (Attempt.State.SUCCEEDED, upstream["id"])
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_lost_work_of_which_nothing_is_heard_is_refunded_at_the_deadline_and_never_sent_again(
    alice: Person, gateway: Steps, kie: RunningFace, second: str
) -> None:
    kie.script("reset-after-body")
    task = ask(alice, prompt="[sim:callback-lost]")
    for _ in range(8):
        gateway.work()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.absent_looks) == (Attempt.State.SUBMITTING, 0)
    assert money(alice.organization) == (1000, 27)

    Task.objects.update(deadline_at=timezone.now())
    jobs.sweep()
    jobs.sweep()
    gateway.work()
    task.refresh_from_db()
    assert (task.status, task.error_code, task.error_retryable) == ("failed", "generation_timeout", True)
    assert task.attempts.get().state == Attempt.State.LOST
    assert OrphanSpend.objects.get().attempt == attempt
    assert (len(sent(kie)), bought(kie)) == (1, 1)
    assert alerts() == {"orphan-spend"}
    assert Transfer.objects.filter(reservation=task.pk, kind="release").count() == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_callback_after_the_refund_says_what_it_cost_and_charges_nothing(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    kie.script("reset-after-body")
    task = ask(alice, prompt="[sim:slow 3600]")
    gateway.due()
    Task.objects.update(deadline_at=timezone.now())
    jobs.sweep()
    kie.simulator.advance(7200)
    assert told(kie) == ["204"]

    jobs.housekeeping()
    orphan = OrphanSpend.objects.get()
    assert (orphan.found_state, orphan.cost_amount, orphan.cost_unit) == ("success", Decimal("0.35"), "USD")
    assert "late-success" in alerts()
    task.refresh_from_db()
    assert task.status == "failed"
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


# --- callbacks


def test_a_callback_that_is_faster_than_the_creates_answer_changes_nothing(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    task = ask(alice, prompt="[sim:callback-early]")
    attempt = gateway.sent(task)
    assert told(kie) == ["204"]
    assert attempt.hint_id == attempt.upstream_id != ""

    gateway.until(task, Task.Status.COMPLETED)
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_a_callback_whose_signature_is_wrong_is_refused_and_nothing_happens(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    kie.script("reset-after-body")
    task = ask(alice, prompt="[sim:callback-bad-signature]")
    gateway.due()
    before = Task.objects.values().get(pk=task.pk)

    assert told(kie, 3) == ["401", "401", "401"]
    attempt = task.attempts.get()
    assert (attempt.state, attempt.hint_id, attempt.upstream_id) == (Attempt.State.SUBMITTING, "", "")
    assert Task.objects.values().get(pk=task.pk) == before
    assert money(alice.organization) == (1000, 27)


def test_a_strangers_callback_is_refused_and_nothing_happens(alice: Person, gateway: Steps, kie: RunningFace) -> None:
    task = ask(alice, prompt="[sim:slow 600]")
    attempt = gateway.sent(task)
    before = Attempt.objects.values().get(pk=attempt.pk)
    body = {"data": {"taskId": attempt.upstream_id, "state": "fail", "failCode": "400"}}

    address = hints.address(attempt.reference)
    headers = {"X-Webhook-Timestamp": str(int(timezone.now().timestamp())), "X-Webhook-Signature": "Zm9yZ2Vk"}
    assert httpx.post(address, json=body, headers=headers, trust_env=False).status_code == 401
    assert httpx.post(address, json=body, trust_env=False).status_code == 401
    assert httpx.post(address[:-1] + "x", json=body, trust_env=False).status_code == 404
    assert Attempt.objects.values().get(pk=attempt.pk) == before
    assert seen(alice, task)["status"] == "processing"


def test_callbacks_and_polls_at_once_make_one_capture(alice: Person, gateway: Steps, kie: RunningFace) -> None:
    task = ask(alice, prompt="[sim:callback-lost]")
    attempt = gateway.sent(task)
    kie.simulator.do("finish", external_id=attempt.reference)
    Attempt.objects.update(due_at=timezone.now())

    at_once([gateway.poll, lambda: ring(attempt), gateway.poll, lambda: ring(attempt)])
    at_once([gateway.work, lambda: ring(attempt), gateway.work])
    gateway.until(task, Task.Status.COMPLETED)
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def ring(attempt: Attempt) -> None:
    """A callback about it, signed as it should be."""
    stamp = str(int(timezone.now().timestamp()))
    signed = callbacks.signature(HUSH, attempt.upstream_id, stamp)
    headers = {"X-Webhook-Timestamp": stamp, "X-Webhook-Signature": signed}
    body = {"code": 200, "data": {"taskId": attempt.upstream_id, "state": "success"}}
    answer = httpx.post(hints.address(attempt.reference), json=body, headers=headers, trust_env=False)
    assert answer.status_code == 204


# --- refusals and failures


def test_a_rate_limit_makes_the_task_wait_and_is_no_failure(alice: Person, gateway: Steps, kie: RunningFace) -> None:
    kie.change_account(slots=0)
    task = ask(alice)
    gateway.due()
    assert task.attempts.get().outcome == routing.SOFT_OUTCOME
    assert ProviderAccount.objects.get(name="kie").pauses[task.model]["soft"] is True
    assert seen(alice, task)["status"] == "pending"

    kie.change_account(slots=1)
    ProviderAccount.objects.update(pauses={})
    Task.objects.update(due_at=timezone.now())
    gateway.until(task, Task.Status.COMPLETED)
    assert [attempt.state for attempt in task.attempts.order_by("number")] == ["failed", "succeeded"]
    assert (bought(kie), captures(task)) == (1, 1)
    assert alerts() == set()
    assert money(alice.organization) == (973, 0)


def test_an_account_without_credits_is_passed_over(
    alice: Person, gateway: Steps, kie: RunningFace, second: str
) -> None:
    kie.change_account(units=69)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["kie", second]
    assert ProviderAccount.objects.get(name="kie").pauses["*"]["reason"] == "The account has no credits left."
    assert alerts() == {"provider-refused"}
    assert (bought(kie), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)


def test_content_refused_at_the_create_fails_the_task_at_once(
    alice: Person, gateway: Steps, kie: RunningFace, second: str
) -> None:
    kie.script("refuse 400")
    task = gateway.until(ask(alice), Task.Status.FAILED)

    assert (task.error_code, task.error_retryable) == ("content_policy_violation", False)
    assert (len(sent(kie)), bought(kie)) == (1, 0)
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_content_refused_at_the_end_fails_the_task_without_another_try(
    alice: Person, gateway: Steps, kie: RunningFace, second: str
) -> None:
    task = gateway.until(ask(alice, prompt="[sim:fail content]"), Task.Status.FAILED)

    assert (task.error_code, task.error_retryable) == ("content_policy_violation", False)
    assert task.attempts.get().upstream_message.startswith("422: ")
    assert "flagged" not in str(seen(alice, task)["error"])
    assert len(sent(kie)) == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_generation_that_fails_inside_is_sent_once_more_elsewhere(
    alice: Person, gateway: Steps, kie: RunningFace, second: str
) -> None:
    kie.script("fail internal")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["kie", second]
    first = task.attempts.get(number=1)
    assert (first.outcome, first.cost_amount) == ("service_error", Decimal(0))
    assert (len(sent(kie)), captures(task)) == (2, 1)
    assert money(alice.organization) == (973, 0)
    assert findings() == []


@pytest.mark.parametrize("fault", ["poll-5xx", "poll-garbage", "absent", "wrong-ids"])
def test_a_poll_outage_decides_nothing(alice: Person, gateway: Steps, kie: RunningFace, fault: str) -> None:
    task = ask(alice, prompt="[sim:callback-lost]")
    attempt = gateway.sent(task)
    kie.script(fault, times=5)
    for _ in range(5):
        Attempt.objects.update(due_at=timezone.now())
        gateway.poll()
    attempt.refresh_from_db()
    assert attempt.state == Attempt.State.RUNNING
    assert money(alice.organization) == (1000, 27)

    gateway.until(task, Task.Status.COMPLETED)
    assert (len(sent(kie)), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)


def test_an_unknown_status_word_is_still_running_and_told_to_the_operators(
    alice: Person, gateway: Steps, kie: RunningFace
) -> None:
    kie.simulator.do("settings", speed=60)
    task = ask(alice, prompt="[sim:unknown-status reviewing]")
    gateway.until(task, Task.Status.COMPLETED, seconds=60)
    assert alerts() == {"unknown-status-word"}
    assert money(alice.organization) == (973, 0)
