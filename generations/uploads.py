"""Uploads: take a customer's file in, whichever way it comes, and look for a face in it afterwards.

The type is read from the bytes; names are labels that never touch the storage. What a file is (sides, length) is read
at once; whether it shows a face is asked of a worker, since that is native code which a wrong file may crash.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from django.db.models import QuerySet
from django.utils import timezone

from accounts import tenancy
from accounts.errors import ApiError, InvalidRequest, NotFound, TooLarge, TooManyRequests
from accounts.models import Organization
from generations import alerts, faces, files, leases, media, safe_http
from generations.models import DownloadPlace, StoredFile

logger = logging.getLogger(__name__)
MEGABYTE = 1024 * 1024
MAX_IMAGE_BYTES = 100 * MEGABYTE
MAX_VIDEO_BYTES = 200 * MEGABYTE
KEPT_FOR = timedelta(hours=72)
DOWNLOAD_SECONDS = 30
DOWNLOADS_AT_ONCE = 2
FACE_LEASE_SECONDS = 60
HEAD_BYTES = 64
MAX_NAME = 200
EXTENSIONS = {
    "jpeg": (".jpg", ".jpeg"),
    "png": (".png",),
    "webp": (".webp",),
    "gif": (".gif",),
    "mp4": (".mp4",),
    "mov": (".mov", ".qt"),
}


class StorageFailed(ApiError):
    """Our storage refused the file."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """How the customer labels an upload; empty where nothing was said."""

    upload_path: str
    file_name: str


def accept(
    organization: Organization, names: Names, original_name: str, write: Callable[[BinaryIO], None]
) -> StoredFile:
    """Let `write` fill a temporary file, check what came and keep it.

    Raises InvalidRequest, TooLarge, StorageFailed, and whatever `write` raises.
    """
    upload_path = clean_path(names.upload_path)
    with tempfile.TemporaryDirectory(prefix="upload-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as into:
            write(into)
        facts = read(path)
        try:
            return files.keep(
                organization,
                path,
                facts,
                purpose=StoredFile.Purpose.UPLOAD,
                file_name=clean_name(names.file_name or original_name, facts.format),
                original_name=_printable(original_name)[:MAX_NAME],
                upload_path=upload_path,
                expires_at=timezone.now() + KEPT_FOR,
                max_uploads=organization.user_group.max_files,
            )
        except files.NoRoom as error:
            raise _quota_exceeded(organization) from error
        except OSError as error:
            logger.exception("the storage failed")
            raise StorageFailed("storage_error", "The file could not be stored; please try again.") from error


def accept_url(organization: Organization, names: Names, url: str) -> StoredFile:
    """Download the file at `url` and keep it. Raises like `accept`, and TooManyRequests beyond two at a time."""
    check_room(organization)
    try:
        safe_http.check_spelling(url, https_only=False)
        with _download_place(organization):
            return accept(organization, names, _last_word(url), lambda into: _download(url, into))
    except safe_http.TooLarge as error:
        raise TooLarge("file_too_large", f"The file exceeds {MAX_VIDEO_BYTES // MEGABYTE} MB.") from error
    except safe_http.FetchError as error:
        raise InvalidRequest("url_download_failed", str(error), param="file_url") from error


def read(path: Path) -> media.ImageFacts | media.VideoFacts:
    """What the file is. Raises InvalidRequest (type, damage) or TooLarge."""
    with path.open("rb") as file:
        mime_type = media.sniff(file.read(HEAD_BYTES))
    if mime_type is None:
        raise InvalidRequest("file_type_not_allowed", "Only JPEG, PNG, WebP, GIF, MP4 and MOV files are taken.")
    is_video = mime_type.startswith("video/")
    limit = MAX_VIDEO_BYTES if is_video else MAX_IMAGE_BYTES
    if path.stat().st_size > limit:
        noun = "A video" if is_video else "An image"
        raise TooLarge("file_too_large", f"{noun} must not exceed {limit // MEGABYTE} MB.")
    try:
        return media.read_video(path) if is_video else media.read_image(path)
    except media.MediaError as error:
        raise InvalidRequest(error.request_code, error.message) from error


def check_room(organization: Organization) -> None:
    """Refuse early, before a large body is read; what counts is counted again when the file is kept."""
    if files.uploads(organization).count() >= organization.user_group.max_files:
        raise _quota_exceeded(organization)


def find(organization: Organization, file_id: str) -> StoredFile:
    """The organization's living upload. Raises NotFound `file_not_found`."""
    missing = NotFound("file_not_found", "This file does not exist or has expired.")
    return tenancy.owned(files.uploads(organization), file_id, missing)


