"""Stored files as pages show them: where a browser finds the bytes, and whether it is worth showing a preview.

Uploads and results have public links; our copies of reference media have none and come through the console's own
address, which only members reach. Paths name no host, so that pages load from the host that they came from.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from generations import files
from generations.models import StoredFile

LARGEST_PREVIEW_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`path` is for pages; `link` for people to pass on, empty where there is none."""

    file: StoredFile
    path: str
    link: str
    is_gone: bool

    @property
    def can_preview(self) -> bool:
        """A video is read only as far as its first frame needs."""
        return not self.is_gone and (self.file.is_video or self.file.size_bytes <= LARGEST_PREVIEW_BYTES)


def of(organization: Organization, file: StoredFile) -> Picture:
    has_link = file.purpose != StoredFile.Purpose.REFERENCE
    link = files.public_url(file) if has_link else ""
    inside = reverse("console:picture", args=[organization.public_id, file.public_id])
    has_expired = file.expires_at is not None and file.expires_at <= timezone.now()
    return Picture(
        file=file,
        path=urlsplit(link).path if has_link else inside,
        link=link,
        is_gone=file.deleted_at is not None or has_expired,
    )
