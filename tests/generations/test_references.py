"""Reference media: checked before anything is sent, copied, and shown to the upstream only as our copy."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from generations import files, lifecycle, references
from generations.models import StoredFile, Task, TaskMedia
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, alerts, ask, ask_element, findings, money, seen, upload
from tests.generations.simulator import RunningSimulator
from tests.generations.wire import Canary, peer

pytestmark = pytest.mark.django_db(transaction=True)

FACE = PHOTOS / "astronaut.png"
CAT = PHOTOS / "chelsea.png"
POST = "/v1/videos/generations"
I2V = "kling-v3-image-to-video"


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@contextmanager
def served(path: Path) -> Iterator[str]:
    """An address outside of ours where this file lies."""
    with peer(http(path.read_bytes())) as somewhere:
        yield f"{somewhere.url}/{path.name}"


def sent_body(simulator: RunningSimulator) -> dict[str, Any]:
    """What the upstream was asked."""
    (create,) = simulator.see("requests")["requests"]
    body: dict[str, Any] = json.loads(create["body"])
    return body


def first_frame(simulator: RunningSimulator) -> str:
    contents = sent_body(simulator)["contents"]
    (url,) = [entry["url"] for entry in contents if entry["type"] == "first_frame"]
    return str(url)


def signed_file(url: str) -> StoredFile | None:
    """What a signed link of ours shows."""
    name, token = url.split("/files/")[1].split("/")[:2]
    return files.find_signed(name, token)


def picture(path: Path, size: tuple[int, int]) -> Path:
    Image.new("RGB", size, "teal").save(path)
    return path


def test_a_copy_that_came_after_its_task_was_cancelled_goes_by_itself(alice: Person, gateway: Steps) -> None:
    with served(CAT) as url:
        task = ask(alice, model=I2V, image_start=url)
        before = timezone.now()
        lifecycle.cancel(task)
        references.prepare(task)
    copy = StoredFile.objects.get(purpose=StoredFile.Purpose.REFERENCE)
    assert timedelta(0) <= copy.expires_at - before - timedelta(days=1) < timedelta(minutes=1)


def test_the_upstream_gets_a_signed_link_to_our_checked_copy_until_the_task_ends(
    alice: Person, gateway: Steps, simulator: RunningSimulator, tmp_path: Path
) -> None:
    with Image.open(CAT) as photo:
        comment = Image.Exif()
        comment[0x010E] = "a secret place"
        photo.convert("RGB").save(tmp_path / "cat.jpg", exif=comment)
    with served(tmp_path / "cat.jpg") as url:
        task = ask(alice, model=I2V, image_start=url, prompt="[sim:slow 5]")
        gateway.sent(task)

    link = first_frame(simulator)
    assert link.startswith("http://127.0.0.1:8000/files/")
    copy = signed_file(link)
    assert copy is not None
    assert (copy.purpose, copy.task_id, copy.format) == ("reference", task.pk, "jpeg")
    with files.local_path(copy) as path:
        assert b"a secret place" not in path.read_bytes()
        with Image.open(path) as image, Image.open(tmp_path / "cat.jpg") as original:
            assert image.size == original.size
    assert files.find_public(link.split("/files/")[1].split("/")[0]) is None

    simulator.advance(10)
    gateway.until(task, Task.Status.COMPLETED)
    assert signed_file(link) is None
    copy.refresh_from_db()
    assert copy.expires_at <= timezone.now()
    assert files.expire_due() == 1
    assert findings() == []


def test_a_picture_that_is_changed_after_the_check_changes_nothing(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    with served(CAT) as url:
        task = ask(alice, model=I2V, image_start=url)
        gateway.sent(task)
    assert url not in json.dumps(sent_body(simulator))
    medium = TaskMedia.objects.get()
    assert (medium.state, medium.url, medium.role) == ("ready", url, "image_start")


def test_an_upload_of_ours_is_read_from_storage(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any
) -> None:
    canary = Canary()
    settings.PUBLIC_URL = f"http://127.0.0.1:{canary.port}"
    task = ask(alice, model=I2V, image_start=upload(alice.organization, CAT))
    gateway.sent(task)
    assert signed_file(first_frame(simulator)) is not None
    simulator.do("settings", media="off")
    assert TaskMedia.objects.get().state == "ready"
    canary.close()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("small.png", "image_dimension_mismatch", "300"),
        ("long.png", "image_dimension_mismatch", "2.5"),
        ("text.png", "image_processing_error", ""),
        ("film.mp4", "image_processing_error", ""),
    ],
)
def test_a_wrong_picture_fails_the_task_in_plain_words_and_refunds_it(
    alice: Person, gateway: Steps, simulator: RunningSimulator, tmp_path: Path, name: str, code: str, words: str
) -> None:
    path = tmp_path / name
    sizes = {"small.png": (299, 400), "long.png": (1000, 399)}
    if name in sizes:
        picture(path, sizes[name])
    elif name == "text.png":
        path.write_text("This is no picture.")
    else:
        film(path, width=320, height=320, seconds=1)
    with served(path) as url:
        task = gateway.until(ask(alice, model=I2V, image_start=url), Task.Status.FAILED, seconds=5)

    error = seen(alice, task)["error"]
    assert (error["code"], error["param"]) == (code, "image_start")
    assert words in error["message"]
    assert money(alice.organization) == (1000, 0)
    assert simulator.see("requests")["requests"] == []
    assert task.attempts.count() == 0
    assert findings() == []


@pytest.mark.parametrize(
    ("answer", "words"), [(http(b"", "404 Not Found"), "404"), (http(b"", "302 Found"), "302"), (b"", "")]
)
def test_an_address_without_the_file_fails_the_task(
    alice: Person, gateway: Steps, simulator: RunningSimulator, answer: bytes, words: str
) -> None:
    with peer(answer) as somewhere:
        task = gateway.until(ask(alice, model=I2V, image_start=f"{somewhere.url}/a.png"), Task.Status.FAILED)
    assert (task.error_code, task.error_param) == ("media_unreachable", "image_start")
    assert words in task.error_message
    assert money(alice.organization) == (1000, 0)
    assert simulator.see("requests")["requests"] == []


def test_an_address_that_is_too_slow_is_left_to_the_upstream(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any
) -> None:
    settings.MEDIA_TIMEOUT_SECONDS = 0.3
    canary = Canary()
    url = f"http://127.0.0.1:{canary.port}/a.png"
    simulator.do("settings", media="off")
    task = ask(alice, model=I2V, image_start=url)
    gateway.sent(task)
    assert first_frame(simulator) == url
    assert TaskMedia.objects.get().state == "unreached"
    gateway.until(task, Task.Status.COMPLETED)
    canary.close()


def test_the_worker_checks_the_address_again_before_it_connects(
    alice: Person, gateway: Steps, simulator: RunningSimulator, settings: Any
) -> None:
    canary = Canary()
    task = ask(alice, model=I2V, image_start=f"http://127.0.0.1:{canary.port}/a.png")
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    gateway.until(task, Task.Status.FAILED)
    assert (task.error_code, canary.connections()) == ("media_unreachable", 0)
    assert money(alice.organization) == (1000, 0)
    canary.close()


@pytest.mark.parametrize(("size", "code"), [((299, 299), "invalid_image"), ((900, 350), "invalid_image")])
def test_an_upload_known_to_be_wrong_is_refused_at_once(
    alice: Person, gateway: Steps, tmp_path: Path, size: tuple[int, int], code: str
) -> None:
    url = upload(alice.organization, picture(tmp_path / "a.png", size))
    answer = alice.client.post(POST, {"model": I2V, "image_start": url})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, "image_start")
    assert not Task.objects.exists()
    assert money(alice.organization) == (1000, 0)


def test_a_file_of_another_organization_is_not_allowed(
    alice: Person, charlie: Person, gateway: Steps, tmp_path: Path
) -> None:
    url = upload(charlie.organization, CAT)
    answer = alice.client.post(POST, {"model": I2V, "image_start": url})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "media_url_not_allowed")
    assert answer.json()["error"]["param"] == "image_start"


@pytest.mark.parametrize("kind", ["file_url", "download_url"])
def test_an_upload_may_be_deleted_as_soon_as_the_task_is_made(
    alice: Person, gateway: Steps, tmp_path: Path, kind: str
) -> None:
    body = {"base64_data": base64.b64encode(CAT.read_bytes()).decode()}
    kept = alice.client.post("/api/v1/files/upload/base64", body).json()["data"]
    task = ask(alice, model=I2V, image_start=kept[kind])
    assert alice.client.delete(f"/api/v1/files/{kept['file_id']}").status_code == 200
    assert alice.client.get(kept["file_url"]).status_code == 404
    assert files.expire_due() == 0

    gateway.until(task, Task.Status.COMPLETED)
    upload = StoredFile.objects.get(purpose="upload")
    assert (upload.deleted_at, files.expire_due()) == (None, 2)  # the upload and the checked copy
    assert alice.client.post(POST, {"model": I2V, "image_start": kept[kind]}).status_code == 400


def test_a_deleted_upload_is_not_kept_for_a_task_that_ended(alice: Person, gateway: Steps) -> None:
    task = ask(alice, model=I2V, image_start=upload(alice.organization, CAT))
    lifecycle.cancel(task)
    file = StoredFile.objects.get()
    files.remove(file)
    file.refresh_from_db()
    assert file.deleted_at is not None


def test_an_upload_whose_bytes_are_gone_fails_the_task(alice: Person, gateway: Steps) -> None:
    task = ask(alice, model=I2V, image_start=upload(alice.organization, CAT))
    default_storage.delete(StoredFile.objects.get().storage_name)
    gateway.until(task, Task.Status.FAILED)
    assert (task.error_code, task.error_param) == ("resource_not_found", "image_start")
    assert money(alice.organization) == (1000, 0)


@pytest.mark.parametrize("path", ["", "/", "/docs", "/v1/tasks", "/files/short/a.png", "/api/v1/files/download/file_x"])
def test_another_address_of_ours_is_not_allowed(alice: Person, gateway: Steps, settings: Any, path: str) -> None:
    settings.PUBLIC_URL = "https://api.example.com"
    answer = alice.client.post(POST, {"model": I2V, "image_start": settings.PUBLIC_URL + path})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "media_url_not_allowed")


def test_without_a_face_no_element_is_made(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    with served(CAT) as url:
        task = gateway.until(ask_element(alice, frontal=url), Task.Status.FAILED)
    error = seen(alice, task)["error"]
    assert error == {
        "code": "face_not_found",
        "message": "A clearly visible human face must be in the image.",
        "type": "task_error",
        "retryable": False,
        "param": "model_params.element_image_list.frontal_image",
    }
    assert money(alice.organization) == (1000, 0)
    assert simulator.see("requests")["requests"] == []


def test_an_upload_known_to_show_no_face_is_refused_before_any_credit_moves(alice: Person, gateway: Steps) -> None:
    url = upload(alice.organization, CAT)
    gateway.due()
    assert StoredFile.objects.get().face is False
    params = {
        "element_name": "Mia",
        "element_description": "A cat",
        "reference_type": "image_refer",
        "element_image_list": {"frontal_image": url},
    }
    answer = alice.client.post(POST, TEXT_TO_VIDEO | {"model": "kling-custom-element", "model_params": params})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "face_not_found")
    assert error["param"] == "model_params.element_image_list.frontal_image"
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("setting", "status", "told"),
    [("warn", "completed", {"face-not-found"}), ("off", "completed", set()), ("refuse", "failed", set())],
)
def test_another_angle_without_a_face_is_the_operators_choice(
    alice: Person, gateway: Steps, settings: Any, setting: str, status: str, told: set[str]
) -> None:
    settings.FACE_CHECK_OTHER_ANGLES = setting
    with served(FACE) as face, served(CAT) as cat:
        task = gateway.until(ask_element(alice, frontal=face, others=[face, cat]), status)
    assert alerts() == told
    if status == "failed":
        assert task.error_param == "model_params.element_image_list.refer_images[1].image_url"
    assert money(alice.organization) == ((1000, 0) if status == "failed" else (999, 0))


def test_an_element_video_without_a_face_is_refused(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    path = film(tmp_path / "cat.mp4", width=1280, height=720, seconds=3, fps=4, pictures=[CAT])
    with served(path) as url:
        task = ask_element(alice, reference_type="video_refer", element_video_list={"video_url": url})
        gateway.until(task, Task.Status.FAILED)
    assert (task.error_code, task.error_param) == ("face_not_found", "model_params.element_video_list.video_url")


def test_an_element_video_that_is_too_short_is_refused(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    path = film(tmp_path / "short.mp4", seconds=2)
    with served(path) as url:
        task = ask_element(alice, reference_type="video_refer", element_video_list={"video_url": url})
        gateway.until(task, Task.Status.FAILED)
    assert task.error_param == "model_params.element_video_list.video_url"
    assert money(alice.organization) == (Decimal(1000), 0)
