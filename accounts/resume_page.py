"""The page behind the link of an e-mail: it names the paused key, and one click lets it spend again.

Looking at it changes nothing, for mail programs look at links before people do. Whoever has the link may use it, for a
week and for this one pause.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import keys
from accounts.errors import NotFound


@never_cache
@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest) -> HttpResponse:
    text = request.POST.get("token", "") if request.method == "POST" else request.GET.get("token", "")
    try:
        key, paused_at = keys.read_resume_token(text)
        if request.method == "POST":
            key = keys.resume_by_link(text)
    except NotFound as error:
        return render(request, "accounts/resume.html", {"problem": error.message}, status=404)
    page = {"key": key, "token": text, "is_paused": key.paused_at == paused_at}
    answer = render(request, "accounts/resume.html", page)
    answer["Referrer-Policy"] = (
        "strict-origin"  # the address holds the token; "no-referrer" would make the form's Origin null
    )
    return answer
