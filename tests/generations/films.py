"""Short videos made on the spot: still pictures, each for an equal part of the time, and silence for sound."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import skimage
from PIL import Image

PHOTOS = Path(skimage.__file__).parent / "data"
"""Real photographs of scikit-image: astronaut.png shows a face; chelsea.png, coffee.png and rocket.jpg none."""
AUDIO_RATE = 48_000


def film(
    path: Path,
    *,
    width: int = 1280,
    height: int = 720,
    seconds: float = 3,
    fps: int = 24,
    sound: bool = False,
    rotation: int = 0,
    pictures: Sequence[Path] = (),
) -> Path:
    """Writes an MP4 or MOV, by the name's ending; `rotation` marks it to be turned counter-clockwise by degrees."""
    stills = [Image.open(picture).convert("RGB").resize((width, height)) for picture in pictures]
    stills = stills or [Image.new("RGB", (width, height))]
    frames = round(seconds * fps)
    with av.open(str(path), "w", format=path.suffix.removeprefix(".")) as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        voice = container.add_stream("aac", rate=AUDIO_RATE, layout="mono") if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_image(stills[number * len(stills) // frames])
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice:
            for number in range(round(seconds * AUDIO_RATE / 1024)):
                silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
                silence.planes[0].update(bytes(silence.planes[0].buffer_size))
                silence.sample_rate, silence.pts, silence.time_base = AUDIO_RATE, number * 1024, Fraction(1, AUDIO_RATE)
                container.mux(voice.encode(silence))
            container.mux(voice.encode(None))
    return path


def frame_at(path: Path, seconds: float) -> Image.Image:
    """The picture shown at that moment, as stored."""
    with av.open(str(path)) as container:
        return next(f.to_image() for f in container.decode(video=0) if f.time is not None and f.time >= seconds)
