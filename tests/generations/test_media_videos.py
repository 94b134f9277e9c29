"""A video's size, length, rate and sound are measured, not believed; our copy of it is 1080p in the same shape."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from generations.media import BadVideo, ImageRule, VideoFacts, VideoRule, problem, read_video, sniff, to_1080p, verdict
from tests.generations.films import PHOTOS, film, frame_at

ELEMENT = VideoRule(
    max_bytes=200 * 1024 * 1024, min_seconds=3, max_seconds=8, min_side=720, max_side=2160, ratios=("16:9", "9:16")
)
FACTS = VideoFacts(
    mime_type="video/mp4",
    format="mp4",
    size_bytes=1000,
    width=1280,
    height=720,
    duration_seconds=Decimal("5.000"),
    fps=Decimal("30.000"),
    has_audio=False,
)


def test_an_mp4_is_measured(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=640, height=360, seconds=3.5, fps=24, sound=True)
    assert read_video(path) == VideoFacts(
        mime_type="video/mp4",
        format="mp4",
        size_bytes=path.stat().st_size,
        width=640,
        height=360,
        duration_seconds=Decimal("3.500"),
        fps=Decimal("24.000"),
        has_audio=True,
    )


def test_a_mov_that_lies_on_its_side_has_the_size_that_is_seen(tmp_path: Path) -> None:
    facts = read_video(film(tmp_path / "a.mov", width=640, height=360, seconds=1, rotation=90))
    assert (facts.mime_type, facts.format, facts.has_audio) == ("video/quicktime", "mov", False)
    assert (facts.width, facts.height) == (360, 640)


def test_the_type_is_found_in_the_bytes_and_not_in_the_name(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", width=64, height=64, seconds=1).rename(tmp_path / "a.mp4")
    assert sniff(path.read_bytes()[:64]) == "video/quicktime"
    assert read_video(path).format == "mov"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2" + b"\x00\x00\x10\x00moov" + bytes(4088),
        b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2" + bytes(range(256)) * 40,
    ],
)
def test_what_is_not_a_video_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    assert_unreadable(tmp_path / "a.mp4")


def test_a_picture_is_not_a_video() -> None:
    assert_unreadable(PHOTOS / "astronaut.png")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("index_first", [True, False], ids=["index first", "index last"])
def test_a_truncated_video_is_refused(share: float, index_first: bool, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=640, height=360, seconds=4, pictures=[PHOTOS / "rocket.jpg"])
    whole = with_index_first(path) if index_first else path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert_unreadable(path)


def with_index_first(path: Path) -> bytes:
    """As a web server's copy is laid out: everything is promised, and then the pictures follow."""
    content = path.read_bytes()
    index = content.rindex(b"moov") - 4
    promised = content[index : index + int.from_bytes(content[index : index + 4], "big")]
    start = int.from_bytes(content[:4], "big")
    moved = bytearray(promised)
    at = moved.index(b"stco")
    for entry in range(int.from_bytes(moved[at + 8 : at + 12], "big")):
        place = slice(at + 12 + 4 * entry, at + 16 + 4 * entry)
        moved[place] = (int.from_bytes(moved[place], "big") + len(promised)).to_bytes(4, "big")
    return content[:start] + bytes(moved) + content[start:index]


def test_a_video_with_its_index_first_is_whole(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=640, height=360, seconds=4)
    path.write_bytes(with_index_first(path))
    assert read_video(path).duration_seconds == Decimal("4.000")


def test_a_length_that_the_header_makes_up_is_not_believed(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=64, height=64, seconds=4)
    content = bytearray(path.read_bytes())
    at = content.index(b"mvhd") + 20
    content[at : at + 4] = (1).to_bytes(4, "big")
    path.write_bytes(content)
    assert read_video(path).duration_seconds == Decimal("4.000")


def test_a_video_in_an_unknown_coding_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", width=64, height=64, seconds=1)
    path.write_bytes(path.read_bytes().replace(b"avc1\x00", b"wxyz\x00"))
    assert_unreadable(path)


def test_a_crooked_rotation_is_straightened_to_the_nearest_side(tmp_path: Path) -> None:
    facts = read_video(film(tmp_path / "a.mp4", width=640, height=360, seconds=1, rotation=80))
    assert (facts.width, facts.height) == (360, 640)


