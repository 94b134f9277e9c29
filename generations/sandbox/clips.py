"""Real MP4 files, cheaply: one second is drawn and encoded, and its packets are repeated to the length asked for.

Each (size, length, sound, watermark) is rendered once and kept as a file.
"""

import array
import asyncio
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

FPS = 24
SHORT_SIDE = {"720p": 720, "1080p": 1080, "4k": 2160}
DRAWN_SMALLER = 8
SAMPLE_RATE = 44_100
TONE_HERTZ = 220
# No B-frames and a key frame a second: any packet may be the last one, and a second can follow itself.
VIDEO_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30", "g": str(FPS), "bf": "0"}


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What makes a file different from another one."""

    width: int
    height: int
    frames: int
    sound: bool
    watermark: bool

    @property
    def name(self) -> str:
        marks = ("-sound" if self.sound else "") + ("-watermark" if self.watermark else "")
        return f"{self.width}x{self.height}-{self.frames}{marks}.mp4"


def of(plan: dict[str, Any], *, watermark: bool) -> Clip:
    """The clip of a task's plan: `seconds_made` long, in the shape of its first frame or its `ratio`."""
    width, height = _size(plan)
    frames = max(1, round(float(plan["seconds_made"]) * FPS))
    return Clip(width=width, height=height, frames=frames, sound=plan["sound"], watermark=watermark)


def _size(plan: dict[str, Any]) -> tuple[int, int]:
    short = SHORT_SIDE[plan["resolution"]]
    wide, high = plan.get("frame") or [int(side) for side in (plan["ratio"] or "16:9").split(":")]
    if wide >= high:
        return _even(short * wide / high), short
    return short, _even(short * high / wide)


def _even(side: float) -> int:
    return round(side / 2) * 2


class Clips:
    """The folder of rendered files. One rendering at a time, in a thread, so that answers do not wait for it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.turn = asyncio.Semaphore(1)

    async def file(self, clip: Clip) -> Path:
        path = self.folder / clip.name
        async with self.turn:
            if not path.exists():
                await asyncio.to_thread(render, clip, path)
        return path


def render(clip: Clip, path: Path) -> None:
    """Writes the file whole or not at all."""
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        video = output.add_stream("libx264", rate=FPS, options=VIDEO_OPTIONS)
        video.width, video.height, video.pix_fmt = clip.width, clip.height, "yuv420p"
        audio = output.add_stream("aac", rate=SAMPLE_RATE) if clip.sound else None
        second = [bytes(packet) for frame in _frames(clip) for packet in video.encode(frame)]
        for number in range(clip.frames):
            packet = av.Packet(second[number % FPS])
            packet.stream, packet.time_base = video, video.codec_context.time_base
            packet.pts = packet.dts = number
            packet.duration = 1
            packet.is_keyframe = number % FPS == 0
            output.mux(packet)
        if audio is not None:
            for sound in _tone(clip.frames / FPS):
                output.mux(audio.encode(sound))
            output.mux(audio.encode(None))
    unfinished.replace(path)


def _frames(clip: Clip) -> Iterator[av.VideoFrame]:
    """One second of a ball on a circle over a gradient, drawn small and scaled up."""
    width, height = max(2, clip.width // DRAWN_SMALLER), max(2, clip.height // DRAWN_SMALLER)
    ground = Image.linear_gradient("L").resize((width, height))
    ground = Image.merge("RGB", (ground.point(lambda light: light // 4), ground, ground))
    radius = min(width, height) // 8
    for number in range(FPS):
        picture, turn = ground.copy(), 2 * math.pi * number / FPS
        x, y = width / 2 + math.cos(turn) * width / 4, height / 2 + math.sin(turn) * height / 4
        draw = ImageDraw.Draw(picture)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 200, 60))
        if clip.watermark:
            draw.rectangle((width * 3 // 4, height * 7 // 8, width - 2, height - 2), fill=(255, 255, 255))
        frame = av.VideoFrame.from_image(picture).reformat(clip.width, clip.height, "yuv420p")
        frame.pts = number
        yield frame


def _tone(seconds: float) -> Iterator[av.AudioFrame]:
    """A quiet tone; a whole number of its waves fits a second, so seconds join without a click."""
    second = array.array(
        "h", (int(2000 * math.sin(2 * math.pi * TONE_HERTZ * n / SAMPLE_RATE)) for n in range(SAMPLE_RATE))
    )
    samples, sent = round(seconds * SAMPLE_RATE), 0
    while sent < samples:
        part = second[: min(SAMPLE_RATE, samples - sent)]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(part))
        frame.planes[0].update(part.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts = SAMPLE_RATE, sent
        sent += len(part)
        yield frame
