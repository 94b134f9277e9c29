"""Two photographs that show one face from two sides: Eileen Collins, by NASA, in the public domain.

scikit-image, which the tests use too, brings the picture along; its mirrored middle is the second side.
"""

from pathlib import Path

import skimage
from PIL import Image, ImageOps

ORIGINAL = Path(skimage.__file__).parent / "data" / "astronaut.png"
MIDDLE = (40, 0, 440, 400)


def write(folder: Path) -> tuple[Path, Path]:
    """The frontal photograph and the other one, as JPEG files."""
    frontal, other = folder / "eileen-frontal.jpg", folder / "eileen-other.jpg"
    with Image.open(ORIGINAL) as original:
        photo = original.convert("RGB")
    photo.save(frontal)
    ImageOps.mirror(photo.crop(MIDDLE)).save(other)
    return frontal, other
