"""Where one arrives, a further organization, and one's own settings: pages of a person, not of an organization."""

from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import people
from billing import opening
from evolink_saas import languages
from evolink_saas.console.entrance import CHOSEN, SignedIn
from evolink_saas.console.forms import OrganizationForm, PersonForm


@never_cache
@login_required
def arrive(request: SignedIn) -> HttpResponse:
    """The organization that was looked at last, else the first; operators without one go to the admin."""
    return _to_last(request, "console:overview")


@never_cache
@login_required
def to_billing(request: SignedIn) -> HttpResponse:
    """Where a refusal for want of credits, and the page that pays, send people."""
    return _to_last(request, "console:billing")


@never_cache
@login_required
def new_organization(request: SignedIn) -> HttpResponse:
    form = OrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and not request.user.is_staff:
        made = opening.open_organization(form.cleaned_data["name"], request.user.email, Decimal(0))
        return redirect("console:overview", made.public_id)
    return render(request, "console/new_organization.html", {"form": form}, status=_status(form))


@never_cache
@login_required
def preferences(request: SignedIn) -> HttpResponse:
    """One's name, language and time zone, and the way to password and second factor."""
    user = request.user
    present = {"name": user.name, "language": user.language or request.LANGUAGE_CODE, "time_zone": user.time_zone}
    form = PersonForm(request.POST or None, initial=present)
    if request.method == "POST" and form.is_valid():
        people.set_preferences(user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        response = redirect("console:me")
        languages.remember(response, form.cleaned_data["language"])
        return response
    return render(request, "console/me.html", {"form": form}, status=_status(form))


def _to_last(request: SignedIn, page: str) -> HttpResponse:
    mine = list(request.user.organizations.order_by("pk"))
    last = request.session.get(CHOSEN, "")
    found = [one.public_id for one in mine] + [one.sandbox.public_id for one in mine if hasattr(one, "sandbox")]
    if last in found or found:
        return redirect(page, last if last in found else found[0])
    return redirect("admin:index" if request.user.is_staff else "console:new")


def _status(form: OrganizationForm | PersonForm) -> int:
    return 400 if form.is_bound and not form.is_valid() else 200
