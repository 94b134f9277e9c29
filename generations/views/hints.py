"""Where providers call us back: no API of customers, so it stands in no document of theirs."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from generations import hints
from generations.providers.base import CallbackRefused


@csrf_exempt
@require_POST
def receive(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """204: heard. 401: the signature is wrong. 404: an address that we did not give out."""
    attempt = hints.find(reference, token)
    if attempt is None:
        return HttpResponse(status=404)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        hints.take(attempt, headers, request.body)
    except CallbackRefused:
        return HttpResponse(status=401)
    return HttpResponse(status=204)
