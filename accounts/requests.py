"""What an API view is handed: DRF's request, signed by one of our keys."""

from typing import Any

from rest_framework.request import Request

from accounts.models import ApiKey, Organization


class ApiRequest(Request):
    """For type checkers: what `ApiKeyAuthentication` has put on the request of a view that asks for a scope."""

    organization: Organization
    auth: ApiKey
    data: dict[str, Any]
