"""The job behind an upload looks for a face; what it cannot read, or what kills workers, stays unknown."""

from pathlib import Path

import pytest
from pytest_django import Settings

from generations import files, leases, uploads
from generations.models import Alert, StoredFile
from tests.cast import Person
from tests.generations.films import film
from tests.generations.uploading import FACE, NO_FACE, kept, stored


def checked(file: StoredFile) -> StoredFile:
    uploads.check_face(str(file.pk))
    file.refresh_from_db()
    return file


@pytest.mark.parametrize(("picture", "face"), [(FACE, True), (NO_FACE, False)])
def test_an_uploaded_picture_is_looked_at(alice: Person, picture: Path, face: bool) -> None:
    file = checked(kept(alice, picture))
    assert (file.face, file.due_at, file.leased_until, file.claims) == (face, None, None, 0)


def test_an_uploaded_video_is_looked_at(alice: Person, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=1, width=640, height=640, pictures=[FACE])
    assert checked(kept(alice, path)).face is True


def test_it_is_looked_at_once(alice: Person, storage: Path) -> None:
    file = checked(kept(alice, FACE))
    stored(storage)[0].unlink()
    assert checked(file).face is True


def test_a_file_that_cannot_be_read_stays_unknown(alice: Person, storage: Path) -> None:
    file = kept(alice, FACE)
    stored(storage)[0].write_bytes(b"broken")
    checked(file)
    assert (file.face, file.due_at) == (None, None)


def test_bytes_that_went_meanwhile_stay_unknown(alice: Person, storage: Path) -> None:
    file = kept(alice, FACE)
    stored(storage)[0].unlink()
    checked(file)
    assert (file.face, file.due_at) == (None, None)


def test_a_removed_file_is_not_looked_at(alice: Person) -> None:
    file = kept(alice, FACE)
    files.remove(file)
    checked(file)
    assert (file.face, file.due_at, file.claims) == (None, None, 0)


def test_a_file_that_kills_every_worker_is_set_aside(alice: Person, settings: Settings) -> None:
    file = kept(alice, FACE)
    StoredFile.objects.update(claims=settings.MAX_CLAIMS)
    checked(file)
    assert (file.face, file.due_at) == (None, None)
    assert Alert.objects.get().kind == "poison-file"


def test_a_killed_workers_look_is_repeated(alice: Person) -> None:
    file = kept(alice, FACE)
    held = leases.claim(StoredFile.objects.filter(pk=file.pk), seconds=60)  # and then the worker dies
    assert held is not None
    assert checked(file).face is None
    leases.release_leases(held.leased_by)
    assert checked(file).face is True
