"""The first page: what is left, what was spent, what is at work, and what needs somebody."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing import opening
from evolink_saas.console import overview
from evolink_saas.console.entrance import ConsoleRequest


def show(request: ConsoleRequest) -> HttpResponse:
    page = overview.of(request.organization, timezone.now())
    return render(request, "console/overview.html", {"page": page})


@require_POST
def open_sandbox(request: ConsoleRequest) -> HttpResponse:
    """To the sandbox twin, made with test credits when it is asked for first."""
    live = request.membership.organization
    twin = opening.open_sandbox(live, settings.WELCOME_CREDITS)
    return redirect("console:overview", twin.public_id)
