"""Our own copy of a customer's file: the same picture, written anew, so that nothing else rides along.

Orientation is applied; metadata, further pictures and bytes after the end are gone.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image, JpegImagePlugin

from generations.media.probe import image_format, opened_image, opened_video, read_image, read_video, turn, upright
from generations.media.rules import BadImage, ImageFacts, VideoFacts

SHORT_SIDE = 1080
AUDIO_RATE = 48_000
TURNS: dict[int, tuple[tuple[str, str | None], ...]] = {
    0: (),
    90: (("transpose", "cclock"),),
    180: (("hflip", None), ("vflip", None)),
    270: (("transpose", "clock"),),
}
"""FFmpeg's filters for a picture that must be turned counter-clockwise by so many degrees."""


def clean_image(path: Path, out: Path) -> ImageFacts:
    """Writes `path` into `out` in its own format (JPEG, PNG, WebP). Raises BadImage (image_processing_error)."""
    with opened_image(path) as image:
        file_format = image_format(image)
        if file_format == "gif":
            raise BadImage("image_processing_error", "A GIF cannot be used as a reference image.")
        copy = upright(image)
        copy.info = {key: value for key, value in copy.info.items() if key == "transparency"}
        if file_format == "jpeg" and copy.mode not in ("L", "RGB"):
            copy = copy.convert("RGB")
        copy.save(out, file_format.upper(), **_saving(image, copy.mode))
    return read_image(out)


def _saving(image: Image.Image, mode: str) -> dict[str, Any]:
    """A JPEG keeps its own compression tables, so that the copy neither grows past a limit nor loses detail."""
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode == mode:
        return {"qtables": image.quantization, "subsampling": JpegImagePlugin.get_sampling(image), "optimize": True}
    return {} if image.format == "PNG" else {"quality": 95}


def to_1080p(path: Path, out: Path) -> VideoFacts:
    """Writes an MP4 (H.264, AAC) whose shorter side is 1080: same shape, upright, same length, with its sound.

    Takes about a second of CPU for a second of video. Raises BadVideo (video_probe_failed).
    """
    facts = read_video(path)
    with opened_video(path) as (container, stream), av.open(str(out), "w", format="mp4") as target:
        picture = _picture_stream(target, stream, facts)
        sources: list[AudioStream | VideoStream] = [stream]
        if sound := next((one for one in container.streams.audio if one.codec_context), None):
            sources.append(sound)
            voice = target.add_stream("aac", rate=AUDIO_RATE, layout="stereo")
            resampler = av.AudioResampler(format=voice.format, layout="stereo", rate=AUDIO_RATE)
        graph: av.filter.Graph | None = None
        for frame in container.decode(*sources):
            if isinstance(frame, av.AudioFrame):
                for piece in resampler.resample(frame):
                    target.mux(voice.encode(piece))
            elif isinstance(frame, av.VideoFrame):
                graph = graph or _scaling(stream, frame, picture)
                graph.push(frame)
                target.mux(picture.encode(graph.vpull()))
        target.mux(picture.encode(None))
        if sound:
            target.mux(voice.encode(None))
    return read_video(out)


def _picture_stream(target: OutputContainer, stream: VideoStream, facts: VideoFacts) -> VideoStream:
    """A stream of the same shape, with even sides, as H.264 asks, and the source's clock, so that no frame moves."""
    scale = Fraction(SHORT_SIDE, min(facts.width, facts.height))
    picture = target.add_stream("libx264", rate=round(facts.fps), options={"preset": "veryfast", "crf": "18"})
    picture.width, picture.height = (round(side * scale / 2) * 2 for side in (facts.width, facts.height))
    picture.pix_fmt = "yuv420p"
    if stream.time_base:
        picture.codec_context.time_base = stream.time_base
    return picture


def _scaling(stream: VideoStream, frame: av.VideoFrame, picture: VideoStream) -> av.filter.Graph:
    """Turns the picture upright, then scales it to the size of the stream it goes to."""
    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=stream)]
    steps += [graph.add(name, argument) for name, argument in TURNS[turn(frame)]]
    steps.append(graph.add("scale", f"{picture.width}:{picture.height}"))
    steps.append(graph.add("format", "yuv420p"))
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps).configure()
    return graph
