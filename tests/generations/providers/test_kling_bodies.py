"""What goes over the wire to Kling: exact bodies, and which endpoint takes them."""

import json

import httpx
import pytest

from generations.providers.base import Account, Request, Shot
from generations.providers.kling import Kling
from generations.providers.kling.new_videos import named_references
from tests.generations.providers.requests import element, from_image, video

ACCOUNT = Account(base_url="https://kling.example", credentials={"api_key": "secret-key"})
SHOTS = (
    Shot(index=1, prompt="a door", duration_seconds=2),
    Shot(index=2, prompt="a garden", duration_seconds=3),
)


def sent(request: Request) -> tuple[httpx.Request, dict[str, object]]:
    """The one create that a submit makes."""
    seen: list[httpx.Request] = []

    def answer(wire: httpx.Request) -> httpx.Response:
        seen.append(wire)
        return httpx.Response(200, json={"code": 0, "data": {"id": "77", "status": "submitted"}})

    Kling(transport=httpx.MockTransport(answer)).submit(ACCOUNT, request)
    (wire,) = seen
    return wire, json.loads(wire.content)


def test_a_plain_video_goes_to_the_new_generation_with_every_billable_field() -> None:
    wire, body = sent(video())

    assert (wire.method, str(wire.url)) == ("POST", "https://kling.example/text-to-video/kling-3.0")
    assert wire.headers["authorization"] == "Bearer secret-key"
    assert wire.headers["content-type"] == "application/json"
    assert body == {
        "prompt": "a heron over still water",
        "settings": {
            "multi_shot": False,
            "audio": "off",
            "resolution": "720p",
            "aspect_ratio": "16:9",
            "duration": 5,
        },
        "options": {"external_task_id": "attempt-1", "watermark_info": {"enabled": False}},
    }


def test_an_image_video_names_its_frames_and_elements() -> None:
    request = from_image(
        prompt="<<<element_1>>>meets <<<element_2>>> at dusk",
        image_end="https://files.example/end.png",
        element_ids=("811", "812"),
        quality="4k",
        sound=True,
        watermark=True,
        multi_shot=True,
        shot_type="intelligence",
        callback_url="https://gateway.example/kling",
    )
    wire, body = sent(request)

    assert wire.url.path == "/image-to-video/kling-3.0"
    assert body == {
        "contents": [
            {"type": "prompt", "text": "@element_1 meets @element_2 at dusk"},
            {"type": "first_frame", "url": "http://127.0.0.1:9/start.png"},
            {"type": "last_frame", "url": "https://files.example/end.png"},
            {"type": "element", "element_id": "811", "id": "element_1"},
            {"type": "element", "element_id": "812", "id": "element_2"},
        ],
        "settings": {"multi_shot": True, "audio": "native", "resolution": "4k", "duration": 5},
        "options": {
            "external_task_id": "attempt-1",
            "watermark_info": {"enabled": True},
            "callback_url": "https://gateway.example/kling",
        },
    }


def test_an_image_video_without_a_prompt_sends_none() -> None:
    _, body = sent(from_image(prompt=""))

    assert body["contents"] == [{"type": "first_frame", "url": "http://127.0.0.1:9/start.png"}]


def test_a_negative_prompt_goes_to_legacy() -> None:
    wire, body = sent(video(negative_prompt="rain", quality="1080p", sound=True))

    assert wire.url.path == "/v1/videos/text2video"
    assert body == {
        "model_name": "kling-v3",
        "mode": "pro",
        "duration": "5",
        "sound": "on",
        "multi_shot": False,
        "watermark_info": {"enabled": False},
        "external_task_id": "attempt-1",
        "prompt": "a heron over still water",
        "negative_prompt": "rain",
        "aspect_ratio": "16:9",
    }


def test_own_shots_go_to_legacy_with_numeric_element_ids_and_no_prompt() -> None:
    request = from_image(multi_shot=True, shot_type="customize", shots=SHOTS, element_ids=("811234567890123456",))
    wire, body = sent(request)

    assert wire.url.path == "/v1/videos/image2video"
    assert body == {
        "model_name": "kling-v3",
        "mode": "std",
        "duration": "5",
        "sound": "off",
        "multi_shot": True,
        "watermark_info": {"enabled": False},
        "external_task_id": "attempt-1",
        "shot_type": "customize",
        "multi_prompt": [
            {"index": 1, "prompt": "a door", "duration": "2"},
            {"index": 2, "prompt": "a garden", "duration": "3"},
        ],
        "image": "http://127.0.0.1:9/start.png",
        "element_list": [{"element_id": 811234567890123456}],
    }


def test_an_element_without_other_angles_sends_its_frontal_image_as_the_reference() -> None:
    wire, body = sent(element())

    assert wire.url.path == "/v1/general/advanced-custom-elements"
    assert body == {
        "element_name": "Ada",
        "element_description": "a woman in a red coat",
        "reference_type": "image_refer",
        "external_task_id": "attempt-1",
        "element_image_list": {
            "frontal_image": "http://127.0.0.1:9/front.png",
            "refer_images": [{"image_url": "http://127.0.0.1:9/front.png"}],
        },
    }


def test_an_element_from_a_video_sends_it_with_the_voice() -> None:
    request = element(
        kind="video_refer", frontal_image=None, video="https://files.example/ada.mp4", voice_id="829824295735410756"
    )
    _, body = sent(request)

    assert body == {
        "element_name": "Ada",
        "element_description": "a woman in a red coat",
        "reference_type": "video_refer",
        "external_task_id": "attempt-1",
        "element_video_list": {"refer_videos": [{"video_url": "https://files.example/ada.mp4"}]},
        "element_voice_id": "829824295735410756",
    }


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (video(), "/text-to-video/kling-3.0"),
        (from_image(), "/image-to-video/kling-3.0"),
        (video(negative_prompt="rain"), "/v1/videos/text2video"),
        (video(multi_shot=True, shot_type="intelligence"), "/text-to-video/kling-3.0"),
        (video(multi_shot=True, shot_type="customize", shots=SHOTS), "/v1/videos/text2video"),
        (from_image(negative_prompt="rain"), "/v1/videos/image2video"),
        (element(), "/v1/general/advanced-custom-elements"),
    ],
)
def test_the_route_is_known_before_the_call(request_: Request, path: str) -> None:
    assert Kling().plan(request_).route == path


@pytest.mark.parametrize(
    ("prompt", "translated"),
    [
        ("<<<element_1>>> waves", "@element_1 waves"),
        ("<<<element_1>>>2 waves", "@element_1 2 waves"),
        ("<<<element_3>>>, <<<element_1>>>.", "@element_3, @element_1."),
        ("<<<image_1>>> and <<< element_1 >>>", "@image_1 and <<< element_1 >>>"),
    ],
)
def test_element_references_take_the_new_spelling(prompt: str, translated: str) -> None:
    assert named_references(prompt) == translated


def test_an_unpaired_surrogate_can_be_sent() -> None:
    _, body = sent(video(prompt="broken \ud83d text"))

    assert body["prompt"] == "broken \ud83d text"


def test_credentials_are_not_in_the_repr() -> None:
    assert "secret-key" not in repr(ACCOUNT)
