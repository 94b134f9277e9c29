"""Reads what a file is from its bytes, and believes nothing else: not its name, not its header's claims.

Pillow and FFmpeg are shown only the formats we take (FFmpeg would otherwise follow a playlist to any file or
address), and a picture's size is checked before a single pixel is unpacked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from generations.media.rules import BadImage, BadVideo, ImageFacts, VideoFacts

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MIME_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
}
VIDEO_FORMATS = {"video/mp4": "mp4", "video/quicktime": "mov"}
MAX_PIXELS = 50_000_000
MAX_VIDEO_SIDE = 8192
MAX_PACKETS = 1_000_000
HEAD_BYTES = 64
ORIENTATION_TAG = 0x0112
TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FIRST_SIDEWAYS = 5
"""Orientation marks and what they ask for; from 5 on, width and height change places."""

_MP4_BRANDS = {b"isom", b"mp41", b"mp42", b"avc1", b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"dash", b"f4v ", b"mmp4"} | {
    b"iso%d" % n for n in range(2, 10)
}
_OLD_QUICKTIME_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def sniff(head: bytes) -> str | None:
    """The MIME type that the first 64 bytes show: JPEG, PNG, WebP, GIF, MP4 or MOV; None for all else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    return "video/quicktime" if head[4:8] in _OLD_QUICKTIME_BOXES else None


def _sniff_brands(head: bytes) -> str | None:
    major, end = head[8:12], min(int.from_bytes(head[:4], "big"), len(head))
    if major == b"qt  ":
        return "video/quicktime"
    brands = {major} | {head[at : at + 4] for at in range(16, end - 3, 4)}
    if major[:3] in (b"hei", b"hev", b"mif", b"msf", b"avi", b"M4A", b"M4B"):
        return None  # HEIC, AVIF and audio books list video brands as compatible, and are no videos
    return "video/mp4" if brands & _MP4_BRANDS else None


@contextmanager
def opened_image(path: Path) -> Iterator[Image.Image]:
    """The image, unpacked whole, so that a truncated or damaged file has shown itself. Raises BadImage."""
    try:
        with Image.open(path, formats=IMAGE_FORMATS) as image:
            _refuse_pixel_bomb(image)
            image.verify()
        image = Image.open(path, formats=IMAGE_FORMATS)
        image.load()
    except BadImage:
        raise
    except Image.DecompressionBombError as error:
        raise _pixel_bomb() from error
    except Exception as error:  # a hostile file makes Pillow raise nearly anything
        raise BadImage("image_processing_error", "The file is not a complete JPEG, PNG, WebP or GIF image.") from error
    with image:
        yield image


def _refuse_pixel_bomb(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _pixel_bomb()


def _pixel_bomb() -> BadImage:
    return BadImage("image_processing_error", f"The image must not exceed {MAX_PIXELS // 1_000_000} million pixels.")


def image_format(image: Image.Image) -> str:
    """Our word for Pillow's: a JPEG with a second picture inside (many phones) is MPO to Pillow."""
    return "jpeg" if image.format == "MPO" else str(image.format).lower()


def upright(image: Image.Image) -> Image.Image:
    """The picture as it is seen."""
    turn = TO_UPRIGHT.get(_orientation(image))
    return image.copy() if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        mark = image.getexif().get(ORIENTATION_TAG)
    except Exception:  # damaged metadata makes Pillow raise nearly anything; viewers show such a picture as it lies
        return 1
    return mark if mark in TO_UPRIGHT else 1


def read_image(path: Path) -> ImageFacts:
    """Raises BadImage (image_processing_error; at POST invalid_image)."""
    with opened_image(path) as image:
        width, height = image.size
        if _orientation(image) >= FIRST_SIDEWAYS:
            width, height = height, width
        return ImageFacts(
            mime_type=MIME_TYPES[image_format(image)],
            format=image_format(image),
            size_bytes=path.stat().st_size,
            width=width,
            height=height,
        )


@contextmanager
def opened_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its picture stream; whatever FFmpeg stumbles over inside becomes BadVideo (video_probe_failed).

    The file is handed over opened and named as the mov/mp4 family, so that FFmpeg opens nothing by itself.
    """
    try:
        with path.open("rb") as file, av.open(file, "r", format="mov") as container:
            if not container.streams.video:
                raise BadVideo("video_probe_failed", "The file holds no picture stream.")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise BadVideo("video_probe_failed", "The video's coding is not known.")
            if max(stream.codec_context.width, stream.codec_context.height) > MAX_VIDEO_SIDE:
                raise BadVideo("video_probe_failed", f"The video's sides must not exceed {MAX_VIDEO_SIDE} pixels.")
            yield container, stream
    except (av.FFmpegError, ValueError, ArithmeticError, UnicodeError) as error:
        raise BadVideo("video_probe_failed", "The file is not a complete MP4 or MOV video.") from error


def read_video(path: Path) -> VideoFacts:
    """The length is counted over the file's packets, not taken from its header.

    Raises BadVideo (video_probe_failed; at POST invalid_video).
    """
    with path.open("rb") as file:
        mime_type = sniff(file.read(HEAD_BYTES))
    if mime_type not in VIDEO_FORMATS:
        raise BadVideo("video_probe_failed", "The file is not an MP4 or MOV video.")
    with opened_video(path) as (container, stream):
        width, height = _seen_size(container, stream)
        duration_seconds, packets = _measured(container, stream)
        return VideoFacts(
            mime_type=mime_type,
            format=VIDEO_FORMATS[mime_type],
            size_bytes=path.stat().st_size,
            width=width,
            height=height,
            duration_seconds=duration_seconds,
            fps=round(packets / duration_seconds, 3),
            has_audio=bool(container.streams.audio),
        )


def _seen_size(container: InputContainer, stream: VideoStream) -> tuple[int, int]:
    """Unpacks the first frame, which also shows that the file is playable at all."""
    frame = next(container.decode(stream), None)
    if frame is None:
        raise BadVideo("video_probe_failed", "The video holds no picture.")
    container.seek(0)
    return (frame.height, frame.width) if turn(frame) in (90, 270) else (frame.width, frame.height)


def turn(frame: av.VideoFrame) -> int:
    """Degrees by which the frame must be turned counter-clockwise to be upright: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) * 90 % 360


def _measured(container: InputContainer, stream: VideoStream) -> tuple[Decimal, int]:
    """Seconds, to the millisecond, and the number of frames."""
    start: int | None = None
    end = packets = 0
    for packet in container.demux(stream):
        if packet.pts is None or not packet.size:
            continue
        if packet.is_corrupt:
            raise BadVideo("video_probe_failed", "The video is damaged or cut off.")
        start = packet.pts if start is None else min(start, packet.pts)
        end = max(end, packet.pts + (packet.duration or 0))
        packets += 1
        if packets > MAX_PACKETS:
            raise BadVideo("video_probe_failed", "The video holds too many frames.")
    seconds = _seconds(0 if start is None else end - start, stream)
    if not seconds or _seconds(stream.duration or 0, stream) - seconds > 1:
        raise BadVideo("video_probe_failed", "The video is damaged or cut off.")
    return seconds, packets


def _seconds(ticks: int, stream: VideoStream) -> Decimal:
    tick = stream.time_base or Fraction(1)
    return round(Decimal(ticks) * tick.numerator / tick.denominator, 3)
