"""Replicate from the request to the result, over real HTTP: made and charged once, whatever gets lost on the way."""

import json
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import IntegrityError
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generations import dispatch, lookups, provider_accounts
from generations.models import Attempt, Breaker, ProviderAccount, Task
from generations.providers.base import OutcomeUnknown
from generations.providers.replicate import listing
from generations.sandbox.store import API_KEY
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, alerts, ask, at_once, findings, money, seen, upload
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = 3600.0
CAT = PHOTOS / "chelsea.png"
VIDEO, OMNI, MOTION = (f"kwaivgi/kling-v3-{name}" for name in ("video", "omni-video", "motion-control"))
STORYBOARD = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [{"index": 1, "prompt": "Dawn", "duration": 2}, {"index": 2, "prompt": "Day", "duration": 1}],
}
ORIENTED = {"character_orientation": "image", "keep_sound": False}
CASES: list[tuple[dict[str, Any], tuple[str, ...], str, str]] = [
    ({"model": "kling-v3-text-to-video"}, (), VIDEO, "27"),
    ({"model": "kling-v3-text-to-video", "quality": "4k", "duration": 3, "sound": "on"}, (), VIDEO, "81"),
    ({"model": "kling-v3-text-to-video", "duration": 3, "model_params": STORYBOARD}, (), VIDEO, "16.2"),
    (
        {"model": "kling-v3-image-to-video", "quality": "1080p", "negative_prompt": "rain"},
        ("image_start", "image_end"),
        VIDEO,
        "35.991",
    ),
    ({"model": "kling-v3-motion-control", "model_params": ORIENTED}, ("image_urls", "video_urls"), MOTION, "32.6592"),
    ({"model": "kling-o3-text-to-video", "sound": "on", "duration": 3}, (), OMNI, "21.6108"),
    ({"model": "kling-o3-image-to-video", "prompt": "It wakes"}, ("image_start",), OMNI, "27"),
    (
        {"model": "kling-o3-reference-to-video", "prompt": "<<<image_1>>> and <<<image_2>>>"},
        ("image_urls", "image_urls"),
        OMNI,
        "40.5",
    ),
]


def add_account(face: RunningFace, name: str = "replicate", api_key: str = API_KEY) -> ProviderAccount:
    account = ProviderAccount(
        name=name, alias=name, provider="replicate", base_url=face.url, simulator=True, serves="live"
    )
    account.set_credentials({"api_key": api_key})
    account.save()
    return account


@pytest.fixture
def replicate(gateway: Steps, simulator: RunningSimulator) -> RunningFace:
    """Replicate alone serves alice's keys, and signs with a secret that we know."""
    face = simulator.face("replicate")
    provider_accounts.disable(ProviderAccount.objects.get(name="simulator-live"))
    add_account(face)
    provider_accounts.fetch_callback_keys()
    return face


@pytest.fixture
def only_webhooks(replicate: RunningFace, live_server: LiveServer, settings: Settings) -> RunningFace:
    """It reaches us, and nothing else makes us look before an hour is over."""
    settings.PUBLIC_URL = live_server.url
    settings.LOOKUP_DELAYS_SECONDS = [NEVER]
    settings.LOOKUP_ABSENT_GAP_SECONDS = NEVER
    return replicate


def creates(face: RunningFace) -> list[dict[str, Any]]:
    """The log of what arrived there."""
    found: list[dict[str, Any]] = face.see("requests")["requests"]
    return found


def bought(face: RunningFace) -> list[dict[str, Any]]:
    """What exists there."""
    found: list[dict[str, Any]] = face.see("tasks")["tasks"]
    return found


def with_media(alice: Person, body: dict[str, Any], names: tuple[str, ...], clip: Path) -> dict[str, Any]:
    """The body with uploads of hers in these fields."""
    filled = dict(body)
    for name in names:
        url = upload(alice.organization, clip if name == "video_urls" else CAT)
        filled[name] = [*filled.get(name, []), url] if name.endswith("urls") else url
    return filled


@pytest.mark.parametrize(("body", "media", "model", "credits"), CASES)
def test_each_model_that_it_makes_is_made_and_charged_once(
    alice: Person,
    gateway: Steps,
    replicate: RunningFace,
    live_server: LiveServer,
    settings: Settings,
    tmp_path: Path,
    body: dict[str, Any],
    media: tuple[str, ...],
    model: str,
    credits: str,
) -> None:
    settings.PUBLIC_URL = live_server.url  # the files go in and the webhook comes back over real HTTP
    clip = film(tmp_path / "a.mp4", seconds=4)
    task = gateway.until(ask(alice, **with_media(alice, body, media, clip)), Task.Status.COMPLETED)

    attempt = task.attempts.get()
    assert (attempt.account.name, attempt.route) == ("replicate", f"/models/{model}/predictions")
    assert (attempt.cost_amount, attempt.state_word) == (None, "succeeded")
    assert task.charged_credits == Decimal(credits)
    (result,) = seen(alice, task)["result_data"]
    assert result["duration"] == pytest.approx(task.video_duration, abs=0.1)
    assert len(creates(replicate)) == len(bought(replicate)) == 1
    assert money(alice.organization) == (1000 - Decimal(credits), 0)
    assert findings() == []


