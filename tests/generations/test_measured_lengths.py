"""Prices by a length that only the media knows: the most is reserved, the measured is charged, the rest comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generations.models import Task
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, ask, findings, money, seen, upload
from tests.generations.simulator import RunningSimulator
from tests.generations.wire import Canary, peer

pytestmark = pytest.mark.django_db(transaction=True)

POST = "/v1/videos/generations"
CAT = PHOTOS / "chelsea.png"
MOTION, O3_EDIT, O1_EDIT = "kling-v3-motion-control", "kling-o3-video-edit", "kling-o1-video-edit"


@pytest.fixture(autouse=True)
def reachable(live_server: LiveServer, gateway: Steps, settings: Settings) -> None:
    """The upstream can fetch our copies, as it must to know how long a video is."""
    settings.PUBLIC_URL = live_server.url


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4.25 seconds."""
    return film(tmp_path_factory.mktemp("films") / "street.mp4", width=1280, height=720, seconds=4.25, fps=24)


@contextmanager
def served(content: bytes) -> Iterator[str]:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
    with peer(head + content) as somewhere:
        yield f"{somewhere.url}/a.mp4"


def motion(alice: Person, video: str, orientation: str = "video", **changes: Any) -> Task:
    return ask(
        alice,
        model=MOTION,
        image_urls=[upload(alice.organization, CAT)],
        video_urls=[video],
        model_params={"character_orientation": orientation},
        **{"prompt": ""} | changes,
    )


def settled(task: Task) -> tuple[Decimal, Decimal, float]:
    """Reserved, charged, and the seconds that were measured."""
    assert task.measured_seconds is not None
    return task.reserved_credits, task.charged_credits, round(float(task.measured_seconds), 2)


def test_motion_control_is_charged_by_the_output_as_we_stored_it(alice: Person, gateway: Steps, clip: Path) -> None:
    task = motion(alice, upload(alice.organization, clip))
    assert money(alice.organization) == (1000, Decimal("32.6592"))
    gateway.until(task, Task.Status.COMPLETED)

    assert settled(task) == (Decimal("32.6592"), Decimal("32.6592"), 4.25)
    (result,) = seen(alice, task)["result_data"]
    assert result["duration"] == pytest.approx(4.25, abs=0.05)
    assert findings() == []


def test_a_shorter_output_costs_less(alice: Person, gateway: Steps, clip: Path) -> None:
    task = motion(alice, upload(alice.organization, clip), prompt="[sim:short 1.1]", quality="1080p")
    gateway.until(task, Task.Status.COMPLETED)

    assert settled(task) == (Decimal("43.5674"), Decimal("32.6755"), 3.17)
    assert money(alice.organization) == (1000 - Decimal("32.6755"), 0)
    assert seen(alice, task)["usage"]["credits_used"] == 32.6755
    assert task.attempts.get().cost_amount == Decimal("3.6")
    assert findings() == []


def test_the_timeline_shows_what_both_lengths_cost(alice: Person, gateway: Steps, clip: Path) -> None:
    task = motion(alice, upload(alice.organization, clip), prompt="[sim:short 1.1]", quality="1080p")
    gateway.until(task, Task.Status.COMPLETED)

    found = alice.client.get(f"/v1/tasks/{task.public_id}/timeline").json()

    rates = {"label": "1080p", "unit": "second", "rate": 8.1648, "factor": 1.334}
    assert found["price"]["lines"] == [rates | {"quantity": 4, "amount": 43.5674}]
    assert found["settlement"].pop("measured_seconds") == pytest.approx(3.17, abs=0.05)
    assert found["settlement"] == {
        "measured": "output",
        "lines": [rates | {"quantity": 3, "amount": 32.6755}],
        "credits": 32.6755,
    }
    moved = [(event["event"], event["credits"], event.get("reason")) for event in found["events"] if "credits" in event]
    assert moved == [
        ("credits_reserved", 43.5674, None),
        ("credits_charged", 32.6755, "completed"),
        ("credits_released", 10.8919, "less_than_reserved"),
    ]


@pytest.mark.parametrize(("orientation", "reserved"), [("image", "81.648"), ("video", "244.944")])
def test_for_another_address_the_longest_is_reserved(
    alice: Person, gateway: Steps, clip: Path, orientation: str, reserved: str
) -> None:
    with served(clip.read_bytes()) as url:
        task = gateway.until(motion(alice, url, orientation), Task.Status.COMPLETED)

    assert settled(task) == (Decimal(reserved), Decimal("32.6592"), 4.25)
    assert money(alice.organization) == (1000 - Decimal("32.6592"), 0)
    assert task.attempts.get().route == "/motion-control/kling-3.0"
    assert findings() == []


