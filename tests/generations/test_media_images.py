"""Images are known by their bytes, refused when broken or dangerous, and copied without anything riding along."""

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat, PngImagePlugin

from generations.media import BadImage, ImageFacts, ImageRule, clean_image, problem, read_image, sniff, verdict
from tests.generations.films import PHOTOS, film

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG on its side, its stored left side red, with a place, a profile and something behind its end."""
    image = Image.new("RGB", (400, 300), BLUE)
    image.paste(RED, (0, 0, 100, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees to see it upright
    exif[0x010E] = "a secret place"
    image.save(tmp_path / "photo.jpg", exif=exif, icc_profile=b"profile" * 20, comment=b"a secret comment", quality=80)
    with (tmp_path / "photo.jpg").open("ab") as file:
        file.write(b"PK\x03\x04 a secret archive")
    return tmp_path / "photo.jpg"


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("a.webp", "image/webp"), ("a.gif", "image/gif")],
)
def test_the_type_is_found_in_the_bytes_and_not_in_the_name(name: str, mime_type: str, tmp_path: Path) -> None:
    Image.new("RGB", (320, 310)).save(tmp_path / name)
    path = (tmp_path / name).rename(tmp_path / "film.mp4")
    assert sniff(path.read_bytes()[:64]) == mime_type
    assert read_image(path) == ImageFacts(
        mime_type=mime_type,
        format=mime_type.removeprefix("image/"),
        size_bytes=path.stat().st_size,
        width=320,
        height=310,
    )


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"#EXTM3U\nfile:///etc/passwd",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heicisom",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avifmp41",
        b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00isomM4A ",
        b"\x1aE\xdf\xa3\x01\x00\x00\x00webm",
        b"II*\x00\x08\x00\x00\x00",
    ],
)
def test_other_types_are_not_known(head: bytes) -> None:
    assert sniff(head) is None


@pytest.mark.parametrize("suffix", ["bmp", "tiff", "eps", "ico", "ppm"])
def test_only_jpeg_png_webp_and_gif_are_opened(suffix: str, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / f"a.{suffix}")
    assert_bad(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("name", ["astronaut.png", "rocket.jpg"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_truncated_image_is_refused(name: str, share: float, tmp_path: Path) -> None:
    whole = (PHOTOS / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    assert_bad(tmp_path / name)


def test_a_damaged_png_is_refused(tmp_path: Path) -> None:
    damaged = bytearray((PHOTOS / "coffee.png").read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(damaged)
    assert_bad(tmp_path / "a.png")


@pytest.mark.parametrize(("width", "height"), [(50_001, 1_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_pixel_bomb_is_refused_before_it_is_unpacked(width: int, height: int, tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    assert_bad(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x04\x00\x00\x00WEBP"]
)
def test_a_beginning_without_an_image_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert_bad(tmp_path / "a")


def assert_bad(path: Path) -> None:
    with pytest.raises(BadImage) as refused:
        read_image(path)
    assert (refused.value.code, refused.value.request_code) == ("image_processing_error", "invalid_image")


@pytest.mark.parametrize("mark", range(1, 9))
def test_each_orientation_is_turned_as_a_viewer_turns_it(mark: int, tmp_path: Path) -> None:
    with Image.open(PHOTOS / "rocket.jpg") as photo:
        exif = Image.Exif()
        exif[0x0112] = mark
        photo.save(tmp_path / "a.jpg", exif=exif)
        clean_image(tmp_path / "a.jpg", tmp_path / "b.jpg")
        with Image.open(tmp_path / "a.jpg") as marked, Image.open(tmp_path / "b.jpg") as copy:
            expected = ImageOps.exif_transpose(marked)
            difference = ImageChops.difference(expected, copy).convert("L")
            assert (read_image(tmp_path / "a.jpg").width, copy.size) == (expected.width, expected.size)
            assert ImageStat.Stat(difference).mean[0] < 3


def test_damaged_metadata_does_not_spoil_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (320, 310)).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00no metadata at all")
    assert read_image(tmp_path / "a.jpg").width == 320
    assert clean_image(tmp_path / "a.jpg", tmp_path / "b.jpg").width == 320


def test_an_image_on_its_side_has_the_size_that_is_seen(photo: Path) -> None:
    facts = read_image(photo)
    assert (facts.width, facts.height) == (300, 400)


def test_a_copy_is_upright_and_carries_nothing_else(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    facts = clean_image(photo, out)
    assert (facts.format, facts.width, facts.height, facts.size_bytes) == ("jpeg", 300, 400, out.stat().st_size)
    assert b"secret" not in out.read_bytes()
    assert b"profile" not in out.read_bytes()
    with Image.open(out) as copy:
        assert dict(copy.getexif()) == {}
        top, bottom = copy.getpixel((150, 50)), copy.getpixel((150, 350))
    assert near(top, RED) and near(bottom, BLUE)


def near(pixel: Any, colour: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(pixel, colour, strict=True))


def test_a_copy_of_a_photo_grows_by_no_more_than_a_fifth(tmp_path: Path) -> None:
    for name in ("rocket.jpg", "retina.jpg"):
        facts = clean_image(PHOTOS / name, tmp_path / name)
        assert facts.size_bytes < (PHOTOS / name).stat().st_size * 1.2


def test_a_copied_png_keeps_its_pixels_and_transparency_and_loses_its_text(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret comment")
    Image.new("RGBA", (310, 320), (10, 20, 30, 40)).save(tmp_path / "a.png", pnginfo=text)
    clean_image(tmp_path / "a.png", tmp_path / "b.png")
    assert b"secret" not in (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "b.png") as copy:
        assert (copy.format, copy.mode, copy.getpixel((0, 0))) == ("PNG", "RGBA", (10, 20, 30, 40))


def test_a_copied_palette_png_stays_transparent_where_it_was(tmp_path: Path) -> None:
    image = Image.new("P", (300, 300), 1)
    image.putpalette([*RED, *BLUE])
    image.save(tmp_path / "a.png", transparency=1)
    clean_image(tmp_path / "a.png", tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as copy:
        assert copy.convert("RGBA").getpixel((0, 0)) == (*BLUE, 0)


def test_a_print_jpeg_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (300, 300), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    clean_image(tmp_path / "a.jpg", tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as copy:
        assert copy.mode == "RGB"
        assert near(copy.getpixel((0, 0)), RED)


def test_a_phone_picture_with_a_second_picture_inside_is_a_jpeg(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (320, 310), RED), Image.new("RGB", (320, 310), BLUE)
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    assert read_image(tmp_path / "a.jpg").format == "jpeg"
    assert clean_image(tmp_path / "a.jpg", tmp_path / "b.jpg").format == "jpeg"
    with Image.open(tmp_path / "b.jpg") as copy:
        assert (copy.format, getattr(copy, "n_frames", 1)) == ("JPEG", 1)


def test_a_webp_stays_a_webp_and_a_gif_is_no_reference(tmp_path: Path) -> None:
    Image.new("RGB", (300, 300)).save(tmp_path / "a.webp", exif=b"Exif\x00\x00a secret")
    assert clean_image(tmp_path / "a.webp", tmp_path / "b.webp").format == "webp"
    assert b"secret" not in (tmp_path / "b.webp").read_bytes()
    Image.new("RGB", (300, 300)).save(tmp_path / "a.gif")
    with pytest.raises(BadImage):
        clean_image(tmp_path / "a.gif", tmp_path / "b.gif")


def image(**changes: Any) -> ImageFacts:
    facts: dict[str, Any] = {"mime_type": "image/png", "format": "png", "size_bytes": 1000, "width": 300, "height": 300}
    return ImageFacts(**facts | changes)


@pytest.mark.parametrize(
    "facts",
    [
        image(),
        image(format="jpeg"),
        image(size_bytes=10 * 1024 * 1024),
        image(width=750),
        image(height=750),
        image(width=50_000, height=20_000),
    ],
)
def test_the_common_image_is_accepted_up_to_its_limits(facts: ImageFacts) -> None:
    assert problem(facts, ImageRule()) is None


@pytest.mark.parametrize(
    ("facts", "code", "sentence"),
    [
        (image(format="webp"), "image_processing_error", "The image must be JPEG or PNG; it is WebP."),
        (
            image(size_bytes=10 * 1024 * 1024 + 1),
            "image_processing_error",
            "The image must not exceed 10 MB; it has 10.0 MB.",
        ),
        (
            image(width=299),
            "image_dimension_mismatch",
            "Both sides of the image must have at least 300 pixels; it has 299 x 300.",
        ),
        (
            image(width=751),
            "image_dimension_mismatch",
            "The image's width divided by its height must lie between 0.4 and 2.5; it has 751 x 300.",
        ),
        (
            image(height=751),
            "image_dimension_mismatch",
            "The image's width divided by its height must lie between 0.4 and 2.5; it has 300 x 751.",
        ),
    ],
)
def test_past_a_limit_the_sentence_names_it(facts: ImageFacts, code: str, sentence: str) -> None:
    found = verdict(facts, ImageRule())
    assert found is not None
    assert (found.code, found.request_code, found.message) == (code, "invalid_image", sentence)
    assert problem(facts, ImageRule()) == sentence


def test_a_video_is_no_image(tmp_path: Path) -> None:
    assert_bad(film(tmp_path / "a.mp4", width=64, height=64, seconds=1))