LOST = ["reset-after-body", "close-after-body", "half-answer", "bad-gateway-created", "internal-created", "garbage"]


@pytest.mark.parametrize("fault", [*LOST, "no-id"])
def test_work_whose_acceptance_got_lost_is_found_in_the_list_and_finished(
    alice: Person, gateway: Steps, replicate: RunningFace, fault: str
) -> None:
    replicate.script(fault)
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert (attempt.state, attempt.upstream_id) == (Attempt.State.SUBMITTING, "")
    assert money(alice.organization) == (1000, 27)

    gateway.until(task, Task.Status.COMPLETED)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.hint_id) == (Attempt.State.SUCCEEDED, "")
    assert [row["id"] for row in bought(replicate)] == [attempt.upstream_id]
    assert len(creates(replicate)) == 1
    assert money(alice.organization) == (973, 0)
    assert findings() == []


@pytest.mark.parametrize("fault", ["reset-after-body", "garbage", "no-id"])
def test_work_whose_acceptance_got_lost_is_adopted_when_its_webhook_comes(
    alice: Person, gateway: Steps, only_webhooks: RunningFace, fault: str
) -> None:
    only_webhooks.script(fault)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    attempt = task.attempts.get()
    assert attempt.hint_id == attempt.upstream_id == bought(only_webhooks)[0]["id"]
    assert len(creates(only_webhooks)) == 1
    assert [row["outcome"] for row in only_webhooks.see("callbacks")["callbacks"]] == ["204"]
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_a_webhook_with_a_wrong_signature_is_refused_and_nothing_happens(
    alice: Person, gateway: Steps, only_webhooks: RunningFace
) -> None:
    only_webhooks.script("reset-after-body")
    task = ask(alice, prompt="A heron [sim:callback-bad-signature]")
    gateway.due()

    log = wait_for(lambda: only_webhooks.see("callbacks")["callbacks"])
    gateway.work()
    attempt = task.attempts.get()
    assert log[0]["outcome"] == "401"
    assert (attempt.state, attempt.hint_id, attempt.upstream_id) == (Attempt.State.SUBMITTING, "", "")
    assert money(alice.organization) == (1000, 27)


@pytest.mark.parametrize("fault", ["reset-before-body", "bad-gateway"])
def test_work_that_was_certainly_never_created_is_sent_again_once(
    alice: Person, gateway: Steps, replicate: RunningFace, fault: str
) -> None:
    replicate.script(fault)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    first, second = task.attempts.order_by("number")
    assert (first.state, first.outcome, first.absent_looks) == ("failed", "not_created", 3)
    assert second.state == "succeeded"
    assert [row["external_id"] for row in creates(replicate)] == [first.reference, second.reference]
    assert [row["id"] for row in bought(replicate)] == [second.upstream_id]
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_a_look_up_that_fails_decides_nothing(alice: Person, gateway: Steps, replicate: RunningFace) -> None:
    replicate.script("reset-after-body")
    replicate.script("poll-5xx", "poll-garbage", times=2)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    attempt = task.attempts.get()
    assert (attempt.looks, attempt.absent_looks) == (4, 0)
    assert len(creates(replicate)) == 1


def test_two_equal_tasks_whose_acceptances_got_lost_adopt_one_prediction_each(
    alice: Person, gateway: Steps, replicate: RunningFace, settings: Settings
) -> None:
    """Sent at the same moment and looked up at the same moment: for both, the same prediction is the likeliest."""
    settings.LOOKUP_DELAYS_SECONDS = [0.0] + [0.1] * 20
    replicate.script("reset-after-body", times=2)
    tasks = [ask(alice), ask(alice)]
    at_once([partial(dispatch.submit, str(task.pk)) for task in tasks])
    assert len(bought(replicate)) == 2
    at_once([partial(look, task) for task in tasks])

    for task in tasks:
        gateway.until(task, Task.Status.COMPLETED)
    adopted = [task.attempts.get().upstream_id for task in tasks]
    assert sorted(adopted) == sorted(row["id"] for row in bought(replicate))
    assert len(creates(replicate)) == 2
    assert money(alice.organization) == (1000 - 54, 0)
    assert findings() == []


def look(task: Task) -> None:
    """One job. The database lets one of two have a prediction; the other's job fails, and is run again."""
    with suppress(IntegrityError):
        dispatch.submit(str(task.pk))


