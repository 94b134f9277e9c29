"""Looks at the reference media of a create, as providers do when they start: fetched, recognised, measured.

Setting `media`: "check" (an address that nobody answers at is let pass), "strict" (it fails the task), "off".
"""

import io
from dataclasses import dataclass

import av
import httpx
from PIL import Image

LARGEST = {"image": 50 * 1024**2, "video": 200 * 1024**2}
SHORTEST_SIDE = 300
LONGEST_RATIO = 2.5


class Unusable(Exception):
    """Why a reference cannot be used: one of `faults.FAILURES`."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a reference showed: one of `faults.FAILURES` when it cannot be used, else size and length where known."""

    problem: str = ""
    size: tuple[int, int] | None = None
    seconds: float | None = None


async def look(client: httpx.AsyncClient, url: str, kind: str, mode: str) -> Seen:
    if mode == "off":
        return Seen()
    try:
        return measure(await _fetched(client, url, LARGEST[kind]), kind)
    except Unusable as error:
        return Seen(problem=str(error))
    except (httpx.HTTPError, httpx.InvalidURL):
        return Seen(problem="download" if mode == "strict" else "")


async def _fetched(client: httpx.AsyncClient, url: str, largest: int) -> bytes:
    content = bytearray()
    async with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise Unusable("download")
        async for part in response.aiter_bytes():
            content += part
            if len(content) > largest:
                raise Unusable("large")
    return bytes(content)


def measure(content: bytes, kind: str) -> Seen:
    """Raises Unusable."""
    if kind == "video":
        return _video(content)
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Unusable("format") from error
    if min(width, height) < SHORTEST_SIDE or max(width, height) > LONGEST_RATIO * min(width, height):
        raise Unusable("image")
    return Seen(size=(width, height))


def _video(content: bytes) -> Seen:
    try:
        with av.open(io.BytesIO(content), "r") as container:
            video = container.streams.video[0]
            seconds = container.duration / av.time_base if container.duration else None
            return Seen(size=(video.width, video.height), seconds=seconds)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise Unusable("video") from error
