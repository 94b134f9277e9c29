"""Looks at the reference media of a create, as Kling does when it starts: fetched, recognised, measured.

Setting `media`: "check" (an address that nobody answers at is let pass), "strict" (it fails the task), "off".
"""

import io

import av
import httpx
from PIL import Image

from generations.sandbox.faults import FAILURES

LARGEST = {"image": 50 * 1024**2, "video": 200 * 1024**2}
SHORTEST_SIDE = 300
LONGEST_RATIO = 2.5


class Unusable(Exception):
    """Kling's sentence about a reference that it cannot use."""


async def problem(client: httpx.AsyncClient, url: str, kind: str, mode: str) -> tuple[str, tuple[int, int] | None]:
    """`(Kling's sentence or "", size in pixels where known)`."""
    if mode == "off":
        return "", None
    try:
        return "", measure(await _fetched(client, url, LARGEST[kind]), kind)
    except Unusable as error:
        return str(error), None
    except (httpx.HTTPError, httpx.InvalidURL):
        return (FAILURES["download"] if mode == "strict" else ""), None


async def _fetched(client: httpx.AsyncClient, url: str, largest: int) -> bytes:
    content = bytearray()
    async with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise Unusable(FAILURES["download"])
        async for part in response.aiter_bytes():
            content += part
            if len(content) > largest:
                raise Unusable(f"{FAILURES['download']}: file too large")
    return bytes(content)


def measure(content: bytes, kind: str) -> tuple[int, int]:
    """Width and height. Raises Unusable with Kling's sentence."""
    if kind == "video":
        return _video_size(content)
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Unusable("Image format is invalid") from error
    if min(width, height) < SHORTEST_SIDE or max(width, height) > LONGEST_RATIO * min(width, height):
        raise Unusable(FAILURES["image"])
    return width, height


def _video_size(content: bytes) -> tuple[int, int]:
    try:
        with av.open(io.BytesIO(content)) as container:
            video = container.streams.video[0]
            return video.width, video.height
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise Unusable(FAILURES["video"]) from error
