"""A clearly visible face is found in a picture and in a video; cats, cups and rockets are none."""

from pathlib import Path

import pytest
from PIL import Image

from generations import faces
from generations.media import BadImage
from tests.generations.films import PHOTOS, film


@pytest.mark.parametrize(
    ("name", "expected"),
    [("astronaut.png", True), ("chelsea.png", False), ("coffee.png", False), ("rocket.jpg", False)],
)
def test_a_face_is_found_where_there_is_one(name: str, expected: bool) -> None:
    assert faces.has_face(PHOTOS / name) is expected


@pytest.mark.parametrize("detector", faces.DETECTORS)
def test_every_installed_detector_tells_them_apart(detector: faces.Detector) -> None:
    with Image.open(PHOTOS / "astronaut.png") as face, Image.open(PHOTOS / "chelsea.png") as cat:
        assert detector(face.convert("RGB"))
        assert not detector(cat.convert("RGB"))


def test_a_face_is_found_in_a_picture_stored_on_its_side(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(PHOTOS / "astronaut.png") as photo:
        photo.convert("RGB").rotate(90).save(tmp_path / "a.jpg", exif=exif)
    assert faces.has_face(tmp_path / "a.jpg")


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_a_face_is_found_in_every_kind_of_picture(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    with Image.open(PHOTOS / "astronaut.png") as photo:
        photo.convert("RGB").convert(mode).save(path)
    assert faces.has_face(path)


@pytest.mark.parametrize("size", [(1, 1), (1, 640), (640, 1), (3, 7), (4000, 30)])
def test_no_shape_of_picture_crashes_the_detector(size: tuple[int, int], tmp_path: Path) -> None:
    Image.effect_noise(size, 80).save(tmp_path / "a.png")
    assert not faces.has_face(tmp_path / "a.png")


def test_what_is_not_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadImage):
        faces.has_face(tmp_path / "a.png")


@pytest.mark.parametrize(("name", "expected"), [("astronaut.png", True), ("coffee.png", False)])
def test_a_video_is_searched_for_a_face(name: str, expected: bool, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=720, height=720, seconds=1, pictures=[PHOTOS / name])
    assert faces.video_has_face(path) is expected


def test_a_face_is_found_in_a_video_stored_on_its_side(tmp_path: Path) -> None:
    with Image.open(PHOTOS / "astronaut.png") as photo:
        photo.convert("RGB").rotate(-90).save(tmp_path / "lying.png")
    path = film(tmp_path / "a.mov", width=512, height=512, seconds=1, rotation=90, pictures=[tmp_path / "lying.png"])
    assert faces.video_has_face(path)


def test_a_face_that_comes_late_is_found(tmp_path: Path) -> None:
    pictures = [PHOTOS / "coffee.png", PHOTOS / "chelsea.png", PHOTOS / "astronaut.png"]
    assert faces.video_has_face(film(tmp_path / "a.mp4", width=512, height=512, seconds=3, pictures=pictures))
