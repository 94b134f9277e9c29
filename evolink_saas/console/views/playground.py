"""The playground: a model's form, filled from a task, an example or an element; and a run of it.

Without scripts the form is posted and leads to its task; with them it is sent in the background, and the page that was
asked for gets the task's pane, or the refusal with the field that it names.
"""

import json
import secrets
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.errors import ApiError, InvalidRequest, NotFound
from evolink_saas.console import error_words
from evolink_saas.console.entrance import ConsoleRequest
from evolink_saas.playground import bodies, code, fields, prices, rows, shown, words
from evolink_saas.playground.bodies import Values
from generations import asked_again, catalog, creation, elements, task_list
from generations.catalog.base import Spec
from generations.models import Element, Task

JSON = "application/json"
KEY = "idempotency_key"


def show(request: ConsoleRequest) -> HttpResponse:
    """`?model=`, `?from=<task>` (fill the form again), `?example=`, `?element=`, `?task=` (show it beside)."""
    wanted = request.GET
    task = _task(request, wanted["task"]) if "task" in wanted else None
    source = _task(request, wanted["from"]) if "from" in wanted else None
    element = _element(request, wanted["element"]) if "element" in wanted else None
    spec = _spec(wanted.get("model") or _model_of(source or task, element))
    return _page(request, spec, _values(spec, source, element, wanted.get("example", "")), task=task)


@require_POST
def run(request: ConsoleRequest) -> HttpResponse:
    spec = _spec(request.POST.get("model", ""))
    body = bodies.read(spec, request.POST)
    in_background = JSON in request.headers.get("Accept", "")
    try:
        answer = creation.create(request.organization, request.membership, body, request.POST.get(KEY) or None)
    except ApiError as error:
        if in_background:
            return refused(error, spec)
        return _page(request, spec, bodies.of(spec, body), error=error, status=error.status_code)
    task_id = json.loads(answer.text)["id"]
    if not in_background:
        address = reverse("console:playground", args=[request.organization.public_id])
        return redirect(f"{address}?task={task_id}&from={task_id}")
    return pane(request, task_list.find(request.organization, task_id))


def history(request: ConsoleRequest) -> HttpResponse:
    """The part of the page alone, for its script."""
    return render(request, "console/playground/history.html", {"history": shown.history(request.organization)})


def compare(request: ConsoleRequest) -> HttpResponse:
    """Finished videos side by side, played in step."""
    cards = shown.compared(request.organization, request.GET.getlist("task"))
    return render(request, "console/playground/compare.html", {"cards": cards, "most": shown.MOST_COMPARED})


def pane(request: ConsoleRequest, task: Task) -> HttpResponse:
    """A task as the page shows it beside the form."""
    return render(request, "console/playground/task.html", {"card": shown.whole(request.organization, task)})


def refused(error: ApiError, spec: Spec | None = None) -> JsonResponse:
    """The API's refusal, its sentence in the reader's language, with the field of the form that it names."""
    said: dict[str, Any] = error.body()["error"]
    said["message"] = error_words.refusal(error)
    said["field"] = fields.blamed(spec, error.param) if spec and error.param else ""
    answer = JsonResponse({"error": said}, status=error.status_code)
    if error.retry_after_seconds is not None:
        answer["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _page(
    request: ConsoleRequest,
    spec: Spec,
    values: Values,
    *,
    task: Task | None = None,
    error: ApiError | None = None,
    status: int = 200,
) -> HttpResponse:
    blamed = fields.blamed(spec, error.param) if error and error.param else ""
    sentence = error_words.refusal(error) if error else ""
    form = rows.of(request.organization, spec, values, (blamed, sentence))
    page = {
        "spec": spec,
        "families": shown.families(),
        "form": form,
        "said": sorted(values.said),
        "is_more_open": any(row.one.name in values.by_name or row.error for row in form["more"]),
        "key": secrets.token_hex(16),
        "tag": prices.tag(request.organization, spec),
        "code": code.snippets(bodies.read(spec, bodies.posted(spec, values))),
        "card": shown.whole(request.organization, task) if task else None,
        "history": shown.history(request.organization),
        "error": error,
        "examples": [one for one in spec.examples if _stands_alone(spec, one.body)],
        "sentence": "" if blamed else sentence,
        "words": words.for_scripts(),
        "most_compared": shown.MOST_COMPARED,
    }
    return render(request, "console/playground/show.html", page, status=status)


def _values(spec: Spec, source: Task | None, element: Element | None, example: str) -> Values:
    """What the form is filled with."""
    if source is not None and source.model == spec.id:
        return bodies.of(spec, asked_again.body(source) or {})
    if element is not None:
        names = [one.name for one in fields.of(spec) if one.kind == "elements"]
        return Values(by_name={name: [str(element.pk)] for name in names})
    found = next((one for one in spec.examples if one.name == example), None)
    return bodies.of(spec, found.body) if found else Values()


def _stands_alone(spec: Spec, body: dict[str, Any]) -> bool:
    """Whether an example would run as it is: media and elements of examples are nobody's."""
    parsed = spec.parse(body)
    return not parsed.media and not parsed.elements


def _model_of(task: Task | None, element: Element | None) -> str:
    if task is not None and catalog.find(task.model):
        return task.model
    takers = shown.takers(element.kind) if element else []
    return (takers or catalog.SPECS)[0].id


def _spec(model: str) -> Spec:
    spec = catalog.find(model)
    if spec is None:
        raise Http404
    return spec


def _task(request: ConsoleRequest, task_id: str) -> Task:
    try:
        return task_list.find(request.organization, task_id)
    except (InvalidRequest, NotFound):
        raise Http404 from None


def _element(request: ConsoleRequest, element_id: str) -> Element:
    try:
        return elements.find(request.organization, element_id)
    except NotFound:
        raise Http404 from None
