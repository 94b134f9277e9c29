"""The files are real: playable, as long and as large as asked, with sound where it was asked for."""

import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from generations.sandbox import clips
from tests.generations import wire
from tests.generations.sandbox.bodies import KEY, NEW_IMAGE, NEW_TEXT, frame, new_image, new_text
from tests.generations.simulator import RunningSimulator, wait_for


def plan(**changes: Any) -> dict[str, Any]:
    return {"seconds_made": 3, "resolution": "720p", "ratio": "16:9", "sound": False} | changes


def facts(content: bytes) -> tuple[int, int, float, int, bool]:
    """Width, height, seconds, frames that decode, whether there is sound all along."""
    with av.open(io.BytesIO(content), "r") as container:
        assert container.duration is not None
        video, seconds = container.streams.video[0], container.duration / av.time_base
        pictures, samples = 0, 0
        for frame in container.decode():
            pictures += isinstance(frame, av.VideoFrame)
            samples += frame.samples if isinstance(frame, av.AudioFrame) else 0
        audible = samples / clips.SAMPLE_RATE >= seconds - 0.01
        return video.width, video.height, round(seconds, 3), pictures, audible


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (1280, 720)),
        ({"ratio": "9:16"}, (720, 1280)),
        ({"ratio": "1:1", "resolution": "1080p"}, (1080, 1080)),
        ({"resolution": "1080p"}, (1920, 1080)),
        ({"resolution": "4k"}, (3840, 2160)),
        ({"ratio": "", "frame": None}, (1280, 720)),
        ({"ratio": "", "frame": [400, 1000]}, (720, 1800)),
        ({"ratio": "", "frame": [1001, 667]}, (1080, 720)),
    ],
)
def test_a_clip_has_the_size_of_its_quality_and_shape(changes: dict[str, Any], size: tuple[int, int]) -> None:
    clip = clips.of(plan(**changes), watermark=False)

    assert (clip.width, clip.height) == size


@pytest.mark.parametrize(("seconds", "frames"), [(3, 72), (5, 120), (15, 360), (5.041, 121), (2.5, 60)])
def test_every_frame_of_a_rendered_clip_decodes(tmp_path: Path, seconds: float, frames: int) -> None:
    clip = clips.Clip(width=320, height=180, frames=round(seconds * clips.FPS), sound=True, watermark=True)
    path = tmp_path / clip.name
    clips.render(clip, path)

    assert facts(path.read_bytes()) == (320, 180, round(frames / 24, 3), frames, True)
    assert [file.name for file in tmp_path.iterdir()] == [clip.name]


def made(simulator: RunningSimulator, path: str, body: dict[str, Any]) -> str:
    """The address of a finished task's file."""
    task_id = simulator.http.post(path, json=body, headers=KEY).json()["data"]["id"]
    simulator.advance(600)

    def output() -> str:
        (row,) = simulator.http.get(f"/tasks?task_ids={task_id}", headers=KEY).json()["data"]
        return row["outputs"][0]["url"] if row["outputs"] else ""

    url: str = wait_for(output)
    return url


def test_a_result_is_served_whole_and_by_ranges(simulator: RunningSimulator) -> None:
    url = made(simulator, NEW_TEXT, new_text(duration=3, audio="native"))
    whole = simulator.http.get(url)
    part = simulator.http.get(url, headers={"Range": "bytes=4-7"})

    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert facts(whole.content) == (1280, 720, 3.0, 72, True)
    assert (part.status_code, part.content) == (206, b"ftyp")


def test_a_short_clip_is_shorter_than_asked(simulator: RunningSimulator) -> None:
    url = made(simulator, NEW_TEXT, new_text(prompt="x [sim:short 2]", duration=5))

    assert facts(simulator.http.get(url).content) == (1280, 720, 3.0, 72, False)


def test_a_result_exists_only_after_success(simulator: RunningSimulator) -> None:
    created = simulator.http.post(NEW_TEXT, json=new_text(), headers=KEY).json()["data"]

    assert simulator.http.get(f"/results/{created['id']}.mp4").status_code == 404
    assert simulator.http.get("/results/..%2Fsecret.mp4").status_code == 404


def picture(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 160)).save(content, "PNG")
    return content.getvalue()


def answer(content: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: " + str(len(content)).encode() + b"\r\n\r\n" + content


def test_an_image_video_takes_the_shape_of_its_first_frame(simulator: RunningSimulator) -> None:
    with wire.peer(answer(picture(500, 1000))) as peer:
        url = made(simulator, NEW_IMAGE, new_image(frame(url=f"{peer.url}/start.png"), duration=3))

    assert facts(simulator.http.get(url).content)[:2] == (720, 1440)


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (answer(b"gone", b"404 Not Found"), "Failed to download the reference image"),
        (answer(b"<html>not an image</html>"), "Image format is invalid"),
        (answer(picture(299, 400)), "Image pixel is invalid"),
        (answer(picture(300, 800)), "Image pixel is invalid"),
    ],
)
def test_a_bad_reference_fails_the_task(simulator: RunningSimulator, served: bytes, reason: str) -> None:
    with wire.peer(served) as peer:
        assert _message(simulator, f"{peer.url}/start.png") == reason


def test_an_address_that_nobody_answers_at_passes_unless_the_check_is_strict(simulator: RunningSimulator) -> None:
    assert _message(simulator, "http://127.0.0.1:9/start.png") == "succeeded"
    simulator.do("settings", media="strict")
    assert _message(simulator, "http://127.0.0.1:9/start.png") == "Failed to download the reference image"


def test_references_are_not_fetched_when_the_check_is_off(simulator: RunningSimulator) -> None:
    simulator.do("settings", media="off")
    with wire.peer(answer(b"gone", b"404 Not Found")) as peer:
        assert _message(simulator, f"{peer.url}/start.png") == "succeeded"
        assert peer.requests == []


def _message(simulator: RunningSimulator, image: str) -> str:
    """How a task with this first frame ends: its reason, else its state."""
    body = new_image(frame(url=image))
    task_id = simulator.http.post(NEW_IMAGE, json=body, headers=KEY).json()["data"]["id"]
    simulator.advance(600)

    def ended() -> str:
        (row,) = simulator.http.get(f"/tasks?task_ids={task_id}", headers=KEY).json()["data"]
        return (row["message"] or row["status"]) if row["status"] in ("succeeded", "failed") else ""

    message: str = wait_for(ended)
    return message
