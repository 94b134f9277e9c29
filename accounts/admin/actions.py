"""What an operator does to a row: a page asks why, one domain function does it, the audit log keeps both.

@reasoned("Cancel task", calls_out=True)
def cancel(self, task: Task, given: Given) -> Done:
    cancellation.cancel(task)
    return Done("The task was cancelled.")
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts import acting, audit_log
from accounts.admin.pages import Page, organization_of, reason_field
from accounts.errors import ApiError

Given = dict[str, Any]


class ReasonForm(forms.Form):
    """Why; forms with further questions put them before it."""

    reason = reason_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields([name for name in self.fields if name != "reason"])


@dataclass(frozen=True, kw_only=False)
class Done:
    """What to tell the operator; `about` is the row that was made; `secret` is shown once, on a page of its own.

    A secret of many lines can be taken from there as a file named `file_name`.
    """

    message: str
    about: Model | None = None
    secret: str = ""
    file_name: str = ""


def reasoned(
    title: str,
    *,
    form: type[ReasonForm] = ReasonForm,
    text: str = "",
    refusals: tuple[type[Exception], ...] = (ApiError,),
    calls_out: bool = False,
    permission: str = "operate",
    variant: ActionVariant = ActionVariant.DEFAULT,
    icon: str | None = None,
) -> Callable[[Callable[..., Done]], Any]:
    """An action of a page. It and its audit entry are one transaction, unless it calls a provider (`calls_out`).

    `permission` names the page's `has_…_permission` that says who may.
    """

    def decorate(act: Callable[..., Done]) -> Any:
        @action(
            description=title,
            url_path=act.__name__.replace("_", "-"),
            permissions=[permission],
            variant=variant,
            icon=icon,
        )
        def view(page: Page, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
            row = _row(page, request, object_id)
            asked = form(request.POST if request.method == "POST" else None)
            if asked.is_valid():
                given = asked.cleaned_data
                try:
                    with acting.because(given["reason"]) as what, _unit(calls_out):
                        done = act(page, *([] if row is None else [row]), given)
                        if not what.entries:
                            _record(page, act.__name__, done.about or row, given)
                except refusals as refusal:
                    asked.add_error(None, getattr(refusal, "message", None) or str(refusal))
                else:
                    return _answer(page, request, row, title, done)
            context = {"title": title, "text": text, "form": asked, "row": row, "is_danger": variant == DANGER}
            return _render(page, request, "admin/reason.html", context)

        view.__name__ = view.original_function_name = act.__name__
        view.__doc__ = act.__doc__
        return view

    return decorate


DANGER = ActionVariant.DANGER


def _row(page: Page, request: HttpRequest, object_id: str | None) -> Model | None:
    if object_id is None:
        return None
    row: Model | None = page.get_object(request, unquote(object_id))
    if row is None:
        raise Http404("There is no such row.")
    return row


def _unit(calls_out: bool) -> AbstractContextManager[Any]:
    return nullcontext() if calls_out else transaction.atomic()


def _record(page: Page, name: str, row: Model | None, given: Given) -> None:
    """An entry for an act that no domain function recorded: what was asked for, of the row or of the whole table."""
    with transaction.atomic():
        audit_log.record(
            action=f"{page.opts.model_name}.{name}",
            target=row,
            organization=organization_of(row),
            changes={field: [None, value] for field, value in given.items() if field != "reason"},
        )


def _answer(page: Page, request: HttpRequest, row: Model | None, title: str, done: Done) -> HttpResponse:
    if done.secret:
        context = {
            "title": title,
            "row": row,
            "message": done.message,
            "secret": done.secret,
            "file_name": done.file_name,
        }
        answer = _render(page, request, "admin/secret.html", context)
        answer["Cache-Control"] = "no-store"
        return answer
    messages.success(request, done.message)
    about = done.about or row
    return HttpResponseRedirect(_page_of(about) if about else reverse(_list_of(page)))


def _page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _render(page: Page, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    back = _page_of(context["row"]) if context["row"] else reverse(_list_of(page))
    site = page.admin_site.each_context(request)
    return TemplateResponse(request, template, site | {"opts": page.opts, "back": back, "media": page.media} | context)


def _list_of(page: Page) -> str:
    return f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"
