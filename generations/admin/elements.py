"""Elements with what they were made from and where each lives upstream, and the voices, which operators extend."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.pages import Editable, ReadOnly, link
from generations import element_copies, voices
from generations.admin.files import preview_link
from generations.models import Element, ElementCopy, ElementSource, Task, Voice

STATE_TONES = {"present": "success", "deleting": "info", "deleted": "default", "failed": "danger", "kept": "warning"}


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
    fields = readonly_fields = ("account", "upstream_id", "standing", "delete_tries", "last_problem", "deleted_at")

    @display(description="state", label=STATE_TONES)
    def standing(self, copy: ElementCopy) -> tuple[str, str]:
        return copy.state, copy.get_state_display()


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
    list_display = ("element", "account", "upstream_id", "standing", "delete_tries", "last_problem", "due_at")
    list_filter = ("account", "state")
    list_select_related = ("element", "account")
    search_fields = ("upstream_id__exact", "element__id__exact")
    actions_detail = ("delete_again",)

    def hidden_actions(self, row: ElementCopy) -> set[str]:
        return set() if row.state == ElementCopy.State.FAILED else {"delete_again"}

    @display(description="state", label=STATE_TONES, ordering="state")
    def standing(self, copy: ElementCopy) -> tuple[str, str]:
        return copy.state, copy.get_state_display()

    @reasoned("Try to delete again", icon="restart_alt", text="At the provider; here the element is deleted already.")
    def delete_again(self, copy: ElementCopy, given: Given) -> Done:
        element_copies.delete_again(copy)
        return Done("The provider is asked to delete it again.")


@admin.register(Voice)
class VoiceAdmin(Editable):
    list_display = ("voice_id", "name", "description", "enabled", "position", "told_by", "withdrawn_at")
    list_filter = ("enabled", "provider")
    search_fields = ("voice_id", "name", "description")
    fields = (
        "voice_id",
        "name",
        "description",
        "enabled",
        "position",
        "told_by",
        "upstream_name",
        "withdrawn_at",
    )
    ordering = ("position", "voice_id")
    actions_list = ("synchronize",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        told = ("told_by", "upstream_name", "withdrawn_at")
        return ("voice_id", *told) if obj else told

    @display(description="told by", ordering="provider")
    def told_by(self, voice: Voice) -> str:
        return voice.provider or "an operator"

    @reasoned(
        "Synchronize now",
        calls_out=True,
        icon="sync",
        variant=ActionVariant.PRIMARY,
        text="Asks the providers for their voices. Happens by itself once a day.",
    )
    def synchronize(self, given: Given) -> Done:
        return Done(str(voices.synchronize()))
