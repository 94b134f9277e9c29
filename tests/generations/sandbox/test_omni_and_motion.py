"""The simulator's omni and motion endpoints: what they take, what they refuse, how long a clip is and what it costs."""

from pathlib import Path
from typing import Any

import pytest

from tests.generations.films import film
from tests.generations.sandbox.bodies import KEY, NOWHERE
from tests.generations.simulator import RunningSimulator, wait_for
from tests.generations.wire import peer

OMNI, O1, OLD_OMNI = "/omni-video/kling-3.0-omni", "/omni-video/kling-o1", "/v1/videos/omni-video"
MOTION, MOTION_2_6, OLD_MOTION = "/motion-control/kling-3.0", "/motion-control/kling-2.6", "/v1/videos/motion-control"
TURBO = "/text-to-video/kling-3.0-turbo"


def part(kind: str, url: str = NOWHERE) -> dict[str, str]:
    return {"type": kind, "url": url}


def new(*contents: dict[str, str], **settings: Any) -> dict[str, Any]:
    return {"contents": [{"type": "prompt", "text": "a heron"}, *contents], "settings": settings}


def omni(*contents: dict[str, str], **settings: Any) -> dict[str, Any]:
    return new(*contents, **{"multi_shot": False, "aspect_ratio": "16:9"} | settings)


def motion(url: str = NOWHERE, **settings: Any) -> dict[str, Any]:
    return new(part("image"), part("video", url), **{"character_orientation": "video"} | settings)


def old_omni(**fields: Any) -> dict[str, Any]:
    return {"model_name": "kling-v3-omni", "prompt": "a heron", "aspect_ratio": "16:9"} | fields


def old_motion(**fields: Any) -> dict[str, Any]:
    media = {"image_url": NOWHERE, "video_url": NOWHERE}
    return {"model_name": "kling-v3", "character_orientation": "video", "mode": "std"} | media | fields


def clip(use: str) -> dict[str, str]:
    return {"video_url": NOWHERE, "refer_type": use}


GOOD: dict[str, tuple[str, dict[str, Any], int]] = {
    "text": (OMNI, omni(), 5 * 600),
    "text with sound in 1080p": (OMNI, omni(audio="native", resolution="1080p", duration=3), 3 * 1000),
    "frames": (OMNI, new(part("first_frame"), part("last_frame"), multi_shot=False), 5 * 600),
    "seven images": (OMNI, omni(*[part("refer_image")] * 7, resolution="4k"), 5 * 3000),
    "a video to follow": (OMNI, omni(part("feature_video"), multi_shot=True), 5 * 900),
    "a video to change": (OMNI, new(part("base_video"), multi_shot=False, audio="original"), 5 * 900),
    "o1 frames": (O1, new(part("first_frame"), multi_shot=False, resolution="1080p"), 5 * 800),
    "o1 video": (O1, new(part("base_video"), multi_shot=False, resolution="1080p"), 5 * 1200),
    "legacy omni": (OLD_OMNI, old_omni(), 5 * 800),
    "legacy omni with a video": (OLD_OMNI, old_omni(mode="std", video_list=[clip("feature")]), 5 * 900),
    "motion": (MOTION, motion(), 5 * 900),
    "motion before": (MOTION_2_6, motion(resolution="1080p"), 5 * 800),
    "legacy motion": (OLD_MOTION, old_motion(), 5 * 900),
    "turbo": (TURBO, {"prompt": "a heron", "settings": {"resolution": "1080p"}}, 5 * 1000),
}
BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "no shape": (OMNI, new(multi_shot=False)),
    "last frame alone": (OMNI, omni(part("last_frame"))),
    "last frame and three images": (OMNI, omni(part("first_frame"), part("last_frame"), part("refer_image"))),
    "eight images": (OMNI, omni(*[part("refer_image")] * 8)),
    "a video and five images": (OMNI, omni(part("feature_video"), *[part("refer_image")] * 5, multi_shot=True)),
    "two videos": (OMNI, omni(part("feature_video"), part("base_video"), multi_shot=True)),
    "one shot with a video to follow": (OMNI, omni(part("feature_video"))),
    "sound with a video to follow": (OMNI, omni(part("feature_video"), multi_shot=True, audio="native")),
    "shots of a video to change": (OMNI, new(part("base_video"), multi_shot=True)),
    "new sound for a video to change": (OMNI, new(part("base_video"), multi_shot=False, audio="native")),
    "a frame and a video to change": (OMNI, new(part("base_video"), part("first_frame"), multi_shot=False)),
    "o1 with sound": (O1, omni(audio="native")),
    "o1 in 4k": (O1, omni(resolution="4k")),
    "legacy sound with a video": (OLD_OMNI, old_omni(sound="on", video_list=[clip("feature")])),
    "legacy without a shape": (OLD_OMNI, {"model_name": "kling-v3-omni", "prompt": "a heron"}),
    "motion without an orientation": (MOTION, new(part("image"), part("video"))),
    "motion without a video": (MOTION, new(part("image"), character_orientation="video")),
    "motion with two images": (
        MOTION,
        new(part("image"), part("image"), part("video"), character_orientation="video"),
    ),
    "motion in 4k": (MOTION, motion(resolution="4k")),
    "legacy motion without a mode": (OLD_MOTION, old_motion(mode=None)),
    "turbo in 4k": (TURBO, {"prompt": "a heron", "settings": {"resolution": "4k"}}),
    "turbo with a choice of sound": (TURBO, {"prompt": "a heron", "settings": {"audio": "off"}}),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_create_is_taken_at_its_price(simulator: RunningSimulator, case: str) -> None:
    path, body, milliunits = GOOD[case]
    simulator.do("settings", media="off")
    answer = simulator.http.post(path, json=body, headers=KEY).json()

    assert (answer["code"], answer["message"]) == (0, "SUCCEED")
    (task,) = simulator.see("tasks")["tasks"]
    assert task["milliunits"] == milliunits


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(simulator: RunningSimulator, case: str) -> None:
    path, body = BAD[case]
    response = simulator.http.post(path, json=body, headers=KEY)

    assert (response.status_code, response.json()["code"]) == (400, 1201)
    assert simulator.see("tasks")["tasks"] == []


@pytest.mark.parametrize(("text", "seconds", "milliunits"), [("", 4.0, 3600), ("[sim:short 1]", 3.0, 2700)])
def test_a_clip_is_as_long_as_the_video_that_goes_in_and_billed_so(
    simulator: RunningSimulator, tmp_path: Path, text: str, seconds: float, milliunits: int
) -> None:
    content = film(tmp_path / "a.mp4", width=640, height=360, seconds=4, fps=8).read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()

    def ended() -> dict[str, Any] | None:
        simulator.advance(300)
        (row,) = simulator.see("tasks")["tasks"]
        return row if row["state"] == "succeeded" else None

    with peer(head + content) as somewhere:
        body = new(
            {"type": "prompt", "text": f"x {text}"}, part("image"), part("video", somewhere.url),
            character_orientation="video",
        )  # fmt: skip
        body["contents"].pop(0)
        body["contents"][1]["url"] = NOWHERE
        assert simulator.http.post(MOTION, json=body, headers=KEY).json()["code"] == 0
        task = wait_for(ended)

    assert (task["plan"]["seconds_made"], task["milliunits"]) == (seconds, milliunits)
