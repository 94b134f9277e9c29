"""Each model from the request to the result: the endpoint that is asked, and what is charged."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from generations.models import Element, Task
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, ask, ask_element, findings, money, seen, upload
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)

CAT, ROCKET, FACE = PHOTOS / "chelsea.png", PHOTOS / "rocket.jpg", PHOTOS / "astronaut.png"
STORYBOARD = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [{"index": 1, "prompt": "Dawn", "duration": 3}],
}
CASES: list[tuple[dict[str, Any], tuple[str, ...], str, str]] = [
    ({"model": "kling-v3-turbo-text-to-video"}, (), "/text-to-video/kling-3.0-turbo", "36"),
    (
        {"model": "kling-v3-turbo-image-to-video", "quality": "1080p", "duration": 3, "negative_prompt": "rain"},
        ("image_start",),
        "/image-to-video/kling-3.0-turbo",
        "27",
    ),
    (
        {"model": "kling-o3-text-to-video", "sound": "on", "duration": 3},
        (),
        "/omni-video/kling-3.0-omni",
        "21.6108",
    ),
    (
        {"model": "kling-o3-text-to-video", "duration": 3, "model_params": STORYBOARD},
        (),
        "/v1/videos/omni-video",
        "16.2",
    ),
    (
        {"model": "kling-o3-image-to-video", "prompt": "<<<image_2>>> grows"},
        ("image_start", "image_end"),
        "/omni-video/kling-3.0-omni",
        "27",
    ),
    (
        {"model": "kling-o3-reference-to-video", "prompt": "<<<image_1>>> and <<<image_2>>>", "quality": "1080p"},
        ("image_urls", "image_urls"),
        "/omni-video/kling-3.0-omni",
        "54.027",
    ),
    (
        {"model": "kling-o3-reference-to-video", "prompt": "As <<<video_1>>>"},
        ("image_urls", "video_url"),
        "/v1/videos/omni-video",
        "40.5",
    ),
    ({"model": "kling-o1-image-to-video"}, ("image_urls", "image_urls"), "/omni-video/kling-o1", "40"),
]


def with_media(alice: Person, body: dict[str, Any], names: tuple[str, ...], clip: Path) -> dict[str, Any]:
    """The body with uploads of hers in these fields."""
    filled = dict(body)
    for name in names:
        url = upload(alice.organization, clip if name == "video_url" else CAT)
        filled[name] = [*filled.get(name, []), url] if name == "image_urls" else url
    return filled


@pytest.mark.parametrize(("body", "media", "route", "credits"), CASES)
def test_a_model_is_made_and_charged(
    alice: Person,
    gateway: Steps,
    tmp_path: Path,
    body: dict[str, Any],
    media: tuple[str, ...],
    route: str,
    credits: str,
) -> None:
    clip = film(tmp_path / "a.mp4", seconds=3)
    task = gateway.until(ask(alice, **with_media(alice, body, media, clip)), Task.Status.COMPLETED)

    assert task.attempts.get().route == route
    assert (task.reserved_credits, task.charged_credits) == (Decimal(credits), Decimal(credits))
    (result,) = seen(alice, task)["result_data"]
    assert result["duration"] == pytest.approx(task.video_duration, abs=0.1)
    assert money(alice.organization) == (1000 - Decimal(credits), 0)
    assert findings() == []


def test_references_keep_their_order_on_the_way_upstream(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    urls = [upload(alice.organization, path) for path in (CAT, ROCKET)]
    task = ask(alice, model="kling-o3-reference-to-video", image_urls=urls, prompt="<<<image_2>>>over <<<image_1>>>")
    gateway.sent(task)

    (create,) = simulator.see("requests")["requests"]
    contents = json.loads(create["body"])["contents"]
    assert contents[0] == {"type": "prompt", "text": "@image_2 over @image_1"}
    assert [entry["url"].split("/")[-1] for entry in contents[1:]] == ["image_1.png", "image_2.jpg"]


def element(alice: Person, gateway: Steps) -> Element:
    task = gateway.until(ask_element(alice, frontal=upload(alice.organization, FACE)), Task.Status.COMPLETED)
    return Element.objects.get(task=task)


def test_an_element_of_another_kind_is_refused(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    listed = [{"element_id": str(element(alice, gateway).pk)}]
    body = {
        "model": "kling-v3-motion-control",
        "image_urls": [upload(alice.organization, CAT)],
        "video_urls": [upload(alice.organization, film(tmp_path / "a.mp4", seconds=3))],
        "model_params": {"character_orientation": "video", "element_list": listed},
    }
    answer = alice.client.post("/v1/videos/generations", body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_parameter")
    assert error["param"] == "model_params.element_list[0].element_id"
    assert money(alice.organization) == (999, 0)


def test_a_model_of_image_elements_refuses_one_made_from_a_video(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=1280, height=720, seconds=3, fps=8, pictures=[FACE])
    made = ask_element(
        alice,
        reference_type="video_refer",
        element_video_list={"video_url": upload(alice.organization, path)},
    )
    gateway.until(made, Task.Status.COMPLETED)
    listed = [{"element_id": str(Element.objects.get(task=made).pk)}]
    body = {"model": "kling-o3-reference-to-video", "prompt": "A walk", "model_params": {"element_list": listed}}
    answer = alice.client.post("/v1/videos/generations", body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_parameter")
    assert error["param"] == "model_params.element_list[0].element_id"
    assert money(alice.organization) == (999, 0)


def test_an_element_made_from_images_appears_in_a_reference_video(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    listed = [{"element_id": str(element(alice, gateway).pk)}]
    task = ask(
        alice,
        model="kling-o3-reference-to-video",
        prompt="<<<element_1>>> smiles",
        model_params={"element_list": listed},
    )
    gateway.until(task, Task.Status.COMPLETED)

    contents = json.loads(simulator.see("requests")["requests"][-1]["body"])["contents"]
    assert contents[0] == {"type": "prompt", "text": "@element_1 smiles"}
    assert contents[1]["id"] == "element_1"
    assert money(alice.organization) == (1000 - 1 - Decimal("40.5"), 0)
    assert findings() == []
