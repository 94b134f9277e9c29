"""What goes over the wire to Replicate: exact bodies, which model takes them, and what it cannot make."""

import json

import httpx
import pytest

from generations.providers.base import Account, Plan, Request, Shot, VideoRequest
from generations.providers.replicate import Replicate
from tests.generations.providers.requests import element, from_image, video

ACCOUNT = Account(base_url="https://replicate.example/v1", credentials={"api_key": "secret-key"})
FIRST, OTHER, CLIP = "https://files.example/1.png", "https://files.example/2.png", "https://files.example/a.mp4"
SHOTS = (
    Shot(index=1, prompt="a door", duration_seconds=2),
    Shot(index=2, prompt="a garden", duration_seconds=3),
)
OWN_SHOTS = {"prompt": "", "multi_shot": True, "shot_type": "customize", "shots": SHOTS}
T2V, I2V, REFERENCE = "kling-o3-text-to-video", "kling-o3-image-to-video", "kling-o3-reference-to-video"


def motion(**changes: object) -> VideoRequest:
    plain = {
        "model": "kling-v3-motion-control",
        "prompt": "",
        "duration_seconds": None,
        "aspect_ratio": None,
        "images": (FIRST,),
        "video": CLIP,
        "video_use": "motion",
        "orientation": "video",
        "keep_sound": True,
    }
    return video(**(plain | changes))


def sent(request: Request) -> tuple[httpx.Request, dict[str, object]]:
    """The one create that a submit makes."""
    seen: list[httpx.Request] = []

    def answer(wire: httpx.Request) -> httpx.Response:
        seen.append(wire)
        return httpx.Response(201, json={"id": "abc", "status": "starting"})

    Replicate(transport=httpx.MockTransport(answer)).submit(ACCOUNT, request)
    (wire,) = seen
    return wire, json.loads(wire.content)


def test_a_plain_video_says_every_billable_field() -> None:
    wire, body = sent(video(callback_url="https://gateway.example/hints/att_1/token"))

    url = "https://replicate.example/v1/models/kwaivgi/kling-v3-video/predictions"
    assert (wire.method, str(wire.url)) == ("POST", url)
    assert wire.headers["authorization"] == "Bearer secret-key"
    assert wire.headers["content-type"] == "application/json"
    assert "prefer" not in wire.headers
    assert body == {
        "input": {
            "prompt": "a heron over still water",
            "mode": "standard",
            "duration": 5,
            "generate_audio": False,
            "negative_prompt": "",
            "aspect_ratio": "16:9",
        },
        "webhook": "https://gateway.example/hints/att_1/token",
        "webhook_events_filter": ["completed"],
    }


def test_without_an_address_to_call_there_is_no_webhook() -> None:
    _, body = sent(video())

    assert set(body) == {"input"}


def test_an_image_video_names_its_frames_and_no_shape() -> None:
    request = from_image(
        prompt="",
        negative_prompt="rain",
        image_end=OTHER,
        aspect_ratio="9:16",
        quality="1080p",
        sound=True,
        duration_seconds=15,
    )
    wire, body = sent(request)

    assert wire.url.path == "/v1/models/kwaivgi/kling-v3-video/predictions"
    assert body["input"] == {
        "prompt": "",
        "mode": "pro",
        "duration": 15,
        "generate_audio": True,
        "negative_prompt": "rain",
        "start_image": "http://127.0.0.1:9/start.png",
        "end_image": OTHER,
    }


def test_own_shots_are_json_in_a_string_and_the_prompt_says_what_they_say() -> None:
    _, body = sent(video(**OWN_SHOTS, quality="4k"))

    assert body["input"] == {
        "prompt": "a door a garden",
        "mode": "4k",
        "duration": 5,
        "generate_audio": False,
        "negative_prompt": "",
        "aspect_ratio": "16:9",
        "multi_prompt": '[{"prompt": "a door", "duration": 2}, {"prompt": "a garden", "duration": 3}]',
    }


def test_the_prompt_of_long_shots_is_no_longer_than_a_prompt_may_be() -> None:
    shots = tuple(Shot(index=number, prompt="p" * 512, duration_seconds=1) for number in range(1, 7))
    _, body = sent(video(**OWN_SHOTS | {"shots": shots}, duration_seconds=6))

    assert len(body["input"]["prompt"]) == 2500


