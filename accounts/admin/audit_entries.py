"""The audit log, to look at: who did what to whom, from where and why; what a filter shows can be taken away as CSV."""

import json
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter, TextFilter
from unfold.decorators import display

from accounts import audit_csv, ids
from accounts.admin.pages import ReadOnly, link
from accounts.models import AuditEntry, Organization

KIND_TONES = {"operator": "warning", "member": "info", "api_key": "info", "visitor": "default", "system": "default"}
SHOWN_CHANGES = 4


class OrganizationFilter(TextFilter):
    title = "organization (id or name)"
    parameter_name = "organization"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        wanted = (self.value() or "").strip()
        if not wanted:
            return queryset
        identifier = ids.decode(Organization.PREFIX, wanted)
        return queryset.filter(organization_id=identifier) if identifier else queryset.filter(organization_name=wanted)


class ActorFilter(TextFilter):
    title = "actor (e-mail, key or program)"
    parameter_name = "by"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        wanted = (self.value() or "").strip()
        return queryset.filter(Q(actor=wanted) | Q(actor_id=wanted)) if wanted else queryset


class ActionFilter(TextFilter):
    title = "action (such as key.revoked, or key.)"
    parameter_name = "did"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        wanted = (self.value() or "").strip()
        if wanted.endswith("."):
            return queryset.filter(action__startswith=wanted)
        return queryset.filter(action=wanted) if wanted else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("at", "who", "action", "target", "organization_name", "what_changed", "reason")
    list_filter = (
        OrganizationFilter,
        ActorFilter,
        ActionFilter,
        ("at", RangeDateTimeFilter),
        "actor_kind",
    )
    list_filter_submit = True
    list_before_template = "admin/audit_export.html"
    search_fields = ("actor__exact", "action__exact", "target_id__exact", "request_id__exact")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization_id"}
    fields = (
        "at",
        "who",
        "actor_id",
        "action",
        "organization",
        "target_type",
        "target_id",
        "target",
        "all_changes",
        "reason",
        "request_id",
        "address",
    )

    def get_urls(self) -> list[URLPattern]:
        own = path("export/", self.admin_site.admin_view(self.export), name="accounts_auditentry_export")
        return [own, *super().get_urls()]

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows under the same filters, all of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_changelist_instance(request).get_queryset(request)
        return StreamingHttpResponse(
            audit_csv.stream(found),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit-log.csv"'},
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        filters = {name: value for name, value in request.GET.items() if name != "p"}
        return super().changelist_view(request, {"filters": urlencode(filters)} | (extra_context or {}))

    @display(description="who", label=KIND_TONES)
    def who(self, entry: AuditEntry) -> tuple[str, str]:
        return entry.actor_kind, entry.actor or entry.actor_kind

    def organization(self, entry: AuditEntry) -> str | SafeString:
        if entry.organization_id is None:
            return "–"
        return link("accounts_organization", entry.organization_id, entry.organization_name)

    @display(description="changes")
    def what_changed(self, entry: AuditEntry) -> SafeString:
        return _lines(list(entry.changes.items())[:SHOWN_CHANGES], len(entry.changes) - SHOWN_CHANGES)

    @display(description="changes")
    def all_changes(self, entry: AuditEntry) -> SafeString:
        return _lines(list(entry.changes.items()), 0)


def _lines(changes: list[tuple[str, Any]], more: int) -> SafeString:
    rows = ((name, _shown(pair[0]), _shown(pair[1])) for name, pair in changes)
    lines = format_html_join("", "<div>{}: {} → {}</div>", rows)
    rest = f"… and {more} more" if more > 0 else ""
    return format_html('<div class="break changes">{}{}</div>', lines, rest) if changes else format_html("–")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