def newest_first(organization: Organization) -> QuerySet[StoredFile]:
    return files.uploads(organization).order_by("-pk")


def check_face(file_id: str) -> None:
    """The job: look for a face. A file that cannot be read, or that kills worker after worker, stays unknown."""
    file = leases.claim(StoredFile.objects.filter(pk=file_id, deleted_at__isnull=True), seconds=FACE_LEASE_SECONDS)
    if file is None:
        return
    with leases.work_on(file):
        _look_for_face(file)


def clean_path(text: str) -> str:
    """A relative folder: a label that leads nowhere else. Raises InvalidRequest."""
    words = [word.strip() for word in text.replace("\\", "/").split("/")]
    words = [word for word in words if word not in ("", ".")]
    if ".." in words or not text.isprintable():
        raise InvalidRequest("invalid_parameter", "`upload_path` must be a plain folder name.", param="upload_path")
    path = "/".join(words)
    if len(path) > MAX_NAME:
        raise InvalidRequest("invalid_parameter", f"`upload_path` exceeds {MAX_NAME} characters.", param="upload_path")
    return path


def clean_name(text: str, file_format: str) -> str:
    """The last word of a path, printable, and ending as its bytes say."""
    name = _printable(text.replace("\\", "/").rsplit("/", 1)[-1]).strip(" .") or "file"
    stem, endings = Path(name), EXTENSIONS[file_format]
    if stem.suffix.lower() in endings:
        return f"{name[: -len(stem.suffix)][: MAX_NAME - len(stem.suffix)]}{stem.suffix}"
    return f"{name[: MAX_NAME - len(endings[0])]}{endings[0]}"


def _look_for_face(file: StoredFile) -> None:
    if leases.is_poison(file):
        alerts.tell("poison-file", file.public_id, "Every worker that looked for a face in this file died.")
        leases.let_go(file, due_at=None)
        return
    try:
        with files.local_path(file) as path:
            face = faces.video_has_face(path) if file.is_video else faces.has_face(path)
        leases.held(file).update(face=face)
    except (media.MediaError, FileNotFoundError) as error:
        logger.info("%s: no word on a face: %s", file, error)
    leases.let_go(file, due_at=None)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _download(url: str, into: BinaryIO) -> None:
    safe_http.download(url, into, max_bytes=MAX_VIDEO_BYTES, timeout_seconds=DOWNLOAD_SECONDS)


def _last_word(url: str) -> str:
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1]


def _quota_exceeded(organization: Organization) -> InvalidRequest:
    limit = organization.user_group.max_files
    return InvalidRequest(
        "file_quota_exceeded", f"You keep {limit} files already; delete some, or wait for them to expire."
    )


@contextmanager
def _download_place(organization: Organization) -> Iterator[None]:
    """One of the organization's places to download. Raises TooManyRequests when all are taken."""
    now = timezone.now()
    until = now + timedelta(seconds=2 * DOWNLOAD_SECONDS)
    places = organization.download_places.all()
    DownloadPlace.objects.bulk_create(
        [DownloadPlace(organization=organization, number=n, taken_until=now) for n in range(DOWNLOADS_AT_ONCE)],
        ignore_conflicts=True,
    )
    free = list(places.filter(taken_until__lte=now).values_list("pk", flat=True))
    mine = next((pk for pk in free if places.filter(pk=pk, taken_until__lte=now).update(taken_until=until)), None)
    if mine is None:
        raise TooManyRequests(
            "rate_limited",
            f"Only {DOWNLOADS_AT_ONCE} files are downloaded for you at a time; please wait for one to end.",
            retry_after_seconds=5,
        )
    try:
        yield
    finally:
        places.filter(pk=mine, taken_until=until).update(taken_until=timezone.now())
