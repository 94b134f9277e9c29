"""Elements with what they were made from and where each lives upstream, and the voices, which operators extend."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.admin.pages import Editable, ReadOnly, link
from generations.admin.files import preview_link
from generations.models import Element, ElementCopy, ElementSource, Task, Voice


class Rows(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Sources(Rows):
    model = ElementSource
    fields = readonly_fields = ("role", "stored", "preview")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("file")

    @display(description="file")
    def stored(self, source: ElementSource) -> SafeString:
        return link("generations_storedfile", source.file_id, source.file.public_id)

    def preview(self, source: ElementSource) -> SafeString:
        return preview_link(source.file)


class Copies(Rows):
    model = ElementCopy
    fields = readonly_fields = ("account", "upstream_id")


@admin.register(Element)
class ElementAdmin(ReadOnly):
    list_display = ("id", "name", "organization", "kind", "voice", "standing", "created_at")
    list_filter = ("kind", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization", "voice")
    search_fields = ("id__exact", "name")
    public_ids: ClassVar[dict[str, str]] = {Task.PREFIX: "task", "org_": "organization"}
    inlines = (Sources, Copies)

    @display(description="state", label={"usable": "success", "deleted": "default"})
    def standing(self, element: Element) -> str:
        return "deleted" if element.deleted_at else "usable"


@admin.register(ElementSource)
class ElementSourceAdmin(ReadOnly):
    list_display = ("element", "role", "file")
    list_select_related = ("element", "file")
    search_fields = ("element__id__exact", "role__exact")


@admin.register(ElementCopy)
class ElementCopyAdmin(ReadOnly):
    list_display = ("element", "account", "upstream_id")
    list_filter = ("account",)
    list_select_related = ("element", "account")
    search_fields = ("upstream_id__exact", "element__id__exact")


@admin.register(Voice)
class VoiceAdmin(Editable):
    list_display = ("voice_id", "name", "description", "enabled", "position")
    list_filter = ("enabled",)
    search_fields = ("voice_id", "name", "description")
    fields = ("voice_id", "name", "description", "enabled", "position")
    ordering = ("position", "voice_id")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("voice_id",) if obj else ()
