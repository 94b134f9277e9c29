"""The public pages. Each shows what its module has put together."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from evolink_saas.site import calculator, examples, fields, kling_3, offers, visitors
from generations import standing, status_page


@visitors.public
def show_kling_3(request: HttpRequest) -> HttpResponse:
    page = kling_3.of(visitors.organization(request), request.GET)
    return _render(request, "site/kling_3.html", {"page": page})


@visitors.public
def show_models(request: HttpRequest) -> HttpResponse:
    found = offers.read(visitors.organization(request))
    rows = {row.standing.model: row for row in status_page.page(standing.report()).rows}
    listed = [(offer, rows.get(offer.spec.id)) for offer in found.all]
    return _render(request, "site/models.html", {"listed": listed})


@visitors.public
def show_model(request: HttpRequest, model_id: str) -> HttpResponse:
    found = offers.read(visitors.organization(request))
    offer = next((one for one in found.all if one.spec.id == model_id), None)
    if offer is None:
        raise Http404
    rows = status_page.page(standing.report()).rows
    known = {
        "offer": offer,
        "tables": offers.tables([offer]),
        "user_group": found.user_group,
        "is_own": found.is_own,
        "calculator": calculator.of(offer, request.GET) if offer.is_per_second else None,
        "examples": examples.of(offer.spec),
        "fields": fields.of(offer.spec),
        "rows": [row for row in rows if row.standing.model == model_id],
    }
    return _render(request, "site/model.html", known)


def _render(request: HttpRequest, template: str, known: dict[str, Any]) -> HttpResponse:
    return render(request, template, known | visitors.known(request, timezone.now()))
