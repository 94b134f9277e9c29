"""Files: the uploads that are kept, new ones, and what pictures of the console are made of."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import tenancy
from accounts.errors import ApiError, InvalidRequest, NotFound
from evolink_saas.console import error_words, file_list
from evolink_saas.console.entrance import ConsoleRequest
from generations import files, serving, uploads

LIMITS = {
    "types": file_list.TYPES,
    "max_image": file_list.MAX_IMAGE_MEGABYTES,
    "max_video": file_list.MAX_VIDEO_MEGABYTES,
    "kept_hours": file_list.KEPT_HOURS,
}


@require_safe
def listing(request: ConsoleRequest) -> HttpResponse:
    return _shown(request, file_list.UploadForm())


@require_POST
def upload(request: ConsoleRequest) -> HttpResponse:
    form = file_list.UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            file = file_list.accept(request.organization, form.cleaned_data["file"])
        except ApiError as error:
            said = error_words.of_refusal(error)
            form.add_error("file", f"{said.what} {said.do}")
        else:
            messages.success(request, _("%(name)s was uploaded.") % {"name": file.file_name})
            return redirect("console:files", request.organization.public_id)
    return _shown(request, form, status=400)


@require_POST
def delete(request: ConsoleRequest, file_id: str) -> HttpResponse:
    try:
        files.remove(uploads.find(request.organization, file_id))
    except NotFound:
        raise Http404 from None
    messages.success(request, _("The file was deleted."))
    return redirect("console:files", request.organization.public_id)


@require_safe
def picture(request: ConsoleRequest, file_id: str) -> HttpResponseBase:
    """The bytes of a living file of the organization, our copies of reference media among them."""
    missing = NotFound("file_not_found", "This file does not exist or has expired.")
    try:
        return serving.send(request, tenancy.owned(files.alive(request.organization), file_id, missing))
    except NotFound:
        raise Http404 from None


def _shown(request: ConsoleRequest, form: file_list.UploadForm, status: int = 200) -> HttpResponse:
    try:
        listed = file_list.of(request.organization, request.GET.get("cursor") or None)
    except InvalidRequest:
        raise Http404 from None
    return render(request, "console/files.html", {"form": form, "listed": listed, "limits": LIMITS}, status=status)
