"""What goes over the wire to kie.ai: exact bodies, and what it cannot make."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from generations import catalog
from generations.providers.base import Account, ElementUse, Plan, Request, Shot, VideoRequest
from generations.providers.kie import Kie
from generations.providers.kie.requests import MODELS
from tests.generations.providers.requests import element, from_image, known, video

ACCOUNT = Account(base_url="https://kie.example", credentials={"api_key": "secret-key"})
TURBO_TEXT, TURBO_IMAGE = "kling-v3-turbo-text-to-video", "kling-v3-turbo-image-to-video"
SHOTS = (
    Shot(index=1, prompt="a door", duration_seconds=2),
    Shot(index=2, prompt="<<<element_1>>>walks in", duration_seconds=3),
)
ADA = ElementUse(
    upstream_id="",
    name="Ada",
    description="a woman in a red coat",
    kind="image_refer",
    frontal_image="https://files.example/front.png",
    refer_images=("https://files.example/left.png", "https://files.example/right.png"),
)
BOB = ElementUse(
    upstream_id="", name="Bob", description="a man", kind="image_refer", frontal_image="https://files.example/bob.png"
)
EVE = ElementUse(
    upstream_id="", name="Eve", description="a girl", kind="video_refer", video="https://files.example/eve.mp4"
)


def motion(**changes: Any) -> VideoRequest:
    plain = {
        "model": "kling-v3-motion-control",
        "prompt": "",
        "duration_seconds": None,
        "aspect_ratio": None,
        "images": ("https://files.example/dancer.png",),
        "video": "https://files.example/dance.mp4",
        "video_use": "motion",
        "orientation": "video",
        "keep_sound": True,
    }
    return video(**(plain | changes))


def sent(request: Request) -> tuple[httpx.Request, dict[str, Any]]:
    """The one create that a submit makes."""
    seen: list[httpx.Request] = []

    def answer(wire: httpx.Request) -> httpx.Response:
        seen.append(wire)
        return httpx.Response(200, json={"code": 200, "msg": "success", "data": {"taskId": "77"}})

    Kie(transport=httpx.MockTransport(answer)).submit(ACCOUNT, request)
    (wire,) = seen
    return wire, json.loads(wire.content)


def test_a_plain_clip_is_sent_with_every_billable_field() -> None:
    wire, body = sent(video(callback_url="https://gateway.example/hints/att_1/x"))

    assert (wire.method, str(wire.url)) == ("POST", "https://kie.example/api/v1/jobs/createTask")
    assert wire.headers["authorization"] == "Bearer secret-key"
    assert wire.headers["content-type"] == "application/json"
    assert body == {
        "model": "kling-3.0/video",
        "callBackUrl": "https://gateway.example/hints/att_1/x",
        "input": {
            "prompt": "a heron over still water",
            "mode": "std",
            "duration": "5",
            "sound": False,
            "multi_shots": False,
            "aspect_ratio": "16:9",
        },
    }


@pytest.mark.parametrize(("quality", "mode"), [("720p", "std"), ("1080p", "pro"), ("4k", "4K")])
def test_a_quality_is_a_mode(quality: str, mode: str) -> None:
    assert sent(video(quality=quality, sound=True))[1]["input"]["mode"] == mode


def test_elements_are_sent_inline_and_named_in_the_prompt() -> None:
    request = from_image(
        prompt="<<<element_1>>>meets <<<element_2>>> and <<<element_3>>>",
        image_end="https://files.example/end.png",
        elements=(ADA, BOB, EVE),
        sound=True,
    )
    _, body = sent(request)

    assert body == {
        "model": "kling-3.0/video",
        "input": {
            "prompt": "@element_1 meets @element_2 and @element_3",
            "mode": "std",
            "duration": "5",
            "sound": True,
            "multi_shots": False,
            "image_urls": ["http://127.0.0.1:9/start.png", "https://files.example/end.png"],
            "kling_elements": [
                {
                    "name": "element_1",
                    "description": "a woman in a red coat",
                    "element_input_urls": [
                        "https://files.example/front.png",
                        "https://files.example/left.png",
                        "https://files.example/right.png",
                    ],
                },
                {
                    "name": "element_2",
                    "description": "a man",
                    "element_input_urls": ["https://files.example/bob.png", "https://files.example/bob.png"],
                },
                {
                    "name": "element_3",
                    "description": "a girl",
                    "element_input_video_urls": ["https://files.example/eve.mp4"],
                },
            ],
        },
    }


def test_own_shots_are_sent_instead_of_the_prompt_and_each_is_told_what_not_to_show() -> None:
    request = from_image(
        multi_shot=True, shot_type="customize", shots=SHOTS, elements=(ADA,), negative_prompt="rain", quality="1080p"
    )
    inputs = sent(request)[1]["input"]

    assert "prompt" not in inputs
    assert (inputs["multi_shots"], inputs["duration"], inputs["sound"]) == (True, "5", False)
    assert inputs["multi_prompt"] == [
        {"prompt": "a door\nDo not show: rain", "duration": 2},
        {"prompt": "@element_1 walks in\nDo not show: rain", "duration": 3},
    ]


def test_planned_shots_are_several_shots_without_a_list() -> None:
    inputs = sent(video(multi_shot=True, shot_type="intelligence"))[1]["input"]

    assert (inputs["multi_shots"], inputs["prompt"]) == (True, "a heron over still water")
    assert "multi_prompt" not in inputs


def test_what_not_to_show_goes_into_the_prompt() -> None:
    inputs = sent(video(negative_prompt="rain"))[1]["input"]

    assert inputs["prompt"] == "a heron over still water\nDo not show: rain"


def test_a_clip_from_an_image_alone_has_no_prompt() -> None:
    assert "prompt" not in sent(from_image(prompt=""))[1]["input"]


def test_turbo_from_text() -> None:
    assert sent(video(model=TURBO_TEXT, quality="1080p", duration_seconds=8, negative_prompt="rain"))[1] == {
        "model": "kling/v3-turbo-text-to-video",
        "input": {
            "prompt": "a heron over still water\nDo not show: rain",
            "duration": "8",
            "resolution": "1080p",
            "aspect_ratio": "16:9",
        },
    }


def test_turbo_from_an_image() -> None:
    assert sent(from_image(model=TURBO_IMAGE))[1] == {
        "model": "kling/v3-turbo-image-to-video",
        "input": {
            "prompt": "a heron over still water",
            "duration": "5",
            "resolution": "720p",
            "image_urls": ["http://127.0.0.1:9/start.png"],
        },
    }


def test_motion_control_says_resolution_orientation_and_whose_scene_it_is() -> None:
    assert sent(motion(prompt="a stage", quality="1080p"))[1] == {
        "model": "kling-3.0/motion-control",
        "input": {
            "prompt": "a stage",
            "input_urls": ["https://files.example/dancer.png"],
            "video_urls": ["https://files.example/dance.mp4"],
            "mode": "1080p",
            "character_orientation": "video",
            "background_source": "input_image",
        },
    }
    assert "prompt" not in sent(motion())[1]["input"]


@pytest.mark.parametrize("model", MODELS)
def test_the_route_is_the_providers_name_of_the_model(model: str) -> None:
    request = motion() if "motion" in model else from_image(model=model)

    assert Kie().plan(request) == Plan(route=MODELS[model].name)
    assert sent(request)[1]["model"] == MODELS[model].name


LONG = "x" * 2500
OBSTACLES: list[tuple[Request, str]] = [
    (element(), "makes no elements"),
    (video(watermark=True), "makes no watermark"),
    (from_image(elements=(known("811"),)), "needs the files of an element, which are gone"),
    (from_image(elements=(ADA, EVE)), ""),
    (video(prompt=LONG), ""),
    (video(prompt=LONG, negative_prompt="rain"), "has no room for all of the prompt"),
    (from_image(prompt=LONG[37:] + "<<<element_1>>>", elements=(ADA,)), ""),
    (from_image(prompt=LONG[36:] + "<<<element_1>>>", elements=(ADA,)), "has no room for all of the prompt"),
    (
        from_image(multi_shot=True, shot_type="intelligence", image_end="https://files.example/end.png"),
        "takes no last image with several shots",
    ),
    (video(model=TURBO_TEXT, prompt=LONG, negative_prompt="rain"), "has no room for all of the prompt"),
    (from_image(elements=(replace(EVE, voice_id="829"),), sound=True), "does not have the voice of an element"),
    (from_image(elements=(replace(EVE, voice_id="829"),)), ""),
    (from_image(model=TURBO_IMAGE, prompt=""), "needs a prompt with this model"),
    (from_image(model=TURBO_IMAGE, image_end="https://a/b.png"), "takes no last image with this model"),
    (from_image(model=TURBO_IMAGE), ""),
    (motion(), ""),
    (motion(keep_sound=False), "cannot leave out the sound of the video"),
    (motion(elements=(EVE,)), "takes no element with this model"),
    (motion(prompt="as <<<video_1>>>"), "cannot name the image or the video in a prompt"),
    (motion(prompt=LONG, negative_prompt="rain"), "has no room for all of the prompt"),
]


@pytest.mark.parametrize(("request_", "words"), OBSTACLES)
def test_what_it_cannot_make_it_says(request_: Request, words: str) -> None:
    assert Kie().obstacle(request_) == words


@pytest.mark.parametrize(
    ("lengths", "prompt", "negative", "words"),
    [
        ((12, 3), "x" * 500, "", ""),
        ((13, 2), "a door", "", "makes no shot longer than 12 seconds"),
        ((5,), "x" * 501, "", "has no room for all of a shot's prompt"),
        ((5,), "x" * 499, "rain", "has no room for all of a shot's prompt"),
        ((1, 1, 1, 1, 1), "a door", "", ""),
        ((1, 1, 1, 1, 1, 1), "a door", "", "takes at most 5 shots"),
    ],
)
def test_shots_have_limits_of_their_own(lengths: tuple[int, ...], prompt: str, negative: str, words: str) -> None:
    shots = tuple(
        Shot(index=number, prompt=prompt, duration_seconds=seconds) for number, seconds in enumerate(lengths, 1)
    )
    request = video(multi_shot=True, shot_type="customize", shots=shots, negative_prompt=negative)

    assert Kie().obstacle(request) == words


@pytest.mark.parametrize("spec", [spec.id for spec in catalog.SPECS])
def test_it_makes_no_model_but_these(spec: str) -> None:
    unknown = Kie().obstacle(video(model=spec)) == "does not make the model"

    assert unknown is (spec not in MODELS)
