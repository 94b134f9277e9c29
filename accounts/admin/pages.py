"""The two kinds of admin pages: those that only show, and those that are edited with a reason.

Nothing is ever deleted here. Pages find rows by the ids that customers know, and never count a table: a list of 100
million rows opens as fast as one of ten.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_permission_codename
from django.db import models
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import audit_log, ids
from accounts.models import Organization

MAX_REASON = 300


def reason_field() -> forms.CharField:
    return forms.CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Why. It is kept in the log together with your name.",
    )


def link(page: str, key: object, text: object) -> SafeString:
    """A link to the page of one row: `link("accounts_organization", id, "Acme")`."""
    return format_html('<a class="row-link" href="{}">{}</a>', reverse(f"admin:{page}_change", args=[key]), text)


def list_link(page: str, query: str, text: object) -> SafeString:
    """A link to the list of some rows: `list_link("generations_task", "organization__id__exact=…", "Tasks")`."""
    return format_html('<a class="row-link" href="{}?{}">{}</a>', reverse(f"admin:{page}_changelist"), query, text)


def organization_of(row: Model | None) -> Organization | None:
    """Whose row it is, as far as it is anybody's."""
    if isinstance(row, Organization):
        return row
    found = getattr(row, "organization", None) or getattr(getattr(row, "wallet", None), "organization", None)
    return found if isinstance(found, Organization) else None


class Page(ModelAdmin):
    """What all pages share. `public_ids` says which lookup a pasted id with that prefix means."""

    public_ids: ClassVar[dict[str, str]] = {}
    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator
    list_fullwidth = True
    ordering: Sequence[str] = ("-pk",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may act on rows that nobody may edit: those who hold the permission to change them."""
        codename = get_permission_codename("change", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def has_confirm_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may decide what another operator asked for: a permission of its own (`confirm_…`)."""
        return request.user.has_perm(f"{self.opts.app_label}.{get_permission_codename('confirm', self.opts)}")

    def hidden_actions(self, row: Any) -> set[str]:
        """The actions that make no sense for this row as it is now."""
        return set()

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        row = self.get_object(request, object_id)
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        hidden = {prefix + name for name in self.hidden_actions(row)} if row else set()
        offered = super().get_actions_detail(request, object_id)
        return [one for one in offered if one.action_name not in hidden]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        for prefix, lookup in self.public_ids.items():
            identifier = ids.decode(prefix, term)
            if identifier is not None:
                return queryset.filter(**{lookup: identifier}), False
        return super().get_search_results(request, queryset, term)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the audit log holds of the row."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404("There is no such row.")
        query = f"target_type__exact={row._meta.label_lower}&target_id__exact={audit_log.key_of(row)}"
        return HttpResponseRedirect(f"{reverse('admin:accounts_auditentry_changelist')}?{query}")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        raise TypeError(f"{type(self).__name__} adds rows without an audit entry.")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        raise TypeError(f"{type(self).__name__} changes rows without an audit entry.")

    @display(description="id", ordering="pk")
    def public_id(self, row: Any) -> str:
        return row.public_id


class ReadOnly(Page):
    """A page that shows every column and changes none."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_operate_permission(request)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(self.fields) if self.fields else list(self._shown())

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.get_fields(request, obj)

    def _shown(self) -> Iterator[str]:
        """Every column that can be read: an id as customers know it, no ciphertexts and no hashes."""
        for column in self.opts.concrete_fields:
            if column.primary_key and hasattr(self.model, "public_id"):
                yield "public_id"
            elif not isinstance(column, models.BinaryField):
                yield column.name


class ReasonedForm(forms.ModelForm):
    """An edit, and why."""

    reason = reason_field()


class Editable(Page):
    """A page whose edits ask for a reason. `fields` is what can be edited."""

    form = ReasonedForm

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_fields(request, obj), "reason"] if self.fields else super().get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: Any) -> None:
        columns = {column.name for column in self.opts.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data) if change else None)

    def construct_change_message(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, add: bool = False
    ) -> Any:
        """What Django hands on to the two functions below: what changed, and why."""
        changes = {
            name: [None if add else _before(form, name), form.cleaned_data.get(name, True)]
            for name in form.changed_data
            if name != "reason"
        }
        return changes, form.cleaned_data["reason"]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._record("added", obj, *message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._record("changed", obj, *message)

    def _record(self, verb: str, row: Model, changes: audit_log.Changes, reason: str) -> audit_log.AuditEntry:
        action = f"{self.opts.model_name}.{verb}"
        return audit_log.record(
            action=action, target=row, organization=organization_of(row), changes=changes, reason=reason
        )


def _before(form: forms.BaseForm, name: str) -> Any:
    """What a field held before: the row itself where the form knows but its key."""
    field, value = form.fields.get(name), form.initial.get(name)
    if isinstance(field, forms.ModelChoiceField) and not isinstance(field, forms.ModelMultipleChoiceField):
        return field.to_python(value)
    return value
