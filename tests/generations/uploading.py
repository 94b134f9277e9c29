"""Small files to upload."""

import base64
import io
from pathlib import Path

from PIL import Image

from generations import files, media
from generations.models import StoredFile
from tests.cast import Person
from tests.generations.films import PHOTOS

FACE = PHOTOS / "astronaut.png"
NO_FACE = PHOTOS / "coffee.png"


def picture(file_format: str = "PNG", size: tuple[int, int] = (400, 300)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, file_format)
    return out.getvalue()


def as_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def kept(person: Person, path: Path = NO_FACE, **how: object) -> StoredFile:
    """An upload of this person's organization."""
    facts = media.read_video(path) if path.suffix in (".mp4", ".mov") else media.read_image(path)
    values = {"purpose": StoredFile.Purpose.UPLOAD, "file_name": path.name} | how
    return files.keep(person.organization, path, facts, **values)


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