def test_an_edit_of_an_upload_is_reserved_for_whole_seconds_and_charged_by_the_output(
    alice: Person, gateway: Steps, clip: Path
) -> None:
    task = ask(alice, model=O3_EDIT, video_url=upload(alice.organization, clip), prompt="Let <<<video_1>>> snow")
    assert seen(alice, task)["task_info"]["video_duration"] == 5
    gateway.until(task, Task.Status.COMPLETED)

    assert settled(task) == (Decimal("40.5"), Decimal("32.4"), 4.25)
    assert findings() == []


def test_an_edit_of_another_address_is_reserved_for_the_longest(alice: Person, gateway: Steps, clip: Path) -> None:
    with served(clip.read_bytes()) as url:
        task = gateway.until(ask(alice, model=O3_EDIT, video_url=url), Task.Status.COMPLETED)

    assert settled(task) == (Decimal("121.5"), Decimal("32.4"), 4.25)
    assert findings() == []


def test_a_longer_output_never_costs_more_than_was_reserved(alice: Person, gateway: Steps, clip: Path) -> None:
    video = upload(alice.organization, clip)
    task = ask(alice, model=O3_EDIT, video_url=video, prompt="[sim:length 9]")
    gateway.until(task, Task.Status.COMPLETED)

    assert settled(task) == (Decimal("40.5"), Decimal("40.5"), 9)
    assert findings() == []


def test_what_is_charged_by_the_input_does_not_look_at_the_output(alice: Person, gateway: Steps, clip: Path) -> None:
    with served(clip.read_bytes()) as url:
        task = ask(alice, model=O1_EDIT, video_urls=[url], prompt="Night [sim:length 9]")
        assert task.reserved_credits == 120
        gateway.until(task, Task.Status.COMPLETED)

    assert settled(task) == (Decimal(120), Decimal(51), 4.25)
    assert money(alice.organization) == (949, 0)
    assert findings() == []


@pytest.mark.parametrize(("model", "credits"), [(O1_EDIT, "51"), ("kling-o1-video-edit-fast", "40.8")])
def test_the_input_of_an_upload_is_known_at_once(
    alice: Person, gateway: Steps, clip: Path, model: str, credits: str
) -> None:
    task = ask(alice, model=model, video_urls=[upload(alice.organization, clip)], prompt="Night")
    assert task.reserved_credits == Decimal(credits)
    gateway.until(task, Task.Status.COMPLETED)

    assert settled(task) == (Decimal(credits), Decimal(credits), 4.25)
    assert findings() == []


@pytest.mark.parametrize("model", [MOTION, O3_EDIT, O1_EDIT])
def test_a_video_that_cannot_be_probed_is_refunded_in_full(
    alice: Person, gateway: Steps, simulator: RunningSimulator, model: str
) -> None:
    with served(b"This is no video.") as url:
        body: dict[str, Any] = {"video_url": url} if model == O3_EDIT else {"video_urls": [url]}
        if model == MOTION:
            body |= {
                "image_urls": [upload(alice.organization, CAT)],
                "model_params": {"character_orientation": "video"},
            }
        task = gateway.until(ask(alice, model=model, **body), Task.Status.FAILED)

    assert task.error_code == "video_probe_failed"
    assert task.error_param == next(name for name in body if name.startswith("video")) + (
        "" if model == O3_EDIT else "[0]"
    )
    assert money(alice.organization) == (1000, 0)
    assert simulator.see("requests")["requests"] == []
    assert findings() == []


def test_a_video_that_does_not_arrive_is_not_left_to_the_upstream(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Settings
) -> None:
    settings.MEDIA_TIMEOUT_SECONDS = 0.3
    canary = Canary()
    task = ask(alice, model=O3_EDIT, video_url=f"http://127.0.0.1:{canary.port}/a.mp4")
    gateway.until(task, Task.Status.FAILED)

    assert (task.error_code, task.error_param) == ("video_probe_failed", "video_url")
    assert money(alice.organization) == (1000, 0)
    assert simulator.see("requests")["requests"] == []
    canary.close()


def test_an_upload_that_is_too_long_for_the_orientation_is_refused(
    alice: Person, gateway: Steps, tmp_path: Path
) -> None:
    long = film(tmp_path / "long.mp4", width=640, height=360, seconds=11, fps=8)
    body = {
        "model": MOTION,
        "image_urls": [upload(alice.organization, CAT)],
        "video_urls": [upload(alice.organization, long)],
        "model_params": {"character_orientation": "image"},
    }
    answer = alice.client.post(POST, body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_video", "video_urls[0]")
    assert money(alice.organization) == (1000, 0)
