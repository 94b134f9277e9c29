"""The page of files: uploaded, looked at, linked and deleted; what is wrong with one is said beside its field."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import Role, UserGroup
from evolink_saas.console import file_list
from generations import files, uploads
from generations.models import StoredFile
from tests.cast import Person
from tests.console.visitors import Visitor, joined
from tests.generations.uploading import kept, picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_memory(settings: Settings) -> None:
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}


def send(who: Visitor, content: bytes, name: str = "cat.png") -> str:
    answer = who.post("files/upload", file=SimpleUploadedFile(name, content))
    return html.unescape(answer.content.decode())


def page(who: Visitor) -> str:
    answer = who.get("files")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_without_files_the_page_says_what_they_are_for(owner: Visitor) -> None:
    shown = page(owner)
    assert "No file here" in shown and "0 of 100 files" in shown
    assert "up to 100 MB" in shown and "works for 72 hours" in shown


def test_an_upload_is_kept_shown_and_linked(developer: Visitor, alice: Person) -> None:
    shown = send(developer, picture())
    file = StoredFile.objects.get()
    assert (file.organization, file.purpose, file.file_name) == (alice.organization, "upload", "cat.png")
    assert "cat.png was uploaded." in shown
    assert files.public_url(file) in shown
    assert "400 × 300" in shown and "1 of 100 files" in shown


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7 not a picture", "Only JPEG, PNG, WebP, GIF, MP4 and MOV files are taken."),
        (b"", "The file is empty."),
        (picture()[:60], "The image cannot be used by this model."),
    ],
)
def test_what_cannot_be_kept_is_refused_beside_the_field(owner: Visitor, content: bytes, sentence: str) -> None:
    answer = owner.post("files/upload", file=SimpleUploadedFile("cat.png", content))
    assert answer.status_code == 400
    assert sentence in html.unescape(answer.content.decode())
    assert not StoredFile.objects.exists()


def test_nothing_chosen_is_said(owner: Visitor) -> None:
    answer = owner.post("files/upload")
    assert answer.status_code == 400
    assert "Choose a file." in answer.content.decode()


def test_a_file_that_is_too_large_is_refused(owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_IMAGE_BYTES", 100)
    assert "The file is too large." in send(owner, picture())
    assert not StoredFile.objects.exists()


def test_a_full_organization_is_told_and_keeps_nothing_more(owner: Visitor, alice: Person) -> None:
    UserGroup.objects.update(max_files=1)
    file = kept(alice)
    assert "You keep as many files as you may." in page(owner)
    assert "You keep as many files as you may." in send(owner, picture())
    assert StoredFile.objects.get() == file


def test_a_form_larger_than_the_largest_file_is_not_read(owner: Visitor) -> None:
    answer = owner.client.post(
        owner.address("files/upload"),
        data=b"--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(uploads.MAX_VIDEO_BYTES * 2),
    )
    assert answer.status_code == 400
    assert not StoredFile.objects.exists()


def test_the_files_of_somebody_who_is_not_signed_in_are_passed_over(alice: Person) -> None:
    address = f"/console/{alice.organization.public_id}/files/upload"
    answer = Client(enforce_csrf_checks=True).post(address, {"file": SimpleUploadedFile("cat.png", picture())})
    assert answer.status_code == 403
    assert not answer.wsgi_request.FILES
    assert not StoredFile.objects.exists()


def test_a_form_without_its_token_is_refused(alice: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.membership.user)
    address = f"/console/{alice.organization.public_id}/files/upload"
    assert client.post(address, {"file": SimpleUploadedFile("cat.png", picture())}).status_code == 403
    assert not StoredFile.objects.exists()


def test_a_name_is_never_markup(owner: Visitor, alice: Person) -> None:
    kept(alice, file_name="<b>cat</b>.png")
    raw = owner.get("files").content.decode()
    assert "<b>cat" not in raw and "&lt;b&gt;cat" in raw


def test_a_developer_deletes_a_file(developer: Visitor, alice: Person) -> None:
    file = kept(alice)
    answer = developer.post(f"files/{file.public_id}/delete")
    assert "The file was deleted." in answer.content.decode()
    file.refresh_from_db()
    assert file.deleted_at is not None
    assert developer.client.get(files.public_url(file)).status_code == 404
    assert developer.post(f"files/{file.public_id}/delete").status_code == 404


def test_a_viewer_looks_and_changes_nothing(alice: Person) -> None:
    viewer, file = joined(alice, Role.VIEWER), kept(alice)
    shown = page(viewer)
    assert file.file_name in shown
    assert "Delete" not in shown and "Choose a file" not in shown
    assert viewer.post(f"files/{file.public_id}/delete").status_code == 403
    assert viewer.post("files/upload", file=SimpleUploadedFile("cat.png", picture())).status_code == 403
    assert StoredFile.objects.get() == file
    file.refresh_from_db()
    assert file.deleted_at is None


def test_another_organizations_file_is_unknown(
    owner: Visitor, stranger: Visitor, alice: Person, charlie: Person
) -> None:
    mine, theirs = kept(alice), kept(charlie)
    assert stranger.get("files").status_code == 404
    assert stranger.get(f"pictures/{mine.public_id}").status_code == 404
    assert stranger.post(f"files/{mine.public_id}/delete").status_code == 404
    for path in (f"files/{theirs.public_id}/delete", "files/nonsense/delete"):
        assert owner.post(path).status_code == 404
    assert owner.get(f"pictures/{theirs.public_id}").status_code == 404
    assert not StoredFile.objects.filter(deleted_at__isnull=False).exists()


def test_results_are_not_deleted_here(owner: Visitor, alice: Person) -> None:
    result = kept(alice, purpose=StoredFile.Purpose.RESULT)
    assert result.file_name not in page(owner)
    assert owner.post(f"files/{result.public_id}/delete").status_code == 404


def test_older_files_follow(owner: Visitor, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_list, "PAGE_SIZE", 1)
    older, newer = kept(alice, file_name="older.png"), kept(alice, file_name="newer.png")
    shown = page(owner)
    assert "newer.png" in shown and "older.png" not in shown
    assert f"?cursor={newer.public_id}" in shown
    second = owner.get("files", cursor=newer.public_id).content.decode()
    assert older.file_name in second
    assert owner.get("files", cursor="nonsense").status_code == 404
