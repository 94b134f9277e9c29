"""The organization's settings; one's own are a page of the person."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import organizations
from accounts.errors import ApiError
from evolink_saas.console import forms
from evolink_saas.console.entrance import ConsoleRequest


def show(request: ConsoleRequest) -> HttpResponse:
    return _page(request, forms.SettingsForm(initial=_present(request)))


@require_POST
def change_organization(request: ConsoleRequest) -> HttpResponse:
    form = forms.SettingsForm(request.POST, initial=_present(request))
    if form.is_valid():
        try:
            wanted = {name: form.cleaned_data[name] for name in form.changed_data}
            organizations.change(request.membership.organization, by=request.membership, **wanted)
        except ApiError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:settings", request.organization.public_id)
    return _page(request, form, status=400)


def _present(request: ConsoleRequest) -> dict[str, object]:
    live = request.membership.organization
    return {"name": live.name, "result_retention_hours": live.result_retention_hours}


def _page(request: ConsoleRequest, form: forms.SettingsForm, *, status: int = 200) -> HttpResponse:
    return render(request, "console/settings.html", {"form": form}, status=status)
