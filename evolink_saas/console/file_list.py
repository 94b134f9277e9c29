"""The organization's uploads: one page of them, how many more there may be, and what an upload may be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts import paging
from accounts.models import Organization
from evolink_saas.console import pictures
from evolink_saas.console.pictures import Picture
from generations import uploads
from generations.media.probe import MIME_TYPES
from generations.models import StoredFile
from generations.serializers.files import quota
from generations.uploads import Names

PAGE_SIZE = 24
TYPES = (*MIME_TYPES.values(), "video/x-m4v")
"""What a browser may call a file that we take; an .m4v is an MP4 in another name. Its bytes decide in the end."""
MAX_IMAGE_MEGABYTES = uploads.MAX_IMAGE_BYTES // uploads.MEGABYTE
MAX_VIDEO_MEGABYTES = uploads.MAX_VIDEO_BYTES // uploads.MEGABYTE
KEPT_HOURS = int(uploads.KEPT_FOR.total_seconds()) // 3600


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        max_length=1000,
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )


@dataclass(frozen=True, kw_only=True)
class Listing:
    """`used` of `most` files are kept; `cursor` is that of the next page."""

    files: list[Picture]
    cursor: str | None
    used: int
    most: int

    @property
    def is_full(self) -> bool:
        return self.used >= self.most


def of(organization: Organization, cursor: str | None) -> Listing:
    """Newest first, after `cursor`. Raises InvalidRequest for a cursor that is none of ours."""
    after = paging.read(StoredFile.PREFIX, cursor)
    found, last = paging.page(uploads.newest_first(organization), PAGE_SIZE, after)
    room: dict[str, Any] = quota(organization)
    return Listing(
        files=[pictures.of(organization, file) for file in found],
        cursor=last.public_id if last else None,
        used=room["used_files"],
        most=room["max_files"],
    )


def accept(organization: Organization, sent: UploadedFile) -> StoredFile:
    """Keep a file of a form. Raises ApiError."""
    return uploads.accept(organization, Names(upload_path="", file_name=""), sent.name or "", _writer(sent))


def _writer(sent: UploadedFile) -> Callable[[BinaryIO], None]:
    def write(into: BinaryIO) -> None:
        for piece in sent.chunks():
            into.write(piece)

    return write
