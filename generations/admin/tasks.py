"""Tasks: the list, and the page that tells a task's whole story."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.enums import ActionVariant

from accounts.admin.actions import Done, Given, reasoned
from accounts.admin.filters import live_or_sandbox
from accounts.admin.pages import ReadOnly
from accounts.models import ApiKey
from generations import cancellation, figures
from generations.admin import story, tones
from generations.models import Attempt, Delivery, IdempotencyRecord, StoredFile, Task


class WhoseDoing(admin.SimpleListFilter):
    """Whether a failure was by the customer's input, as the reports tell them apart."""

    title = "failed by"
    parameter_name = "failed_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("input", "the customer's input"), ("us", "us or a provider")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Task]) -> QuerySet[Task]:
        if self.value() not in ("input", "us"):
            return rows
        by_input = Q(error_code__in=figures.BY_INPUT)
        return rows.filter(by_input if self.value() == "input" else ~by_input, status=Task.Status.FAILED)


@admin.register(Task)
class TaskAdmin(ReadOnly):
    list_display = ("public_id", "organization", "model", "state", "progress", "credits", "error_code", "created_at")
    list_filter = ("status", "type", "model", WhoseDoing, live_or_sandbox("organization"))
    list_select_related = ("organization",)
    search_fields = ("error_code__exact",)
    search_help_text = "An id: task-video-…, att_…, dlv_…, file_…, org_…, key_…, or an error code."
    public_ids: ClassVar[dict[str, str]] = {
        Task.PREFIX: "pk",
        Attempt.PREFIX: "attempts",
        Delivery.PREFIX: "deliveries",
        StoredFile.PREFIX: "files",
        "org_": "organization",
        ApiKey.PREFIX: "api_key",
    }
    actions_detail = ("cancel",)
    change_form_template = "admin/generations/task/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        return super().get_queryset(request).select_related("organization", "api_key")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        task = self.get_object(request, object_id)
        told = {"story": story.of(task)} if task is not None and self.has_view_permission(request, task) else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)

    def hidden_actions(self, row: Task) -> set[str]:
        return set() if row.is_open else {"cancel"}

    @display(description="status", label=tones.TASK, ordering="status")
    def state(self, task: Task) -> str:
        return task.status

    @display(description="credits charged / reserved")
    def credits(self, task: Task) -> str:
        return f"{task.charged_credits} / {task.reserved_credits}"

    @reasoned(
        "Cancel task",
        calls_out=True,
        icon="cancel",
        variant=ActionVariant.DANGER,
        text="The credits go back in full. What a provider has begun is cancelled only where it really stops.",
    )
    def cancel(self, task: Task, given: Given) -> Done:
        cancellation.cancel(task)
        return Done("The task is cancelled, and its credits are released.")


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnly):
    list_display = ("key", "organization", "endpoint", "task", "created_at")
    list_select_related = ("organization", "task")
    search_fields = ("key__exact",)
    public_ids: ClassVar[dict[str, str]] = {Task.PREFIX: "task", "org_": "organization"}
