"""Elements: cards with their pictures, and their deletion. The same functions as /v1/elements."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import NotFound
from evolink_saas.console import element_cards
from evolink_saas.console.entrance import ConsoleRequest
from generations import elements


@require_safe
def listing(request: ConsoleRequest) -> HttpResponse:
    cards, cursor = element_cards.page(request.organization, request.GET.get("cursor", ""))
    return render(request, "console/elements.html", {"cards": cards, "cursor": cursor})


@require_POST
def delete(request: ConsoleRequest, element_id: str) -> HttpResponse:
    try:
        element = elements.find(request.organization, element_id)
    except NotFound:
        raise Http404 from None
    elements.delete(element)
    messages.success(request, _("The element was deleted. Tasks that use it already go on."))
    return redirect("console:elements", request.organization.public_id)
