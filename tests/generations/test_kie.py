"""kie.ai from the request to the charge: its models, elements from elsewhere, refusals and failures."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from generations import provider_accounts, routing
from generations.models import Attempt, Breaker, Element, ProviderAccount, Task
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, alerts, ask, ask_element, findings, money, seen, upload
from tests.generations.kie import bought, captures, sent
from tests.generations.simulator import RunningFace

pytestmark = pytest.mark.django_db(transaction=True)

CAT, FACE = PHOTOS / "chelsea.png", PHOTOS / "astronaut.png"
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


def test_a_rate_limit_makes_the_task_wait_and_is_no_failure(alice: Person, gateway: Steps, kie: RunningFace) -> None:
    kie.change_account(slots=0)
    task = ask(alice)
    gateway.due()
    assert task.attempts.get().outcome == routing.SOFT_OUTCOME
    assert Breaker.objects.get(account__name="kie", model=task.model).rest_until > timezone.now()
    assert seen(alice, task)["status"] == "pending"

    kie.change_account(slots=1)
    Breaker.objects.all().delete()
    Task.objects.update(due_at=timezone.now())
    gateway.until(task, Task.Status.COMPLETED)
    assert [attempt.state for attempt in task.attempts.order_by("number")] == ["failed", "succeeded"]
    assert (bought(kie), captures(task)) == (1, 1)
    assert alerts() == set()
    assert money(alice.organization) == (973, 0)


def test_an_account_without_credits_is_passed_over(
    alice: Person, gateway: Steps, kie: RunningFace, second_kie: str
) -> None:
    kie.change_account(units=69)
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["kie", second_kie]
    assert Breaker.objects.get(account__name="kie", model="*").reason == "The account has no credits left."
    assert alerts() == {"provider-refused", "breaker-tripped"}
    assert (bought(kie), captures(task)) == (1, 1)
    assert money(alice.organization) == (973, 0)


def test_content_refused_at_the_create_fails_the_task_at_once(
    alice: Person, gateway: Steps, kie: RunningFace, second_kie: str
) -> None:
    kie.script("refuse 400")
    task = gateway.until(ask(alice), Task.Status.FAILED)

    assert (task.error_code, task.error_retryable) == ("content_policy_violation", False)
    assert (len(sent(kie)), bought(kie)) == (1, 0)
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_content_refused_at_the_end_fails_the_task_without_another_try(
    alice: Person, gateway: Steps, kie: RunningFace, second_kie: str
) -> None:
    task = gateway.until(ask(alice, prompt="[sim:fail content]"), Task.Status.FAILED)

    assert (task.error_code, task.error_retryable) == ("content_policy_violation", False)
    assert task.attempts.get().upstream_message.startswith("422: ")
    assert "flagged" not in str(seen(alice, task)["error"])
    assert len(sent(kie)) == 1
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_generation_that_fails_inside_is_sent_once_more_elsewhere(
    alice: Person, gateway: Steps, kie: RunningFace, second_kie: str
) -> None:
    kie.script("fail internal")
    task = gateway.until(ask(alice), Task.Status.COMPLETED)

    assert [attempt.account.name for attempt in task.attempts.order_by("number")] == ["kie", second_kie]
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