def test_a_taken_look_alike_does_not_hide_work_that_cannot_be_compared(
    alice: Person, gateway: Steps, replicate: RunningFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = gateway.until(ask(alice), Task.Status.COMPLETED).attempts.get().upstream_id
    replicate.script("reset-before-body")
    task = ask(alice)
    gateway.due()
    attempt = task.attempts.get()
    assert (attempt.state, lookups.find(attempt)) == (Attempt.State.SUBMITTING, None)

    asked = listing._page

    def with_a_removed_row(response: httpx.Response) -> tuple[list[dict[str, Any]], str]:
        rows, following = asked(response)
        assert [row["id"] for row in rows] == [taken]
        return [*rows, rows[0] | {"id": "removed", "input": {}, "data_removed": True}], following

    monkeypatch.setattr(listing, "_page", with_a_removed_row)
    with pytest.raises(OutcomeUnknown):
        lookups.find(attempt)


def test_data_that_was_removed_is_no_failure(alice: Person, gateway: Steps, replicate: RunningFace) -> None:
    task = ask(alice, prompt="A heron [sim:slow 60]")
    attempt = gateway.sent(task)
    replicate.simulator.do("finish", task_id=attempt.upstream_id)
    replicate.simulator.advance(3700)
    gateway.poll()

    task.refresh_from_db()
    attempt.refresh_from_db()
    assert (task.status, attempt.state) == (Task.Status.PROCESSING, Attempt.State.RUNNING)
    assert attempt.state_word == "succeeded, data removed"
    assert alerts() == {"unknown-status-word"}
    assert money(alice.organization) == (1000, 27)


def test_an_account_without_credit_is_passed_over(
    alice: Person, gateway: Steps, replicate: RunningFace, second_account: str
) -> None:
    replicate.change_account(units=0.1)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    first, second = task.attempts.order_by("number")
    assert (first.account.name, first.outcome) == ("replicate", "provider_refused")
    assert (second.account.name, second.account.provider) == (second_account, "kling")
    assert alerts() == {"provider-refused", "breaker-tripped"}
    assert "402" not in json.dumps(seen(alice, task))
    assert bought(replicate) == []
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_what_it_cannot_make_goes_elsewhere(
    alice: Person, gateway: Steps, replicate: RunningFace, second_account: str
) -> None:
    task = gateway.until(ask(alice, model="kling-v3-turbo-text-to-video"), Task.Status.COMPLETED)

    attempt = task.attempts.get()
    assert attempt.account.name == second_account
    assert {row["account"]: row["reason"] for row in attempt.choice}["replicate"] == "does not make the model"
    assert creates(replicate) == []


def test_slow_down_makes_the_task_wait_as_long_as_it_says(
    alice: Person, gateway: Steps, replicate: RunningFace
) -> None:
    replicate.script("refuse fast")
    task = ask(alice)
    gateway.due()

    assert task.attempts.get().outcome == "slow_down"
    rest = Breaker.objects.get(account__name="replicate", model=task.model)
    assert (rest.rest_until - task.attempts.get().created_at).total_seconds() == pytest.approx(30, abs=2)
    gateway.due()
    task.refresh_from_db()
    assert (task.status, task.attempts.count()) == (Task.Status.PENDING, 1)
    assert alerts() == set()


@pytest.mark.parametrize("where", ["create", "prediction"])
def test_refused_content_fails_the_task_and_is_tried_nowhere_else(
    alice: Person, gateway: Steps, replicate: RunningFace, second_account: str, where: str
) -> None:
    fault = "[sim:fail content]" if where == "prediction" else "[sim:refuse malformed]"
    task = gateway.until(ask(alice, prompt=f"A heron {fault}"), Task.Status.FAILED)

    code = "content_policy_violation" if where == "prediction" else "invalid_parameters"
    assert (task.error_code, task.error_retryable) == (code, False)
    assert task.attempts.get().account.name == "replicate"
    assert len(creates(replicate)) == 1
    assert replicate.see("ledger")["charges"] == []
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_failure_of_its_own_is_tried_once_elsewhere(
    alice: Person, gateway: Steps, replicate: RunningFace, second_account: str
) -> None:
    replicate.script("fail internal")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["replicate", second_account]
    assert money(alice.organization) == (973, 0)
    assert findings() == []


def test_an_outage_of_the_queries_decides_nothing(alice: Person, gateway: Steps, replicate: RunningFace) -> None:
    replicate.script("poll-5xx", "poll-garbage", "absent", "wrong-ids", times=3)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert task.attempts.get().state == Attempt.State.SUCCEEDED
    assert len(creates(replicate)) == 1
    assert alerts() == set()
    assert money(alice.organization) == (973, 0)


def test_a_running_prediction_cannot_be_cancelled(alice: Person, gateway: Steps, replicate: RunningFace) -> None:
    task = ask(alice, prompt="A heron [sim:slow 60]")
    gateway.sent(task)
    answer = alice.client.post(f"/v1/tasks/{task.public_id}/cancel")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "task_not_cancellable")
    assert [row["state"] for row in bought(replicate)] != ["cancelled"]
    assert money(alice.organization) == (1000, 27)
