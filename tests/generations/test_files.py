"""What we keep: where the bytes lie, which links show them, and how they go."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from accounts import ids
from generations import files, media
from generations.models import StoredFile, Task
from tests.cast import Person
from tests.generations.films import film
from tests.generations.gateway import at_once
from tests.generations.uploading import NO_FACE, kept, stored


def open_task(person: Person) -> Task:
    return Task.objects.create(
        organization=person.organization,
        model="kling-v3-text-to-video",
        type=Task.Type.VIDEO,
        inputs={},
        estimated_seconds=300,
        price={},
        billing_rule="per_second",
        user_group="default",
        reserved_credits=Decimal(27),
        deadline_at=timezone.now() + timedelta(hours=1),
    )


def end(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(status=Task.Status.CANCELLED, finished_at=timezone.now())


def path_of(url: str, settings: Settings) -> str:
    assert url.startswith(f"{settings.PUBLIC_URL}/files/")
    return url.removeprefix(settings.PUBLIC_URL)


def test_a_kept_file_has_the_facts_and_an_unguessable_name_of_its_organization(alice: Person, storage: Path) -> None:
    file = kept(alice)
    assert (file.mime_type, file.format, file.width, file.height) == ("image/png", "png", 600, 400)
    assert file.size_bytes == NO_FACE.stat().st_size
    [path] = stored(storage)
    assert path.read_bytes() == NO_FACE.read_bytes()
    assert path.parent.name == alice.organization.public_id
    assert len(path.stem) == 40
    assert files.facts(file) == media.read_image(NO_FACE)


def test_a_kept_video_has_the_same_facts_when_read_again(alice: Person, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=1, sound=True, width=320, height=240)
    file = StoredFile.objects.get(pk=kept(alice, path).pk)
    assert files.facts(file) == media.read_video(path)


def test_an_upload_is_due_for_its_face_check_and_rung(alice: Person) -> None:
    file = kept(alice)
    assert file.due_at is not None
    assert [job.func() for job in OrmQ.objects.all()] == ["generations.jobs.check_face"]
    result = kept(alice, purpose=StoredFile.Purpose.RESULT)
    assert result.due_at is None
    assert OrmQ.objects.count() == 1


def test_a_row_that_fails_takes_its_bytes_along(alice: Person, storage: Path) -> None:
    with pytest.raises(files.NoRoom):
        kept(alice, max_uploads=0)
    assert (stored(storage), StoredFile.objects.count()) == ([], 0)


def test_a_local_copy_has_the_bytes_and_goes_afterwards(alice: Person) -> None:
    with files.local_path(kept(alice)) as path:
        assert path.read_bytes() == NO_FACE.read_bytes()
    assert not path.exists()


def test_a_public_link_shows_the_file_without_a_key(alice: Person, client: Client, settings: Settings) -> None:
    file = kept(alice, file_name="my file.png")
    url = files.public_url(file)
    assert url == f"{settings.PUBLIC_URL}/files/{file.public_id.removeprefix('file_')}/my%20file.png"
    answer = client.get(path_of(url, settings))
    assert answer.status_code == 200
    assert answer.getvalue() == NO_FACE.read_bytes()
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Length"] == str(file.size_bytes)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'inline; filename="my file.png"'
    assert answer["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 0),
        ("bytes=10-19", 206, 10, 19),
        ("bytes=100-", 206, 100, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=5-999999999", 206, 5, None),
        ("bytes=-999999999", 200, 0, None),
        ("bytes=0-", 200, 0, None),
        ("bytes=9-3", 200, 0, None),
        ("bytes=1-2,4-5", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_a_player_gets_the_range_it_asks_for(
    alice: Person, client: Client, settings: Settings, asked: str, status: int, first: int, last: int | None
) -> None:
    file, whole = kept(alice), NO_FACE.read_bytes()
    answer = client.get(path_of(files.public_url(file), settings), headers={"Range": asked})
    expected = whole[first:] if last is None else whole[first : last + 1]
    assert (answer.status_code, answer.getvalue() == expected) == (status, True)
    assert answer["Content-Length"] == str(len(expected))
    if status == 206:
        start = len(whole) - len(expected) if last is None else first
        assert answer["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
    else:
        assert "Content-Range" not in answer


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_past_the_end_is_refused(alice: Person, client: Client, settings: Settings, asked: str) -> None:
    file = kept(alice)
    answer = client.get(path_of(files.public_url(file), settings), headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{file.size_bytes}")


def test_a_range_of_another_version_is_the_whole_file(alice: Person, client: Client, settings: Settings) -> None:
    file = kept(alice)
    path = path_of(files.public_url(file), settings)
    etag = client.head(path)["ETag"]
    assert client.get(path, headers={"Range": "bytes=0-0", "If-Range": etag}).status_code == 206
    assert client.get(path, headers={"Range": "bytes=0-0", "If-Range": '"other"'}).status_code == 200
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_head_tells_the_length_and_sends_nothing(alice: Person, client: Client, settings: Settings) -> None:
    file = kept(alice)
    answer = client.head(path_of(files.public_url(file), settings))
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Content-Length"], answer["Content-Type"]) == (str(file.size_bytes), "image/png")


def test_an_expired_file_is_gone_before_its_bytes_are(
    alice: Person, client: Client, settings: Settings, storage: Path
) -> None:
    now = timezone.now()
    file = kept(alice, expires_at=now + timedelta(hours=1))
    path = path_of(files.public_url(file), settings)
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"] == {
            "code": "file_not_found",
            "message": "This file does not exist or has expired.",
            "type": "not_found_error",
        }
        assert not files.alive(alice.organization).exists()
        assert len(stored(storage)) == 1
        assert (files.expire_due(), files.expire_due()) == (1, 0)
    assert stored(storage) == []
    file.refresh_from_db()
    assert (file.deleted_at, file.due_at) == (now + timedelta(hours=1), None)


def test_what_has_time_left_or_no_end_stays(alice: Person, storage: Path) -> None:
    kept(alice, expires_at=timezone.now() + timedelta(seconds=60))
    kept(alice)
    assert files.expire_due() == 0
    assert len(stored(storage)) == 2


def test_a_sweep_takes_the_oldest_and_says_how_many(alice: Person) -> None:
    now = timezone.now()
    made = [kept(alice, expires_at=now - timedelta(hours=hours)) for hours in (1, 3, 2)]
    assert files.expire_due(limit=2) == 2
    assert list(StoredFile.objects.filter(deleted_at=None)) == [made[0]]


def test_a_removed_file_can_be_removed_again(alice: Person, client: Client, settings: Settings, storage: Path) -> None:
    file = kept(alice)
    files.remove(file)
    removed_at = StoredFile.objects.get(pk=file.pk).deleted_at
    files.remove(file)
    assert (stored(storage), StoredFile.objects.get(pk=file.pk).deleted_at) == ([], removed_at)
    assert client.get(path_of(files.public_url(file), settings)).status_code == 404


def test_a_removal_cut_short_is_finished_by_the_sweep(alice: Person, storage: Path) -> None:
    file = kept(alice)
    StoredFile.objects.filter(pk=file.pk).update(expires_at=timezone.now())  # as remove() begins
    stored(storage)[0].unlink()
    assert files.expire_due() == 1
    assert StoredFile.objects.get(pk=file.pk).deleted_at is not None


def test_bytes_that_vanished_are_a_plain_404(alice: Person, client: Client, settings: Settings, storage: Path) -> None:
    file = kept(alice)
    stored(storage)[0].unlink()
    answer = client.get(path_of(files.public_url(file), settings))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "file_not_found")


def test_a_checked_copy_has_no_public_link(alice: Person, client: Client, settings: Settings) -> None:
    copy = kept(alice, purpose=StoredFile.Purpose.REFERENCE)
    assert client.get(path_of(files.public_url(copy), settings)).status_code == 404


def test_a_signed_link_works_until_its_task_ends(alice: Person, client: Client, settings: Settings) -> None:
    task = open_task(alice)
    copy = kept(alice, purpose=StoredFile.Purpose.REFERENCE, task=task)
    path = path_of(files.signed_url(copy, task), settings)
    assert client.get(path).getvalue() == NO_FACE.read_bytes()
    end(task)
    assert client.get(path).status_code == 404


def test_a_signature_is_good_for_one_file_and_one_task(alice: Person, client: Client, settings: Settings) -> None:
    one, other = open_task(alice), open_task(alice)
    copy, secret = (kept(alice, purpose=StoredFile.Purpose.REFERENCE) for _ in range(2))
    path = path_of(files.signed_url(copy, one), settings)
    names = [ids.encode("", row.pk) for row in (copy, secret, one, other)]
    assert client.get(path.replace(names[0], names[1])).status_code == 404
    assert client.get(path.replace(names[2], names[3])).status_code == 404
    assert client.get(path.replace(".", "", 1)).status_code == 404
    assert client.get(path).status_code == 200


def test_our_own_links_are_recognised(alice: Person, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.com"
    file, task = kept(alice), open_task(alice)
    bare = file.public_id.removeprefix("file_")
    for url in (
        files.public_url(file),
        files.signed_url(file, task),
        f"https://API.example.com:443/files/{bare}/x.png?download=1#top",
        f"https://api.example.com./%66iles/{bare}/x.png",
        files.download_url(file),
    ):
        assert files.own_file(url) == file.pk, url


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example.com/files/{}/x.png",
        "http://api.example.com/files/{}/x.png",
        "https://api.example.com:8443/files/{}/x.png",
        "https://api.example.com/v1/files/{}/x.png",
        "https://api.example.com/files/short/x.png",
        "https://api.example.com/files",
        "https://api.example.com:port/files/{}/x.png",
        "https://[broken/files/{}",
        "not an address",
        "",
    ],
)
def test_other_addresses_are_not_ours(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL = "https://api.example.com"
    assert files.own_file(url.replace("{}", "0" * 26)) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_as_many_as_fit_are_kept(alice: Person, storage: Path) -> None:
    def keep_one() -> bool:
        try:
            kept(alice, max_uploads=3)
        except files.NoRoom:
            return False
        return True

    assert sorted(at_once([keep_one] * 8)) == [False] * 5 + [True] * 3
    assert len(stored(storage)) == StoredFile.objects.count() == 3
