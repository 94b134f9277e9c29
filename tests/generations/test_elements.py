"""Elements: made from images or a video, used in later videos, deleted, and nobody else's."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from generations import files
from generations.models import Element, ElementCopy, ElementSource, StoredFile, Task
from tests.cast import Person
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import Steps, ask, ask_element, findings, money, seen, upload
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)

POST = "/v1/videos/generations"
FACE = PHOTOS / "astronaut.png"


def element_of(alice: Person, gateway: Steps, *others: Path) -> Element:
    """An element that alice made from uploads of hers."""
    urls = [upload(alice.organization, path) for path in (FACE, *others)]
    task = ask_element(alice, frontal=urls[0], others=urls[1:])
    gateway.until(task, Task.Status.COMPLETED)
    return Element.objects.get(task=task)


def use(alice: Person, *elements: Element, **changes: Any) -> dict[str, Any]:
    """The body of a video with these elements."""
    listed = [{"element_id": str(element.pk)} for element in elements]
    start = upload(alice.organization, PHOTOS / "chelsea.png")
    return {
        "model": "kling-v3-image-to-video",
        "image_start": start,
        "model_params": {"element_list": listed},
    } | changes


def last_body(simulator: RunningSimulator) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(simulator.see("requests")["requests"][-1]["body"])
    return body


def test_an_element_is_made_from_two_images_and_kept_with_them(
    alice: Person, gateway: Steps, simulator: RunningSimulator, tmp_path: Path
) -> None:
    with Image.open(FACE) as photo:
        photo.convert("RGB").save(tmp_path / "side.jpg")
    element = element_of(alice, gateway, tmp_path / "side.jpg")

    answer = seen(alice, element.task)
    element_id = str(element.pk)
    assert (answer["status"], answer["results"]) == ("completed", [])
    assert answer["result_data"] == {"element_id": element_id, "elements": [{"element_id": element_id}]}
    assert "expires_at" not in answer
    assert answer["usage"]["credits_used"] == 1
    assert element_id.isdigit()
    copy = ElementCopy.objects.get(element=element)
    assert copy.account.name == "simulator-live"
    assert copy.upstream_id not in json.dumps(answer)

    sources = {source.role: source.file for source in ElementSource.objects.filter(element=element)}
    assert sorted(sources) == ["frontal_image", "refer_image_1"]
    assert {file.purpose for file in sources.values()} == {"reference"}
    assert [file.expires_at for file in sources.values()] == [None, None]
    images = last_body(simulator)["element_image_list"]
    assert (len(images["refer_images"]), images["frontal_image"].split("/")[-1]) == (1, "frontal_image.png")
    assert money(alice.organization) == (999, 0)
    assert findings() == []


def test_one_image_alone_is_sent_as_the_one_reference_too(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    element_of(alice, gateway)
    images = last_body(simulator)["element_image_list"]
    assert images["refer_images"] == [{"image_url": images["frontal_image"]}]


def test_an_element_made_from_a_video_gets_our_copy_in_1080p(
    alice: Person, gateway: Steps, simulator: RunningSimulator, tmp_path: Path
) -> None:
    path = film(tmp_path / "a.mp4", width=1280, height=720, seconds=3, fps=8, pictures=[FACE])
    task = ask_element(
        alice,
        reference_type="video_refer",
        element_video_list={"video_url": upload(alice.organization, path)},
        element_voice_id="829826792415842333",
    )
    gateway.sent(task)
    assert last_body(simulator)["element_voice_id"] == "829826792415842333"
    copy = StoredFile.objects.get(purpose="reference")
    assert (copy.width, copy.height, copy.format) == (1920, 1080, "mp4")
    gateway.until(task, Task.Status.COMPLETED)
    element = Element.objects.get()
    assert (element.kind, element.voice_id) == ("video_refer", "829826792415842333")
    assert element.sources.get().file == copy


def test_an_element_whose_acceptance_got_lost_is_made_once(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    simulator.script("reset-after-body")
    element = element_of(alice, gateway)
    assert len(simulator.see("requests")["requests"]) == 1
    assert element.task.attempts.get().route == "/v1/general/advanced-custom-elements"
    assert money(alice.organization) == (999, 0)


def test_an_element_that_fails_gives_its_credit_back_and_keeps_no_copy(alice: Person, gateway: Steps) -> None:
    url = upload(alice.organization, FACE)
    task = ask_element(alice, frontal=url, element_description="[sim:fail face]")
    gateway.until(task, Task.Status.FAILED)
    assert (task.error_code, money(alice.organization)) == ("face_not_found", (1000, 0))
    assert not Element.objects.exists()
    assert StoredFile.objects.get(purpose="reference").expires_at <= timezone.now()
    assert findings() == []


def test_a_video_shows_the_element_by_the_upstreams_own_id(
    alice: Person, gateway: Steps, simulator: RunningSimulator
) -> None:
    element = element_of(alice, gateway)
    answer = alice.client.post(POST, use(alice, element, prompt="<<<element_1>>> waves"))
    assert answer.status_code == 200, answer.content
    task = Task.objects.get(type="video")
    gateway.until(task, Task.Status.COMPLETED)
    upstream_id = element.copies.get().upstream_id
    listed = [entry for entry in last_body(simulator)["contents"] if entry["type"] == "element"]
    assert [entry["element_id"] for entry in listed] == [upstream_id]
    assert str(element.pk) != upstream_id
    assert money(alice.organization) == (972, 0)


def test_elements_at_the_root_are_an_alias(alice: Person, gateway: Steps, simulator: RunningSimulator) -> None:
    element = element_of(alice, gateway)
    body = use(alice, element)
    listed = body.pop("model_params")["element_list"]
    gateway.sent(ask(alice, **body, element_list=listed))
    assert element.copies.get().upstream_id in json.dumps(last_body(simulator)["contents"])


def test_only_an_account_that_has_the_element_gets_the_task(
    alice: Person, gateway: Steps, simulator: RunningSimulator, second_account: str
) -> None:
    element = element_of(alice, gateway)
    ElementCopy.objects.update(account=type(element.copies.get().account).objects.get(name=second_account))
    task = ask(alice, **use(alice, element))
    gateway.due()
    attempt = task.attempts.get()
    assert attempt.account.name == second_account
    assert [row["reason"] for row in attempt.choice] == ["does not have the element", "can take it"]


def test_an_element_at_no_usable_account_is_503(alice: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    element.copies.all().delete()
    answer = alice.client.post(POST, use(alice, element))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")


def test_a_deleted_element_is_gone_with_its_files_and_cannot_be_used(alice: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    body = use(alice, element)
    running = ask(alice, **body)

    assert alice.client.delete(f"/v1/elements/{element.pk}").status_code == 204

    assert alice.client.delete(f"/v1/elements/{element.pk}").status_code == 404
    assert alice.client.get(f"/v1/elements/{element.pk}").json()["error"]["code"] == "element_not_found"
    assert alice.client.get("/v1/elements").json()["data"] == []
    answer = alice.client.post(POST, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "element_not_found")
    assert answer.json()["error"]["param"] == "model_params.element_list[0].element_id"
    assert files.expire_due() == 0
    gateway.until(running, Task.Status.COMPLETED)
    ElementCopy.objects.update(due_at=timezone.now())
    gateway.due()
    gone = element.sources.get().file
    files.expire_due()
    gone.refresh_from_db()
    assert gone.deleted_at is not None
    assert findings() == []


def test_another_organizations_element_does_not_exist(alice: Person, charlie: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    for method in (charlie.client.get, charlie.client.delete):
        answer = method(f"/v1/elements/{element.pk}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "element_not_found")
    answer = charlie.client.post(POST, use(charlie, element))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "element_not_found")
    assert charlie.client.get("/v1/elements").json()["data"] == []
    assert Element.objects.filter(deleted_at=None).count() == 1


def test_the_list_of_elements_is_paged_newest_first(alice: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    copies = [Element(organization=alice.organization, task=ask(alice), name=str(number)) for number in range(2)]
    Element.objects.bulk_create(copies)
    wanted = sorted([element.pk, *(copy.pk for copy in copies)], reverse=True)
    first = alice.client.get("/v1/elements?page_size=2").json()
    assert [row["element_id"] for row in first["data"]] == [str(pk) for pk in wanted[:2]]
    rest = alice.client.get(f"/v1/elements?cursor={first['next_cursor']}").json()
    assert ([row["element_id"] for row in rest["data"]], rest["next_cursor"]) == ([str(wanted[2])], None)


def test_an_element_shows_what_it_is(alice: Person, gateway: Steps) -> None:
    element = element_of(alice, gateway)
    assert alice.client.get(f"/v1/elements/{element.pk}").json() == {
        "element_id": str(element.pk),
        "object": "element",
        "name": "Mia",
        "description": "A woman in an orange suit",
        "kind": "image_refer",
        "voice_id": None,
        "status": "usable",
        "task_id": element.task.public_id,
        "created": int(element.created_at.timestamp()),
    }


@pytest.mark.parametrize("element_id", ["0", "x", "9" * 30, "-1"])
def test_a_malformed_element_id_is_not_found(alice: Person, element_id: str) -> None:
    assert alice.client.get(f"/v1/elements/{element_id}").status_code == 404


def test_the_voices_are_listed_in_their_order(alice: Person) -> None:
    body = alice.client.get("/v1/voices").json()
    assert [voice["voice_id"] for voice in body["data"]] == [
        "829824295735410756",
        "829826751244537879",
        "829826792415842333",
        "829826834144964676",
        "829826884271091753",
    ]
    assert body["data"][0]["name"] == "钓系女友"
