"""What goes over the wire to fal: exact bodies, the endpoint that takes them, and what fal cannot make."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from generations.catalog import SPECS
from generations.providers.base import Accepted, Account, ElementUse, Request, Shot
from generations.providers.fal import Fal
from generations.providers.fal.endpoints import MODELS
from generations.providers.fal.requests import named_references
from tests.generations.providers.requests import element, from_image, known, video

ACCOUNT = Account(base_url="https://queue.example", credentials={"api_key": "secret-key"})
START, END, CLIP = "https://files.example/start.png", "https://files.example/end.png", "https://files.example/a.mp4"
IMAGES = ("https://files.example/1.png", "https://files.example/2.png")
SHOTS = (
    Shot(index=1, prompt="<<<element_1>>> opens a door", duration_seconds=2),
    Shot(index=2, prompt="a garden", duration_seconds=3),
)
ADA = ElementUse(
    upstream_id="", name="Ada", description="a woman", kind="image_refer", frontal_image="https://files.example/ada.png"
)
BEA = ElementUse(
    upstream_id="",
    name="Bea",
    description="a girl",
    kind="image_refer",
    frontal_image="https://files.example/bea.png",
    refer_images=("https://files.example/left.png", "https://files.example/right.png"),
)
CID = ElementUse(
    upstream_id="", name="Cid", description="a man", kind="video_refer", video="https://files.example/cid.mp4"
)
O3 = {"model": "kling-o3-image-to-video"}
FOLLOW: dict[str, Any] = {
    "model": "kling-o3-reference-to-video",
    "video": CLIP,
    "video_use": "feature",
    "keep_sound": True,
}
EDIT: dict[str, Any] = {
    "model": "kling-o3-video-edit",
    "duration_seconds": None,
    "aspect_ratio": None,
    "video": CLIP,
    "video_use": "base",
}
MOTION: dict[str, Any] = {
    "model": "kling-v3-motion-control",
    "duration_seconds": None,
    "aspect_ratio": None,
    "images": IMAGES[:1],
    "video": CLIP,
    "video_use": "motion",
    "orientation": "video",
}


def answered(request: Request, body: Any) -> tuple[Accepted, httpx.Request]:
    seen: list[httpx.Request] = []

    def answer(wire: httpx.Request) -> httpx.Response:
        seen.append(wire)
        return httpx.Response(200, json=body)

    accepted = Fal(transport=httpx.MockTransport(answer)).submit(ACCOUNT, request)
    (wire,) = seen
    return accepted, wire


def sent(request: Request) -> tuple[str, dict[str, Any]]:
    """The path and the body of the one create that a submit makes."""
    _, wire = answered(request, {"request_id": "r-1", "status": "IN_QUEUE"})
    return wire.url.path.removeprefix("/fal-ai/kling-video"), json.loads(wire.content)


def test_a_plain_video_is_sent_with_every_billable_field() -> None:
    accepted, wire = answered(video(), {"request_id": "r-1", "status": "IN_QUEUE", "queue_position": 0})

    assert (wire.method, str(wire.url)) == (
        "POST",
        "https://queue.example/fal-ai/kling-video/v3/standard/text-to-video",
    )
    assert wire.headers["authorization"] == "Key secret-key"
    assert wire.headers["content-type"] == "application/json"
    assert json.loads(wire.content) == {
        "prompt": "a heron over still water",
        "negative_prompt": "",
        "duration": "5",
        "aspect_ratio": "16:9",
        "generate_audio": False,
    }
    assert accepted == Accepted(
        upstream_id="r-1", route="/fal-ai/kling-video/v3/standard/text-to-video", state_word="IN_QUEUE", queued=True
    )


def test_our_address_goes_along_whatever_characters_it_has() -> None:
    address = "https://gateway.example/hints/att_1/a-b_c?x=1&y=2"
    _, wire = answered(video(callback_url=address), {"request_id": "r-1", "status": "IN_QUEUE"})

    assert dict(wire.url.params) == {"fal_webhook": address}
    assert b"fal_webhook=https%3A%2F%2Fgateway.example%2Fhints%2Fatt_1%2Fa-b_c%3Fx%3D1%26y%3D2" in wire.url.raw_path


def test_addresses_that_fal_names_are_not_kept() -> None:
    foreign = dict.fromkeys(("status_url", "response_url", "cancel_url"), "https://elsewhere.example/x")
    accepted, _ = answered(video(), {"request_id": 7, "status": "IN_PROGRESS", **foreign})

    assert (accepted.upstream_id, accepted.queued) == ("7", False)
    assert "elsewhere" not in repr(accepted)


@pytest.mark.parametrize(("quality", "tier"), [("720p", "standard"), ("1080p", "pro"), ("4k", "4k")])
def test_the_quality_is_a_part_of_the_path(quality: str, tier: str) -> None:
    assert sent(video(quality=quality))[0] == f"/v3/{tier}/text-to-video"
    assert sent(from_image(quality=quality))[0] == f"/v3/{tier}/image-to-video"


def test_an_image_video_names_its_frames_and_brings_its_elements() -> None:
    request = from_image(
        prompt="<<<element_1>>>meets <<<element_2>>> and <<<element_3>>>",
        negative_prompt="rain",
        image_end=END,
        elements=(ADA, BEA, CID),
        sound=True,
        duration_seconds=12,
        multi_shot=True,
        shot_type="intelligence",
    )

    assert sent(request) == (
        "/v3/standard/image-to-video",
        {
            "prompt": "@Element1 meets @Element2 and @Element3",
            "shot_type": "intelligent",
            "negative_prompt": "rain",
            "start_image_url": "http://127.0.0.1:9/start.png",
            "end_image_url": END,
            "elements": [
                {
                    "frontal_image_url": "https://files.example/ada.png",
                    "reference_image_urls": ["https://files.example/ada.png"],
                },
                {
                    "frontal_image_url": "https://files.example/bea.png",
                    "reference_image_urls": ["https://files.example/left.png", "https://files.example/right.png"],
                },
                {"video_url": "https://files.example/cid.mp4"},
            ],
            "duration": "12",
            "generate_audio": True,
        },
    )


def test_own_shots_take_the_place_of_the_prompt() -> None:
    request = from_image(multi_shot=True, shot_type="customize", shots=SHOTS, elements=(ADA,), prompt="")
    _, body = sent(request)

    assert "prompt" not in body
    assert body["shot_type"] == "customize"
    assert body["multi_prompt"] == [
        {"prompt": "@Element1 opens a door", "duration": "2"},
        {"prompt": "a garden", "duration": "3"},
    ]
    assert body["duration"] == "5"


def test_motion_control_sends_the_image_the_video_and_what_becomes_of_its_sound() -> None:
    assert sent(video(**MOTION, prompt="", quality="1080p")) == (
        "/v3/pro/motion-control",
        {
            "image_url": IMAGES[0],
            "video_url": CLIP,
            "keep_original_sound": False,
            "character_orientation": "video",
        },
    )
    path, body = sent(video(**MOTION | {"model": "kling-v2.6-motion-control"}, prompt="a stage", keep_sound=True))
    assert path == "/v2.6/standard/motion-control"
    assert (body["prompt"], body["keep_original_sound"]) == ("a stage", True)


def test_o3_from_text() -> None:
    assert sent(video(model="kling-o3-text-to-video", sound=True, quality="4k")) == (
        "/o3/4k/text-to-video",
        {"prompt": "a heron over still water", "duration": "5", "aspect_ratio": "16:9", "generate_audio": True},
    )


def test_o3_from_text_with_elements_is_a_video_from_references() -> None:
    path, body = sent(video(model="kling-o3-text-to-video", prompt="<<<element_1>>>", elements=(ADA,)))

    assert path == "/o3/standard/reference-to-video"
    assert (body["prompt"], body["aspect_ratio"], len(body["elements"])) == ("@Element1", "16:9", 1)


def test_o3_from_frames() -> None:
    assert sent(video(**O3, image_start=START, image_end=END)) == (
        "/o3/standard/image-to-video",
        {
            "prompt": "a heron over still water",
            "image_url": START,
            "end_image_url": END,
            "duration": "5",
            "generate_audio": False,
        },
    )


def test_o3_from_a_frame_and_other_images_counts_the_images_as_fal_does() -> None:
    request = video(**O3, image_start=START, images=IMAGES, prompt="<<<image_2>>> before <<<image_3>>>")

    assert sent(request) == (
        "/o3/standard/reference-to-video",
        {
            "prompt": "@Image1 before @Image2",
            "start_image_url": START,
            "image_urls": list(IMAGES),
            "duration": "5",
            "generate_audio": False,
        },
    )


def test_o3_from_references() -> None:
    request = video(model="kling-o3-reference-to-video", images=IMAGES, elements=(ADA,), quality="1080p")
    path, body = sent(request)

    assert path == "/o3/pro/reference-to-video"
    assert body == {
        "prompt": "a heron over still water",
        "image_urls": list(IMAGES),
        "elements": [
            {
                "frontal_image_url": "https://files.example/ada.png",
                "reference_image_urls": ["https://files.example/ada.png"],
            }
        ],
        "duration": "5",
        "aspect_ratio": "16:9",
        "generate_audio": False,
    }


def test_o3_that_follows_a_video() -> None:
    assert sent(video(**FOLLOW, prompt="as <<<video_1>>>", images=IMAGES)) == (
        "/o3/standard/video-to-video/reference",
        {
            "prompt": "as @Video1",
            "video_url": CLIP,
            "image_urls": list(IMAGES),
            "duration": "5",
            "aspect_ratio": "16:9",
            "keep_audio": True,
        },
    )


def test_an_edit_keeps_or_drops_the_sound_in_words() -> None:
    assert sent(video(**EDIT, elements=(ADA,), quality="1080p")) == (
        "/o3/pro/video-to-video/edit",
        {
            "prompt": "a heron over still water",
            "video_url": CLIP,
            "elements": [
                {
                    "frontal_image_url": "https://files.example/ada.png",
                    "reference_image_urls": ["https://files.example/ada.png"],
                }
            ],
            "keep_audio": False,
        },
    )


def test_o1_names_its_frames_and_edits() -> None:
    frames = {"image_start": START, "image_end": END, "quality": "1080p"}
    assert sent(video(model="kling-o1-image-to-video", **frames, prompt="<<<image_1>>> to <<<image_2>>>")) == (
        "/o1/image-to-video",
        {"prompt": "@Image1 to @Image2", "start_image_url": START, "end_image_url": END, "duration": "5"},
    )
    edit = EDIT | {"model": "kling-o1-video-edit", "quality": "1080p"}
    assert sent(video(**edit, images=IMAGES, keep_sound=True)) == (
        "/o1/video-to-video/edit",
        {
            "prompt": "a heron over still water",
            "video_url": CLIP,
            "image_urls": list(IMAGES),
            "keep_audio": True,
        },
    )


@pytest.mark.parametrize(
    ("prompt", "written"),
    [
        ("<<<element_1>>>walks", "@Element1 walks"),
        ("<<<element_1>>> and <<<image_2>>>, <<<video_1>>>", "@Element1 and @Image2, @Video1"),
        ("<<<element_1>>><<<element_2>>>", "@Element1@Element2"),
        ("<<<voice_1>>> <<<element_0>>> <element_1>", "<<<voice_1>>> <<<element_0>>> <element_1>"),
    ],
)
def test_references_are_written_as_fal_wants_them(prompt: str, written: str) -> None:
    assert named_references(prompt) == written


def test_a_request_is_marked_by_all_that_it_sends() -> None:
    request = from_image(elements=(BEA,))
    plan = Fal().plan(request)
    path, body = sent(request)

    assert plan.route == "/fal-ai/kling-video" + path
    assert plan.mark == body
    assert len(plan.route) <= 120


IMPOSSIBLE: list[tuple[Request, str]] = [
    (element(), "makes no elements"),
    (video(model="kling-v3-turbo-text-to-video"), "does not make the model"),
    (video(model="kling-o1-video-edit-fast"), "does not make the model"),
    (video(watermark=True), "makes no watermark"),
    (video(quality="8k"), "does not make this quality"),
    (video(**MOTION, quality="4k"), "does not make this quality"),
    (from_image(image_end=END, shots=SHOTS, elements=(ADA,)), "takes no last image together with own shots"),
    (from_image(prompt=" "), "needs a prompt"),
    (video(**EDIT | {"prompt": ""}), "needs a prompt"),
    (video(prompt="x" * 2501), "takes prompts to 2500 characters"),
    (video(**O3, image_start=START, prompt="<<<image_1>>>"), "has no name for a frame in a prompt"),
    (from_image(elements=(known("811"),)), "the files of an element are no longer kept"),
    (from_image(elements=(replace(CID, voice_id="829"),), sound=True), "does not have the voice of an element"),
    (from_image(elements=(CID, CID)), "takes one element made from a video only"),
    (video(**MOTION, elements=(CID,)), "takes no elements made from a video here"),
    (video(**FOLLOW, shots=SHOTS, elements=(ADA,)), "takes no own shots here"),
    (video(model="kling-o1-image-to-video", quality="1080p"), "needs a first image"),
    (
        video(model="kling-o1-image-to-video", quality="1080p", image_start=START, elements=(ADA,)),
        "takes no elements here",
    ),
    (
        video(model="kling-o1-image-to-video", quality="1080p", image_start=START, images=IMAGES),
        "takes no reference images",
    ),
    (video(**FOLLOW, image_start=START), "takes no first image"),
    (video(model="kling-o3-reference-to-video", negative_prompt="rain"), "takes no negative prompt"),
    (video(video=CLIP, video_use="base"), "does not use a video like this"),
]


@pytest.mark.parametrize(("request_", "reason"), IMPOSSIBLE)
def test_fal_says_what_it_cannot_make(request_: Request, reason: str) -> None:
    assert Fal().obstacle(request_) == reason


def test_a_voice_that_nobody_hears_is_no_obstacle() -> None:
    assert Fal().obstacle(from_image(elements=(replace(CID, voice_id="829"),))) == ""


def test_what_fal_does_not_make_is_never_sent() -> None:
    with pytest.raises(TypeError):
        Fal(transport=httpx.MockTransport(lambda wire: pytest.fail("sent"))).submit(ACCOUNT, element())


def test_fal_makes_only_models_that_we_have() -> None:
    assert set(MODELS) < {spec.id for spec in SPECS}
    assert Fal().obstacle(video()) == ""
