"""/api/v1/files: files come in by three ways, and what is wrong with them is said in the API's own envelope."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings
from rest_framework.response import Response

from accounts.models import UserGroup
from generations import uploads
from generations.models import DownloadPlace, StoredFile
from tests.cast import Person, client_for
from tests.generations.films import film
from tests.generations.uploading import NO_FACE, as_base64, kept, picture, stored
from tests.generations.wire import peer

BASE64 = "/api/v1/files/upload/base64"
STREAM = "/api/v1/files/upload/stream"
URL = "/api/v1/files/upload/url"
LIST = "/api/v1/files/list"
QUOTA = "/api/v1/files/quota"


@pytest.fixture(autouse=True)
def loopback_allowed(settings: Settings) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8", "::1/128"]


def send_base64(person: Person, content: bytes, **fields: Any) -> Response:
    return person.client.post(BASE64, {"base64_data": as_base64(content)} | fields)


def send_form(person: Person, content: bytes, name: str = "a.png", **fields: Any) -> Response:
    return person.client.post(STREAM, {"file": SimpleUploadedFile(name, content)} | fields, format="multipart")


def refusal(answer: Response) -> tuple[int, int]:
    """HTTP status and code of the envelope."""
    body = answer.json()
    assert set(body) == {"success", "code", "msg"}
    assert body["success"] is False
    assert body["msg"]
    return answer.status_code, body["code"]


def file_answer(content: bytes, media_type: str = "text/html") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def test_a_picture_in_base64_is_kept_and_described(alice: Person, settings: Settings) -> None:
    now, content = timezone.now(), picture()
    with time_machine.travel(now, tick=False):
        answer = send_base64(alice, content, upload_path="faces/2026", file_name="ann.png")
    file = StoredFile.objects.get()
    bare = file.public_id.removeprefix("file_")
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "code": 200,
        "msg": "File uploaded successfully",
        "data": {
            "file_id": file.public_id,
            "file_name": "ann.png",
            "original_name": "",
            "file_size": len(content),
            "mime_type": "image/png",
            "upload_path": "faces/2026",
            "file_url": f"{settings.PUBLIC_URL}/files/{bare}/ann.png",
            "download_url": f"{settings.PUBLIC_URL}/api/v1/files/download/{file.public_id}",
            "upload_time": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "expires_at": (now + timedelta(hours=72)).astimezone(UTC).isoformat().replace("+00:00", "Z"),
        },
    }
    assert (file.organization, file.purpose, file.task) == (alice.organization, "upload", None)
    assert client_for(None).get(f"/files/{bare}/ann.png").getvalue() == content


@pytest.mark.parametrize(("uploaded_path", "name"), [("upload_path", "file_name"), ("uploadPath", "fileName")])
def test_a_form_is_understood_in_both_spellings(alice: Person, uploaded_path: str, name: str) -> None:
    data = send_form(alice, picture("JPEG"), "Ann 1.JPG", **{uploaded_path: "in", name: "b.jpeg"}).json()["data"]
    assert (data["file_name"], data["original_name"], data["upload_path"]) == ("b.jpeg", "Ann 1.JPG", "in")
    assert data["mime_type"] == "image/jpeg"


def test_a_form_without_names_takes_the_files_own(alice: Person) -> None:
    data = send_form(alice, picture(), "Ann 1.PNG").json()["data"]
    assert (data["file_name"], data["upload_path"]) == ("Ann 1.PNG", "")


def test_an_address_is_downloaded_at_once(alice: Person) -> None:
    content = picture("WEBP")
    with peer(file_answer(content)) as server:
        answer = alice.client.post(URL, {"file_url": f"{server.url}/some/ann%20one.webp?size=big"})
    data = answer.json()["data"]
    assert (data["file_name"], data["mime_type"], data["file_size"]) == ("ann one.webp", "image/webp", len(content))


def test_a_video_is_probed_when_it_comes_in(alice: Person, tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mov", seconds=2, width=320, height=240, sound=True)
    assert send_form(alice, path.read_bytes(), "clip.mov").json()["data"]["mime_type"] == "video/quicktime"
    file = StoredFile.objects.get()
    assert (file.width, file.height, file.duration_seconds, file.has_audio) == (320, 240, 2, True)


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "data:text/html;charset=utf-8;base64,"])
def test_a_data_url_is_read_by_its_bytes_alone(alice: Person, prefix: str) -> None:
    answer = alice.client.post(BASE64, {"base64_data": prefix + as_base64(picture("GIF"))})
    data = answer.json()["data"]
    assert (data["mime_type"], data["file_name"]) == ("image/gif", "file.gif")


@pytest.mark.parametrize("repeat", [1, 400])
def test_escapes_and_line_breaks_in_base64_are_read(alice: Person, repeat: int) -> None:
    content = picture() + bytes(range(256)) * repeat  # the big one is longer than any buffer
    text = re.sub(r"(.{76})", r"\1\\r\\n", as_base64(content))
    text = text.replace("/", "\\/").replace("+", "\\u002B").replace("=", "\\u003d")
    body = f'{{"file_name": "a\\"{{b.png", "base64_data": "{text}", "more": [1]}}'
    answer = alice.client.post(BASE64, body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert client_for(None).get(answer.json()["data"]["file_url"]).getvalue() == content


def test_base64_without_its_padding_is_read(alice: Person) -> None:
    content = picture() + b"1"
    text = as_base64(content).rstrip("=")
    assert alice.client.post(BASE64, {"base64_data": text}).json()["data"]["file_size"] == len(content)


@pytest.mark.parametrize(
    "text", ["not base64!", "iVBORw0KGgo=x", "data:image/png,plain", "ü", "\\u00e9", "a" * 99_001 + "*"]
)
def test_what_is_no_base64_is_refused(alice: Person, storage: Path, text: str) -> None:
    answer = alice.client.post(BASE64, {"base64_data": text})
    assert refusal(answer) == (400, 400)
    assert stored(storage) == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"base64_data": "abc',
        b'{"base64_data": "' + b"A" * 200_000,
        b'["' + b"A" * 200_000 + b'"]',
        b'{"base64_data": 7}',
        b'{"base64_data": null}',
        b"{}",
        b'{"base64_data": ""}',
        b'{"base64_data": "AAAA", "file_name": 7.5, "upload_path": []}',
    ],
)
def test_a_broken_body_is_refused(alice: Person, body: bytes) -> None:
    answer = alice.client.post(BASE64, body, content_type="application/json")
    assert answer.status_code == 400
    assert refusal(answer)[0] == 400


def test_only_the_file_may_be_long(alice: Person) -> None:
    for body in ({"file_name": "A" * 100_000}, {"file_name": "A" * 100_000, "base64_data": "A" * 100_000}):
        assert refusal(alice.client.post(BASE64, body)) == (413, 40001)
    many = {"base64_data": "AAAA", "more": ["A" * 1000] * 1100}
    assert refusal(alice.client.post(BASE64, many)) == (413, 40001)


@pytest.mark.parametrize("content", [b"<html></html>", b"%PDF-1.7", b"\x1aE\xdf\xa3webm", b"<svg/>", b"#!/bin/sh\n"])
def test_other_types_are_not_taken_whatever_their_name(alice: Person, storage: Path, content: bytes) -> None:
    assert refusal(send_base64(alice, content, file_name="a.png")) == (400, 40002)
    assert refusal(send_form(alice, content, "a.png")) == (400, 40002)
    with peer(file_answer(content, "image/png")) as server:
        assert refusal(alice.client.post(URL, {"file_url": f"{server.url}/a.png"})) == (400, 40002)
    assert (stored(storage), StoredFile.objects.count()) == ([], 0)


def test_a_damaged_picture_is_refused(alice: Person) -> None:
    assert refusal(send_base64(alice, picture()[:60])) == (400, 400)


def test_a_form_without_a_file_is_refused(alice: Person) -> None:
    assert refusal(alice.client.post(STREAM, {"file": "text"}, format="multipart")) == (400, 400)
    assert refusal(alice.client.post(STREAM, b"junk", content_type="multipart/form-data")) == (400, 400)
    assert refusal(alice.client.post(STREAM, {"file": "text"})) == (415, 415)


def test_too_large_a_body_is_refused_before_it_is_read(alice: Person) -> None:
    answer = alice.client.generic("POST", STREAM, b"x", content_type="multipart/form-data; boundary=x",
                                  CONTENT_LENGTH=str(202 * 2**20))  # fmt: skip
    assert refusal(answer) == (413, 40001)


def test_a_picture_past_100_mb_is_refused(alice: Person, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(picture())
    with path.open("r+b") as file:
        file.truncate(100 * 2**20 + 1)
    with pytest.raises(uploads.TooLarge) as refused:
        uploads.read(path)
    assert refused.value.code == "file_too_large"


def test_an_address_that_announces_too_much_is_left(alice: Person) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {201 * 2**20}\r\n\r\n".encode()
    with peer(head) as server:
        assert refusal(alice.client.post(URL, {"file_url": server.url})) == (413, 40001)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://10.0.0.1/", "http://169.254.169.254/", "nonsense", ""])
def test_an_address_inside_is_refused(alice: Person, url: str) -> None:
    status, code = refusal(alice.client.post(URL, {"file_url": url}))
    assert (status, code) == (400, 40004 if url else 400)


def test_a_download_that_fails_says_so(alice: Person) -> None:
    with peer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as server:
        assert refusal(alice.client.post(URL, {"file_url": server.url})) == (400, 40004)
    with peer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n") as server:
        assert refusal(alice.client.post(URL, {"file_url": server.url})) == (400, 40004)
    assert not StoredFile.objects.exists()


def test_two_downloads_at_a_time_are_all_an_organization_gets(alice: Person, charlie: Person) -> None:
    with peer(file_answer(picture())) as server:
        address = {"file_url": f"{server.url}/a.png"}
        assert alice.client.post(URL, address).status_code == 200
        alice.organization.download_places.update(taken_until=timezone.now() + timedelta(minutes=1))
        answer = alice.client.post(URL, address)
        assert (refusal(answer), answer["Retry-After"]) == ((429, 429), "5")
        assert charlie.client.post(URL, address).status_code == 200
        DownloadPlace.objects.filter(organization=alice.organization, number=1).update(taken_until=timezone.now())
        assert alice.client.post(URL, address).status_code == 200
    assert len(server.requests) == 3


def test_a_failed_download_gives_its_place_back(alice: Person) -> None:
    with peer(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n") as server:
        answers = [refusal(alice.client.post(URL, {"file_url": server.url})) for _ in range(4)]
    assert answers == [(400, 40004)] * 4


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("..\\..\\windows\\win.ini", "win.ini.png"),
        ("/", "file.png"),
        ("..", "file.png"),
        ("a\u202egnp.exe", "agnp.exe.png"),
        ("evil.html", "evil.html.png"),
        ("photo.PNG", "photo.PNG"),
        ("n" * 300 + ".png", "n" * 196 + ".png"),
        ("фото", "фото.png"),
        (".png", "png.png"),
    ],
)
def test_a_file_name_is_a_label_that_leads_nowhere(alice: Person, storage: Path, given: str, shown: str) -> None:
    data = send_base64(alice, picture(), file_name=given).json()["data"]
    assert data["file_name"] == shown
    [path] = stored(storage)
    assert path.parent == storage / alice.organization.public_id
    assert client_for(None).get(data["file_url"]).status_code == 200


@pytest.mark.parametrize(("given", "shown"), [("/a//b/./c/", "a/b/c"), ("a\\b", "a/b"), ("", ""), ("/", "")])
def test_an_upload_path_is_tidied(alice: Person, given: str, shown: str) -> None:
    assert send_base64(alice, picture(), upload_path=given).json()["data"]["upload_path"] == shown


@pytest.mark.parametrize("given", ["..", "a/../b", "a\\..\\b", "a\x07b", "x" * 201])
def test_an_upload_path_that_leads_elsewhere_is_refused(alice: Person, storage: Path, given: str) -> None:
    assert refusal(send_base64(alice, picture(), upload_path=given)) == (400, 400)
    assert stored(storage) == []


def test_a_second_file_of_the_same_name_overwrites_nothing(alice: Person, charlie: Person, storage: Path) -> None:
    pictures = [picture(size=(400, 300 + n)) for n in range(3)]
    people = [alice, alice, charlie]
    answers = [
        send_base64(person, content, upload_path="p", file_name="a.png").json()["data"]
        for person, content in zip(people, pictures, strict=True)
    ]
    assert [client_for(None).get(data["file_url"]).getvalue() for data in answers] == pictures
    assert len(stored(storage)) == 3


def test_the_quota_counts_living_uploads_and_nothing_else(alice: Person) -> None:
    UserGroup.objects.filter(name="default").update(max_files=3)
    kept(alice)
    kept(alice, purpose=StoredFile.Purpose.RESULT)
    kept(alice, expires_at=timezone.now())
    first = send_base64(alice, picture()).json()["data"]["file_id"]
    expected = {"user_group": "default", "used_files": 2, "max_files": 3, "remain_files": 1}
    assert alice.client.get(QUOTA).json()["data"] == expected
    assert send_base64(alice, picture()).status_code == 200
    for answer in (send_base64(alice, picture()), send_form(alice, picture())):
        assert refusal(answer) == (400, 40003)
    alice.client.delete(f"/api/v1/files/{first}")
    assert send_base64(alice, picture()).status_code == 200
    assert alice.client.get(QUOTA).json()["data"]["remain_files"] == 0


def test_the_list_shows_own_uploads_newest_first_in_pages(alice: Person, charlie: Person) -> None:
    made = [kept(alice, file_name=f"{n}.png") for n in range(3)]
    kept(charlie)
    kept(alice, purpose=StoredFile.Purpose.RESULT)
    answer = alice.client.get(LIST, {"page": 1, "pageSize": 2}).json()
    assert (answer["success"], answer["code"], answer["data"]["total"]) == (True, 200, 3)
    assert answer["data"]["files"] == [
        {
            "file_id": file.public_id,
            "file_name": file.file_name,
            "file_size": NO_FACE.stat().st_size,
            "upload_time": iso(file.created_at),
        }
        for file in (made[2], made[1])
    ]
    second = alice.client.get(LIST, {"page": 2, "pageSize": 2}).json()["data"]["files"]
    assert [file["file_id"] for file in second] == [made[0].public_id]


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"pageSize": 101}, {"pageSize": 0}])
def test_a_strange_page_is_refused(alice: Person, query: dict[str, Any]) -> None:
    assert refusal(alice.client.get(LIST, query)) == (400, 400)


def test_a_deleted_file_is_gone(alice: Person, storage: Path) -> None:
    file = kept(alice)
    address = f"/api/v1/files/{file.public_id}"
    answer = alice.client.delete(address)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert refusal(alice.client.delete(address)) == (404, 404)
    assert refusal(alice.client.get(f"/api/v1/files/download/{file.public_id}")) == (404, 404)
    assert stored(storage) == []


def test_a_download_is_an_attachment_with_ranges(alice: Person) -> None:
    file = kept(alice)
    address = f"/api/v1/files/download/{file.public_id}"
    answer = alice.client.get(address)
    assert answer.getvalue() == NO_FACE.read_bytes()
    assert answer["Content-Disposition"] == 'attachment; filename="coffee.png"'
    part = alice.client.get(address, HTTP_RANGE="bytes=1-3")
    assert (part.status_code, part.getvalue()) == (206, NO_FACE.read_bytes()[1:4])


def test_a_strangers_file_is_unknown(alice: Person, charlie: Person, storage: Path) -> None:
    file = kept(alice)
    assert refusal(charlie.client.get(f"/api/v1/files/download/{file.public_id}")) == (404, 404)
    assert refusal(charlie.client.delete(f"/api/v1/files/{file.public_id}")) == (404, 404)
    assert len(stored(storage)) == 1


def test_without_a_key_the_envelope_is_the_same(alice: Person) -> None:
    anyone = client_for(None)
    assert refusal(anyone.get(QUOTA)) == (401, 401)
    assert refusal(alice.client_with("read").post(BASE64, {})) == (403, 403)
    assert refusal(alice.client.put(BASE64, {})) == (405, 405)


def test_a_body_in_the_wrong_shape_for_the_route_is_refused(alice: Person) -> None:
    answer = alice.client.post(BASE64, json.dumps([1]), content_type="application/json")
    assert refusal(answer) == (400, 400)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
