"""Reference media and results: what a file is, whether a rule accepts it, and our own clean copy of it.

    rules    ImageRule, VideoRule, ImageFacts, VideoFacts · problem(facts, rule), verdict(facts, rule)
    probe    sniff(head), read_image(path), read_video(path)
    copies   clean_image(path, out), to_1080p(path, out)

Everything here is given a path on the local disk and reads nothing else: no network, no tables.
"""

from generations.media.copies import clean_image, to_1080p
from generations.media.probe import read_image, read_video, sniff
from generations.media.rules import (
    BadImage,
    BadVideo,
    ImageFacts,
    ImageRule,
    MediaError,
    VideoFacts,
    VideoRule,
    problem,
    verdict,
)

__all__ = [
    "BadImage",
    "BadVideo",
    "ImageFacts",
    "ImageRule",
    "MediaError",
    "VideoFacts",
    "VideoRule",
    "clean_image",
    "problem",
    "read_image",
    "read_video",
    "sniff",
    "to_1080p",
    "verdict",
]
