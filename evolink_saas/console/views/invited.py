"""The page behind the link of an invitation. Looking changes nothing; whoever has no login yet signs up first."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.errors import ApiError
from evolink_saas.console import error_words
from evolink_saas.signup import INVITED


@never_cache
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, token: str) -> HttpResponse:
    try:
        invitation = invitations.read(token)
        if request.method == "POST" and request.user.is_authenticated:
            membership = invitations.accept(token, request.user)
            request.session.pop(INVITED, None)
            messages.success(request, _("Welcome to %(name)s.") % {"name": membership.organization.name})
            return redirect("console:overview", membership.organization.public_id)
    except ApiError as error:
        problem = {"problem": error_words.refusal(error)}
        return _answer(render(request, "console/invited.html", problem, status=error.status_code))
    if not request.user.is_authenticated:
        request.session[INVITED] = token
    fits = invitations.fits(token, getattr(request.user, "email", "") or invitation.email)
    page: dict[str, object] = {"invitation": invitation, "fits": fits, "token": token}
    return _answer(render(request, "console/invited.html", page))


def _answer(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = (
        "strict-origin"  # the address holds the token; "no-referrer" would make the form's Origin null
    )
    return response
