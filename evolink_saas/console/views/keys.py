"""API keys: the same functions as /v1/keys, done by a member. A secret is shown in one answer and never again."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import keys, tenancy
from accounts.errors import ApiError, NotFound
from accounts.models import ApiKey
from evolink_saas.console import error_words, forms, key_list
from evolink_saas.console.entrance import ConsoleRequest

PAGE_SIZE = 50


def listing(request: ConsoleRequest) -> HttpResponse:
    found, cursor = keys.page(request.organization, request.GET.get("cursor") or None, PAGE_SIZE)
    page = {"rows": key_list.rows(found, timezone.now()), "cursor": cursor, "roll_form": forms.RollForm()}
    return render(request, "console/keys.html", page)


def create(request: ConsoleRequest) -> HttpResponse:
    form = forms.KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = keys.create(request.organization, by=request.membership, **form.cleaned_data)
        except ApiError as error:
            forms.refuse(form, error)
        else:
            return _shown_once(request, *made)
    return render(request, "console/key.html", {"form": form}, status=400 if form.errors else 200)


def change(request: ConsoleRequest, key_id: str) -> HttpResponse:
    key = _one(request, key_id)
    form = forms.KeyChangeForm(request.POST or None, initial=forms.of_key(key))
    if request.method == "POST" and form.is_valid():
        try:
            wanted = {name: form.cleaned_data[name] for name in form.changed_data}
            keys.change(key, by=request.membership, **wanted)
        except ApiError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, _("The key was changed."))
            return redirect("console:keys", request.organization.public_id)
    row = key_list.row(key, timezone.now())
    return render(request, "console/key.html", {"form": form, "row": row}, status=400 if form.errors else 200)


@require_POST
def roll(request: ConsoleRequest, key_id: str) -> HttpResponse:
    key, form = _one(request, key_id), forms.RollForm(request.POST)
    if form.is_valid():
        try:
            made = keys.roll(key, by=request.membership, grace=timedelta(hours=form.cleaned_data["grace_hours"]))
        except ApiError as error:
            messages.error(request, error_words.refusal(error))
        else:
            return _shown_once(request, *made)
    return redirect("console:keys", request.organization.public_id)


@require_POST
def revoke(request: ConsoleRequest, key_id: str) -> HttpResponse:
    keys.revoke(_one(request, key_id), by=request.membership)
    messages.success(request, _("The key was revoked. Whoever uses it is refused from now on."))
    return redirect("console:keys", request.organization.public_id)


@require_POST
def resume(request: ConsoleRequest, key_id: str) -> HttpResponse:
    keys.resume(_one(request, key_id), by=request.membership)
    messages.success(request, _("The key may spend again."))
    return redirect("console:keys", request.organization.public_id)


def _shown_once(request: ConsoleRequest, key: ApiKey, secret: str) -> HttpResponse:
    """The secret stands in this answer alone: it is never in the session, a redirect or a message."""
    return render(request, "console/key_made.html", {"key": key, "secret": secret}, status=201)


def _one(request: ConsoleRequest, key_id: str) -> ApiKey:
    rows = request.organization.api_keys.filter(revoked_at=None).select_related("budget", "organization")
    try:
        return tenancy.owned(rows, key_id, NotFound("key_not_found", "There is no such API key."))
    except NotFound:
        raise Http404 from None
