"""Stored files with a preview, and the media that tasks refer to."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generations import files
from generations.admin import tones
from generations.models import DownloadPlace, StoredFile, Task, TaskMedia


def preview_link(file: StoredFile) -> SafeString:
    """A link that opens the file, or a word why there is none."""
    if file.deleted_at is not None:
        return format_html("<span class='quiet'>{}</span>", f"gone since {file.deleted_at:%Y-%m-%d %H:%M} UTC")
    url = files.public_url(file)
    return format_html('<a class="row-link" href="{}" target="_blank" rel="noopener">{}</a>', url, "Open")


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnly):
    list_display = ("public_id", "organization", "purpose", "mime_type", "size", "sides", "preview", "created_at")
    list_filter = ("purpose", "mime_type", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("storage_name__exact", "file_name__exact")
    search_help_text = "An id: file_…, task-video-…, org_…, or a file's name."
    public_ids: ClassVar[dict[str, str]] = {
        StoredFile.PREFIX: "pk",
        Task.PREFIX: "task",
        "org_": "organization",
    }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["preview", *super().get_fields(request, obj)]

    def preview(self, file: StoredFile) -> SafeString:
        return preview_link(file)

    @display(description="size (kB)", ordering="size_bytes")
    def size(self, file: StoredFile) -> str:
        return f"{file.size_bytes / 1000:,.1f}"

    @display(description="sides (pixels)")
    def sides(self, file: StoredFile) -> str:
        return f"{file.width} × {file.height}" if file.width else "–"


@admin.register(TaskMedia)
class TaskMediaAdmin(ReadOnly):
    list_display = ("task", "role", "standing", "url", "file")
    list_filter = ("state", "role")
    list_select_related = ("task", "file")
    search_fields = ("role__exact",)
    public_ids: ClassVar[dict[str, str]] = {Task.PREFIX: "task", StoredFile.PREFIX: "file"}

    @display(description="state", label=tones.MEDIA, ordering="state")
    def standing(self, medium: TaskMedia) -> str:
        return medium.state


@admin.register(DownloadPlace)
class DownloadPlaceAdmin(ReadOnly):
    list_display = ("organization", "number", "taken_until")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}