def test_omni_takes_reference_images_and_has_no_negative_prompt() -> None:
    wire, body = sent(video(model=REFERENCE, images=(FIRST, OTHER), prompt="<<<image_2>>> over <<<image_1>>>"))

    assert wire.url.path == "/v1/models/kwaivgi/kling-v3-omni-video/predictions"
    assert body["input"] == {
        "prompt": "<<<image_2>>> over <<<image_1>>>",
        "mode": "standard",
        "duration": 5,
        "generate_audio": False,
        "reference_images": [FIRST, OTHER],
        "aspect_ratio": "16:9",
    }


def test_omni_starts_from_a_frame_beside_images() -> None:
    _, body = sent(video(model=I2V, image_start=FIRST, images=(OTHER,), sound=True, quality="1080p"))

    assert body["input"] == {
        "prompt": "a heron over still water",
        "mode": "pro",
        "duration": 5,
        "generate_audio": True,
        "start_image": FIRST,
        "reference_images": [OTHER],
    }


@pytest.mark.parametrize(("quality", "mode"), [("720p", "std"), ("1080p", "pro")])
def test_motion_control_names_orientation_and_sound(quality: str, mode: str) -> None:
    wire, body = sent(motion(quality=quality, keep_sound=False))

    assert wire.url.path == "/v1/models/kwaivgi/kling-v3-motion-control/predictions"
    assert body["input"] == {
        "prompt": "",
        "mode": mode,
        "image": FIRST,
        "video": CLIP,
        "character_orientation": "video",
        "keep_original_sound": False,
    }


def test_the_plan_notes_the_whole_input_that_is_sent() -> None:
    request = video(**OWN_SHOTS, callback_url="https://gateway.example/hints/att_1/token")
    wire, body = sent(request)

    assert Replicate().plan(request) == Plan(
        route=wire.url.path.removeprefix("/v1"), mark={"model": "kwaivgi/kling-v3-video", "input": body["input"]}
    )


def test_an_unpaired_surrogate_can_be_sent() -> None:
    _, body = sent(video(prompt="broken \ud83d text"))

    assert body["input"]["prompt"] == "broken \ud83d text"


@pytest.mark.parametrize(
    "request_",
    [
        video(),
        from_image(image_end=OTHER),
        video(**OWN_SHOTS),
        from_image(**OWN_SHOTS),
        motion(),
        video(model=T2V),
        video(model=T2V, **OWN_SHOTS),
        video(model=I2V, image_start=FIRST, image_end=OTHER),
        video(model=REFERENCE, images=(FIRST,), prompt="<<<image_1>>>"),
    ],
)
def test_what_it_makes_has_no_obstacle(request_: Request) -> None:
    assert Replicate().obstacle(request_) == ""


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (element(), "makes no elements"),
        (video(model="kling-v3-turbo-text-to-video"), "does not make the model"),
        (video(model="kling-o1-image-to-video"), "does not make the model"),
        (motion(model="kling-v2.6-motion-control"), "does not make the model"),
        (from_image(element_ids=("811",)), "takes no elements"),
        (video(watermark=True), "makes no watermark"),
        (video(multi_shot=True, shot_type="intelligence"), "plans no shots"),
        (from_image(**OWN_SHOTS, image_end=OTHER), "takes no last frame with own shots"),
        (video(model="kling-o3-video-edit", video=CLIP, video_use="base"), "takes no video longer than 10 seconds"),
        (video(model=REFERENCE, video_use="feature"), "takes no video longer than 10 seconds"),
        (video(model=I2V, image_start=FIRST, prompt="<<<image_1>>> wakes"), "may count the images otherwise"),
        (
            video(model=I2V, image_start=FIRST, shots=(Shot(index=1, prompt="<<<image_1>>>", duration_seconds=5),)),
            "may count the images otherwise",
        ),
    ],
)
def test_what_it_cannot_make_has_a_reason(request_: Request, reason: str) -> None:
    assert Replicate().obstacle(request_) == reason
