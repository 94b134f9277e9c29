"""Each model that fal makes, from the request to the result: the endpoint, what is charged, and what fal bills us."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generations.models import Element, ProviderAccount, Task, Voice
from generations.providers.fal.endpoints import MODELS
from tests.cast import Person
from tests.generations.fal import fal_account
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, ask, ask_element, findings, money, seen, upload
from tests.generations.simulator import RunningFace, RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)

CAT, FACE = PHOTOS / "chelsea.png", PHOTOS / "astronaut.png"
SHOTS = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [{"index": 1, "prompt": "Dawn", "duration": 2}, {"index": 2, "prompt": "Dusk", "duration": 1}],
}
PLANNED = {"multi_shot": True, "shot_type": "intelligence"}
AS_IN_VIDEO = {"character_orientation": "video"}

# what is asked, the fields that hold a picture or the film of 4.25 s, the endpoint, our credits, and
# thousandths of a dollar at fal
CASES: list[tuple[dict[str, Any], tuple[str, ...], str, str, int]] = [
    ({"model": "kling-v3-text-to-video", "sound": "on"}, (), "/v3/standard/text-to-video", "40.5", 630),
    (
        {"model": "kling-v3-text-to-video", "duration": 3, "quality": "4k", "model_params": PLANNED},
        (),
        "/v3/4k/text-to-video",
        "81",
        1260,
    ),
    (
        {"model": "kling-v3-image-to-video", "quality": "1080p", "sound": "on", "duration": 3},
        ("image_start", "image_end"),
        "/v3/pro/image-to-video",
        "32.4",
        504,
    ),
    (
        {"model": "kling-v3-image-to-video", "duration": 3, "model_params": SHOTS},
        ("image_start",),
        "/v3/standard/image-to-video",
        "16.2",
        252,
    ),
    (
        {"model": "kling-v3-motion-control", "model_params": AS_IN_VIDEO},
        ("image_urls", "video_urls"),
        "/v3/standard/motion-control",
        "32.6592",
        504,
    ),
    (
        {"model": "kling-v2.6-motion-control", "quality": "1080p", "model_params": AS_IN_VIDEO},
        ("image_urls", "video_urls"),
        "/v2.6/pro/motion-control",
        "28.8",
        448,
    ),
    (
        {"model": "kling-o3-text-to-video", "sound": "on", "duration": 3, "quality": "1080p"},
        (),
        "/o3/pro/text-to-video",
        "27.0054",
        420,
    ),
    ({"model": "kling-o3-image-to-video"}, ("image_start", "image_end"), "/o3/standard/image-to-video", "27", 420),
    (
        {"model": "kling-o3-image-to-video", "prompt": "<<<image_2>>> enters", "duration": 3, "model_params": SHOTS},
        ("image_start", "image_urls"),
        "/o3/standard/reference-to-video",
        "16.2",
        252,
    ),
    (
        {"model": "kling-o3-reference-to-video", "prompt": "<<<image_1>>> and <<<image_2>>>", "quality": "1080p"},
        ("image_urls", "image_urls"),
        "/o3/pro/reference-to-video",
        "54.027",
        560,
    ),
    (
        {"model": "kling-o3-reference-to-video", "prompt": "As <<<video_1>>>"},
        ("image_urls", "video_url"),
        "/o3/standard/video-to-video/reference",
        "40.5",
        630,
    ),
    (
        {"model": "kling-o3-video-edit", "prompt": "Let it snow"},
        ("video_url",),
        "/o3/standard/video-to-video/edit",
        "32.4",
        504,
    ),
    (
        {"model": "kling-o1-image-to-video", "prompt": "<<<image_1>>> to <<<image_2>>>"},
        ("image_urls", "image_urls"),
        "/o1/image-to-video",
        "40",
        560,
    ),
    (
        {"model": "kling-o1-video-edit", "prompt": "Let it snow on <<<video_1>>>"},
        ("video_urls",),
        "/o1/video-to-video/edit",
        "51",
        672,
    ),
]


@pytest.fixture
def fal(gateway: Steps, simulator: RunningSimulator, live_server: LiveServer, settings: Settings) -> RunningFace:
    """Live keys are served by fal alone, which can fetch our copies."""
    settings.PUBLIC_URL = live_server.url
    face = simulator.face("fal")
    ProviderAccount.objects.filter(provider="kling").update(enabled=False)
    fal_account(face)
    return face


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "street.mp4", width=1280, height=720, seconds=4.25, fps=24)


def with_media(alice: Person, body: dict[str, Any], names: tuple[str, ...], clip: Path) -> dict[str, Any]:
    """The body with uploads of hers in these fields."""
    filled = {"prompt": "A heron"} | body
    for name in names:
        url = upload(alice.organization, clip if name.startswith("video") else CAT)
        filled[name] = [*filled.get(name, []), url] if name.endswith("urls") else url
    return filled


def test_every_model_that_fal_makes_is_tried() -> None:
    assert {body["model"] for body, *_ in CASES} == set(MODELS)


@pytest.mark.parametrize(("body", "media", "route", "credits", "cost"), CASES)
def test_a_model_is_made_and_charged(
    alice: Person,
    gateway: Steps,
    fal: RunningFace,
    clip: Path,
    body: dict[str, Any],
    media: tuple[str, ...],
    route: str,
    credits: str,
    cost: int,
) -> None:
    task = gateway.until(ask(alice, **with_media(alice, body, media, clip)), Task.Status.COMPLETED)

    assert task.attempts.get().route == f"/fal-ai/kling-video{route}"
    assert task.charged_credits == Decimal(credits)
    assert len(seen(alice, task)["result_data"]) == 1
    assert fal.see("ledger")["milliunits"] == cost
    assert money(alice.organization) == (1000 - Decimal(credits), 0)
    assert findings() == []


@pytest.mark.parametrize(
    ("model", "media", "changes"),
    [
        ("kling-v3-turbo-text-to-video", (), {}),
        ("kling-o1-video-edit-fast", ("video_urls",), {}),
        ("kling-v3-text-to-video", (), {"model_params": {"watermark_info": {"enabled": True}}}),
        ("kling-v3-image-to-video", ("image_start", "image_end"), {"duration": 3, "model_params": SHOTS}),
    ],
)
def test_what_fal_does_not_make_is_not_taken(
    alice: Person, fal: RunningFace, clip: Path, model: str, media: tuple[str, ...], changes: dict[str, Any]
) -> None:
    body = with_media(alice, {"model": model} | changes, media, clip)
    answer = alice.client.post("/v1/videos/generations", body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert money(alice.organization) == (1000, 0)
    assert fal.see("requests")["requests"] == []


def test_an_element_that_another_provider_made_goes_along_as_its_pictures(
    alice: Person, gateway: Steps, fal: RunningFace
) -> None:
    ProviderAccount.objects.filter(name="simulator-live").update(enabled=True)
    made = gateway.until(ask_element(alice, frontal=upload(alice.organization, FACE)), Task.Status.COMPLETED)
    assert made.attempts.get().account.provider == "kling"
    ProviderAccount.objects.filter(name="simulator-live").update(enabled=False)

    task = ask(
        alice,
        model="kling-v3-image-to-video",
        prompt="<<<element_1>>>smiles",
        image_start=upload(alice.organization, CAT),
        model_params={"element_list": [{"element_id": str(Element.objects.get(task=made).pk)}]},
    )
    gateway.until(task, Task.Status.COMPLETED)

    body = json.loads(fal.see("requests")["requests"][-1]["body"])
    (shown,) = body["elements"]
    assert body["prompt"] == "@Element1 smiles"
    assert shown["reference_image_urls"] == [shown["frontal_image_url"]]
    assert shown["frontal_image_url"].split("/")[-1] == "frontal_image.png"
    assert money(alice.organization) == (1000 - 1 - 27, 0)
    assert findings() == []


def test_an_element_with_a_voice_is_not_shown_with_sound(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    ProviderAccount.objects.filter(name="simulator-live").update(enabled=True)
    made = gateway.until(ask_element(alice, frontal=upload(alice.organization, FACE)), Task.Status.COMPLETED)
    ProviderAccount.objects.filter(name="simulator-live").update(enabled=False)
    Element.objects.filter(task=made).update(voice=Voice.objects.first())
    body = {
        "model": "kling-v3-image-to-video",
        "prompt": "<<<element_1>>> speaks",
        "image_start": upload(alice.organization, CAT),
        "model_params": {"element_list": [{"element_id": str(Element.objects.get(task=made).pk)}]},
    }

    assert alice.client.post("/v1/videos/generations", body | {"sound": "on"}).status_code == 503
    assert alice.client.post("/v1/videos/generations", body | {"sound": "off"}).status_code == 200


def test_an_element_is_never_made_at_fal(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    about = {"element_name": "Mia", "element_description": "A woman", "reference_type": "image_refer"}
    images = {"frontal_image": upload(alice.organization, FACE), "refer_images": []}
    body = {"model": "kling-custom-element", "model_params": about | {"element_image_list": images}}

    assert alice.client.post("/v1/videos/generations", body).status_code == 503
    assert money(alice.organization) == (1000, 0)


def test_the_operators_read_why_fal_was_passed_over(alice: Person, gateway: Steps, fal: RunningFace) -> None:
    ProviderAccount.objects.filter(name="simulator-live").update(enabled=True)
    task = ask(alice, model="kling-v3-turbo-text-to-video", prompt="A heron")
    gateway.sent(task)

    reasons = {row["account"]: row["reason"] for row in task.attempts.get().choice}
    assert reasons["fal-live"] == "does not make the model"