def assert_unreadable(path: Path) -> None:
    with pytest.raises(BadVideo) as refused:
        read_video(path)
    assert (refused.value.code, refused.value.request_code) == ("video_probe_failed", "invalid_video")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"format": "mov"},
        {"width": 720, "height": 1280},
        {"width": 3840 // 2, "height": 1080},
        {"width": 1366, "height": 768},
        {"duration_seconds": Decimal("3")},
        {"duration_seconds": Decimal("8.008"), "fps": Decimal("29.970")},
        {"size_bytes": 200 * 1024 * 1024},
    ],
)
def test_an_element_video_is_accepted_up_to_its_limits(changes: dict) -> None:
    assert problem(replace(FACTS, **changes), ELEMENT) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "webm"}, "The video must be MP4 or MOV; it is WEBM."),
        ({"size_bytes": 210 * 1024 * 1024}, "The video must not exceed 200 MB; it has 210.0 MB."),
        ({"duration_seconds": Decimal("2.900")}, "The video must last 3 to 8 seconds; it lasts 2.9."),
        ({"duration_seconds": Decimal("8.100")}, "The video must last 3 to 8 seconds; it lasts 8.1."),
        (
            {"width": 1278, "height": 719},
            "Both sides of the video must have 720 to 2160 pixels; it has 1278 x 719.",
        ),
        (
            {"width": 3840, "height": 2160},
            "Both sides of the video must have 720 to 2160 pixels; it has 3840 x 2160.",
        ),
        ({"width": 1080, "height": 1080}, "The video's shape must be 16:9 or 9:16; it has 1080 x 1080 pixels."),
    ],
)
def test_past_a_limit_the_sentence_names_it(changes: dict, sentence: str) -> None:
    found = verdict(replace(FACTS, **changes), ELEMENT)
    assert found is not None
    assert (found.code, found.request_code, found.message) == ("invalid_parameters", "invalid_video", sentence)


@pytest.mark.parametrize(
    ("fps", "sentence"),
    [
        ("23.976", None),
        ("60.000", None),
        ("15.000", "The video must have at least 24 frames a second; it has 15."),
        ("120.000", "The video must have at most 60 frames a second; it has 120."),
    ],
)
def test_the_rate_is_held_to_whole_frames(fps: str, sentence: str | None) -> None:
    rule = replace(ELEMENT, min_fps=24, max_fps=60)
    assert problem(replace(FACTS, fps=Decimal(fps)), rule) == sentence


def test_a_video_where_an_image_is_needed_is_refused() -> None:
    assert problem(FACTS, ImageRule()) == "An image is needed here, and the file is MP4."


@pytest.mark.parametrize(("rotation", "size"), [(0, (1920, 1080)), (90, (1080, 1920)), (-90, (1080, 1920))])
def test_our_copy_is_1080p_upright_and_keeps_length_and_sound(
    rotation: int, size: tuple[int, int], tmp_path: Path
) -> None:
    source = film(
        tmp_path / "a.mov", seconds=1, rotation=rotation, sound=True, pictures=[PHOTOS / "astronaut.png"], height=720
    )
    facts = to_1080p(source, tmp_path / "b.mp4")
    assert facts == read_video(tmp_path / "b.mp4")
    assert (facts.width, facts.height) == size
    assert (facts.format, facts.duration_seconds, facts.has_audio) == ("mp4", Decimal("1.000"), True)
    stored, copy = frame_at(source, 0.5), frame_at(tmp_path / "b.mp4", 0.5)
    assert difference(stored.rotate(rotation, expand=True), copy) < 6
    assert difference(stored.rotate(rotation + 180, expand=True), copy) > 20


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean distance of the grey values, from 0 to 255."""
    pairs = [picture.convert("L").resize((64, 64)).tobytes() for picture in (one, other)]
    return sum(abs(a - b) for a, b in zip(*pairs, strict=True)) / 64**2


def test_our_copy_of_a_silent_video_is_silent(tmp_path: Path) -> None:
    facts = to_1080p(film(tmp_path / "a.mp4", seconds=0.5), tmp_path / "b.mp4")
    assert not facts.has_audio
