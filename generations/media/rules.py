"""What a model asks of an image or a video, what a file turned out to be, and the sentence when the two disagree.

MediaError          .code          the task's error code, when the worker finds it
├── BadImage        .request_code  the 400's code, when it is known at POST: invalid_image
└── BadVideo                                                                 invalid_video
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

MEGABYTE = 1024 * 1024
RATIO_TOLERANCE = Fraction(2, 100)
"""Encoders round sides to even numbers: 854x480 is meant as 16:9 and lies 0.08 % beside it."""


class MediaError(Exception):
    """A file that cannot be used. `message` is a plain sentence for the customer."""

    request_code: ClassVar[str]

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BadImage(MediaError):
    """Task codes: image_processing_error (bytes, format, size), image_dimension_mismatch (sides, shape)."""

    request_code = "invalid_image"


class BadVideo(MediaError):
    """Task codes: video_probe_failed (it cannot be read), invalid_parameters (it can, and breaks the rule)."""

    request_code = "invalid_video"


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """Sides in pixels; a ratio is width / height. The defaults are the `common image` of every model."""

    max_bytes: int = 10 * MEGABYTE
    formats: tuple[str, ...] = ("jpeg", "png")
    min_side: int = 300
    min_ratio: float = 0.4
    max_ratio: float = 2.5


@dataclass(frozen=True, kw_only=True)
class VideoRule:
    """Sides in pixels; `ratios` are the shapes allowed, such as "16:9"; None allows every shape or rate."""

    max_bytes: int
    min_seconds: float
    max_seconds: float
    min_side: int
    max_side: int
    formats: tuple[str, ...] = ("mp4", "mov")
    ratios: tuple[str, ...] | None = None
    min_fps: int | None = None
    max_fps: int | None = None


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """Width and height as the picture is seen, after its orientation mark."""

    mime_type: str
    format: str
    size_bytes: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class VideoFacts:
    """Width and height as the picture is seen, after rotation; the length is the picture's, not the sound's."""

    mime_type: str
    format: str
    size_bytes: int
    width: int
    height: int
    duration_seconds: Decimal
    fps: Decimal
    has_audio: bool


def problem(facts: ImageFacts | VideoFacts, rule: ImageRule | VideoRule) -> str | None:
    """The first thing that is wrong, as a plain sentence, or None when the rule accepts the file."""
    found = verdict(facts, rule)
    return found.message if found else None


def verdict(facts: ImageFacts | VideoFacts, rule: ImageRule | VideoRule) -> MediaError | None:
    """Like `problem`, with the codes that go with the sentence. Nothing is raised."""
    if isinstance(rule, ImageRule):
        if not isinstance(facts, ImageFacts):
            return BadImage("image_processing_error", f"An image is needed here, and the file is {_named(facts)}.")
        return next(_image_faults(facts, rule), None)
    if not isinstance(facts, VideoFacts):
        return BadVideo("invalid_parameters", f"A video is needed here, and the file is {_named(facts)}.")
    return next((BadVideo("invalid_parameters", sentence) for sentence in _video_faults(facts, rule)), None)


def _image_faults(facts: ImageFacts, rule: ImageRule) -> Iterator[BadImage]:
    if facts.format not in rule.formats:
        yield BadImage("image_processing_error", f"The image must be {_choice(rule.formats)}; it is {_named(facts)}.")
    if facts.size_bytes > rule.max_bytes:
        yield BadImage("image_processing_error", _too_big("image", facts.size_bytes, rule.max_bytes))
    if min(facts.width, facts.height) < rule.min_side:
        yield BadImage(
            "image_dimension_mismatch",
            f"Both sides of the image must have at least {rule.min_side} pixels; it has {_size(facts)}.",
        )
    if not rule.min_ratio <= facts.width / facts.height <= rule.max_ratio:
        yield BadImage(
            "image_dimension_mismatch",
            f"The image's width divided by its height must lie between {rule.min_ratio:g} and {rule.max_ratio:g}; "
            f"it has {_size(facts)}.",
        )


def _video_faults(facts: VideoFacts, rule: VideoRule) -> Iterator[str]:
    if facts.format not in rule.formats:
        yield f"The video must be {_choice(rule.formats)}; it is {_named(facts)}."
    if facts.size_bytes > rule.max_bytes:
        yield _too_big("video", facts.size_bytes, rule.max_bytes)
    one_frame = min(1 / facts.fps, Decimal("0.1"))
    if not Decimal(rule.min_seconds) - one_frame <= facts.duration_seconds <= Decimal(rule.max_seconds) + one_frame:
        yield (
            f"The video must last {rule.min_seconds:g} to {rule.max_seconds:g} seconds; "
            f"it lasts {facts.duration_seconds.normalize():f}."
        )
    if not rule.min_side <= min(facts.width, facts.height) <= max(facts.width, facts.height) <= rule.max_side:
        yield (f"Both sides of the video must have {rule.min_side} to {rule.max_side} pixels; it has {_size(facts)}.")
    if rule.ratios is not None and not any(_has_ratio(facts, ratio) for ratio in rule.ratios):
        yield f"The video's shape must be {_choice(rule.ratios)}; it has {_size(facts)} pixels."
    if round(facts.fps) < (rule.min_fps or 0):
        yield f"The video must have at least {rule.min_fps} frames a second; it has {facts.fps.normalize():f}."
    if rule.max_fps is not None and round(facts.fps) > rule.max_fps:
        yield f"The video must have at most {rule.max_fps} frames a second; it has {facts.fps.normalize():f}."


def _has_ratio(facts: VideoFacts, ratio: str) -> bool:
    width, height = ratio.split(":")
    wanted = Fraction(int(width), int(height))
    return abs(Fraction(facts.width, facts.height) - wanted) <= wanted * RATIO_TOLERANCE


def _too_big(noun: str, size_bytes: int, max_bytes: int) -> str:
    return f"The {noun} must not exceed {max_bytes / MEGABYTE:g} MB; it has {size_bytes / MEGABYTE:.1f} MB."


def _named(facts: ImageFacts | VideoFacts) -> str:
    return {"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "gif": "GIF"}.get(facts.format, facts.format.upper())


def _size(facts: ImageFacts | VideoFacts) -> str:
    return f"{facts.width} x {facts.height}"


def _choice(options: tuple[str, ...]) -> str:
    words = [{"webp": "WebP"}.get(option, option.upper()) for option in options]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
