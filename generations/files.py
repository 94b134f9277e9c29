"""Files we keep (uploads, checked copies of reference media, results): their bytes, their links, their end.

Bytes lie in Django's default storage under names that nobody can guess, and go there before the row does; a row that
fails takes its bytes along. A process killed between the two leaves bytes without a row, which cost room and nothing
else: every name starts with its organization's id, so they can be told by comparing the storage with the table. At the
end the bytes go first and the row stays, with `deleted_at`.

A public link is readable by whoever has it, since providers and players fetch it without a key. A signed link, for our
checked copies, ends with the task it was made for.
"""

import logging
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import ids
from accounts.models import Organization
from generations import doorbell, leases
from generations.media import ImageFacts, VideoFacts
from generations.models import StoredFile, Task, TaskMedia

logger = logging.getLogger(__name__)
EXPIRE_LIMIT = 200
SIGNER = "generations.files"
DOWNLOAD_PATH = "/api/v1/files/download/"
Purpose = StoredFile.Purpose
WAITED_FOR = Exists(
    TaskMedia.objects.filter(file=OuterRef("pk"), state=TaskMedia.State.WAITING, task__status__in=Task.OPEN)
)


class NoRoom(Exception):
    """The organization keeps as many uploads as it may."""


def alive(organization: Organization) -> QuerySet[StoredFile]:
    """The organization's files that can be read now."""
    return organization.files.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()), deleted_at__isnull=True
    )


def uploads(organization: Organization) -> QuerySet[StoredFile]:
    """The living files that the customer uploaded: the ones that count towards the quota."""
    return alive(organization).filter(purpose=Purpose.UPLOAD)


def keep(
    organization: Organization,
    path: Path,
    facts: ImageFacts | VideoFacts,
    *,
    purpose: str,
    file_name: str,
    task: Task | None = None,
    expires_at: datetime | None = None,
    upload_path: str = "",
    original_name: str = "",
    max_uploads: int | None = None,
) -> StoredFile:
    """Copy the file at `path` into the storage and remember it. Not to be called within a transaction.

    An upload rings for its face check. Raises NoRoom when `max_uploads` living uploads are there already, counted so
    that two at once cannot both take the last place; and OSError when the storage fails.
    """
    wanted = f"{organization.public_id}/{secrets.token_hex(20)}.{facts.format}"
    with path.open("rb") as source:
        storage_name = default_storage.save(wanted, File(source))
    try:
        with transaction.atomic():
            if max_uploads is not None:
                _check_room(organization, max_uploads)
            return _insert(
                facts,
                organization=organization,
                task=task,
                purpose=purpose,
                storage_name=storage_name,
                file_name=file_name,
                original_name=original_name,
                upload_path=upload_path,
                expires_at=expires_at,
            )
    except BaseException:
        default_storage.delete(storage_name)
        raise


def facts(file: StoredFile) -> ImageFacts | VideoFacts:
    """What the bytes were found to be when they came."""
    assert file.width is not None and file.height is not None
    if not file.is_video:
        return ImageFacts(
            mime_type=file.mime_type,
            format=file.format,
            size_bytes=file.size_bytes,
            width=file.width,
            height=file.height,
        )
    assert file.duration_seconds is not None and file.fps is not None
    return VideoFacts(
        mime_type=file.mime_type,
        format=file.format,
        size_bytes=file.size_bytes,
        width=file.width,
        height=file.height,
        duration_seconds=file.duration_seconds,
        fps=file.fps,
        has_audio=bool(file.has_audio),
    )


@contextmanager
def local_path(file: StoredFile) -> Iterator[Path]:
    """A copy on the local disk, gone afterwards. Raises OSError (FileNotFoundError when the bytes have gone)."""
    with tempfile.TemporaryDirectory(prefix="stored-") as folder:
        path = Path(folder) / f"file.{file.format}"
        with default_storage.open(file.storage_name) as source, path.open("wb") as into:
            shutil.copyfileobj(source, into)
        yield path


def public_url(file: StoredFile) -> str:
    """The link a customer gets: `{PUBLIC_URL}/files/<26 characters>/<file name>`."""
    return f"{settings.PUBLIC_URL}/files/{_bare(file.pk)}/{quote(file.file_name)}"


def download_url(file: StoredFile) -> str:
    """Where the customer's own keys can download an upload."""
    return f"{settings.PUBLIC_URL}{DOWNLOAD_PATH}{file.public_id}"


def signed_url(file: StoredFile, task: Task) -> str:
    """The link an upstream gets, until the task ends: `{PUBLIC_URL}/files/<26 characters>/<signed task>/<name>`."""
    name, task_name = _bare(file.pk), _bare(task.pk)
    token = f"{task_name}.{_signer().signature(f'{name}.{task_name}')}"
    return f"{settings.PUBLIC_URL}/files/{name}/{token}/{quote(file.file_name)}"


def own_file(url: str) -> UUID | None:
    """The file behind one of our own links (public, signed, download); None for every other address."""
    if not is_ours(url):
        return None
    asked, ours = urlsplit(url), urlsplit(settings.PUBLIC_URL)
    path = unquote(asked.path).removeprefix(ours.path)
    if path.startswith(DOWNLOAD_PATH):
        return ids.decode(StoredFile.PREFIX, path.removeprefix(DOWNLOAD_PATH))
    words = path.split("/")
    if len(words) < 3 or words[:2] != ["", "files"]:
        return None
    return _id(words[2])


def is_ours(url: str) -> bool:
    """Whether the address is one of this gateway, whatever lies there."""
    try:
        return _origin(urlsplit(url)) == _origin(urlsplit(settings.PUBLIC_URL))
    except ValueError:
        return False


def find_public(name: str) -> StoredFile | None:
    """The living file behind a public link. Our copies of reference media have none."""
    file = _find(name)
    return None if file is None or file.purpose == Purpose.REFERENCE else file


def find_signed(name: str, token: str) -> StoredFile | None:
    """The living file behind a signed link, as long as its task is open."""
    try:
        task_name = _signer().unsign(f"{name}.{token}").removeprefix(f"{name}.")
    except signing.BadSignature:
        return None
    task_id = _id(task_name)
    if task_id is None or not Task.objects.filter(pk=task_id, status__in=Task.OPEN).exists():
        return None
    return _find(name)


def remove(file: StoredFile) -> None:
    """Nobody can read it from now on; the bytes go, the row stays. A removal cut short is ended by `expire_due`.

    So is one that a task stands in the way of: it has been asked for with this file and has no copy of it yet.
    """
    now = timezone.now()
    rows = StoredFile.objects.filter(pk=file.pk, deleted_at__isnull=True)
    rows.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now)).update(expires_at=now)
    if not rows.filter(WAITED_FOR).exists():
        default_storage.delete(file.storage_name)
        rows.update(deleted_at=now, due_at=None)


def let_expire(rows: QuerySet[StoredFile], at: datetime) -> None:
    """Their time is over then, or when it was to be over before; housekeeping removes the bytes."""
    later = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    rows.filter(later, deleted_at__isnull=True).update(expires_at=at)


def let_stay(rows: QuerySet[StoredFile]) -> None:
    """They are kept until somebody says otherwise."""
    rows.filter(deleted_at__isnull=True).update(expires_at=None)


def expire_due(limit: int = EXPIRE_LIMIT) -> int:
    """Remove what has expired, the oldest first; how many went. Files the storage refuses to remove stay for later."""
    due = StoredFile.objects.filter(~WAITED_FOR, deleted_at__isnull=True, expires_at__lte=timezone.now())
    removed = 0
    for file in due.order_by("expires_at")[:limit]:
        try:
            remove(file)
        except OSError:
            logger.exception("%s could not be removed from the storage", file)
        else:
            removed += 1
    return removed


def _insert(facts: ImageFacts | VideoFacts, *, purpose: str, **columns: Any) -> StoredFile:
    if isinstance(facts, VideoFacts):
        columns |= {
            "duration_seconds": facts.duration_seconds,
            "fps": facts.fps,
            "has_audio": facts.has_audio,
        }
    if purpose == Purpose.UPLOAD:
        now = timezone.now()
        columns |= {"due_at": now, "rung_until": now + leases.RING_TRUST}
    file = StoredFile.objects.create(
        purpose=purpose,
        mime_type=facts.mime_type,
        format=facts.format,
        size_bytes=facts.size_bytes,
        width=facts.width,
        height=facts.height,
        **columns,
    )
    if purpose == Purpose.UPLOAD:
        doorbell.ring("check_face", file.pk)
    return file


def _check_room(organization: Organization, max_uploads: int) -> None:
    """Uploads of one organization queue here, each until its row is committed."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if uploads(organization).count() >= max_uploads:
        raise NoRoom


def _find(name: str) -> StoredFile | None:
    file_id = _id(name)
    if file_id is None:
        return None
    living = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return StoredFile.objects.filter(living, pk=file_id, deleted_at__isnull=True).first()


def _bare(identifier: UUID) -> str:
    return ids.encode("", identifier)


def _id(bare: str) -> UUID | None:
    return ids.decode(StoredFile.PREFIX, StoredFile.PREFIX + bare)


def _signer() -> signing.Signer:
    return signing.Signer(salt=SIGNER, sep=".")


def _origin(url: Any) -> tuple[str, str, int | None]:
    """Raises ValueError for a port that is no number."""
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, (url.hostname or "").rstrip("."), url.port or default
