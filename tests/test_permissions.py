"""The permission matrix: which scope each route asks for. A route missing from the table fails the first test."""

import pytest
from rest_framework.test import APIClient

from accounts.models import Scope
from tests.cast import Person, client_for
from tests.routes import operations

PUBLIC = None
SCOPES: dict[tuple[str, str], str | None] = {
    ("GET", "/v1/keys"): "keys",
    ("POST", "/v1/keys"): "keys",
    ("PATCH", "/v1/keys/{key_id}"): "keys",
    ("DELETE", "/v1/keys/{key_id}"): "keys",
    ("POST", "/v1/keys/{key_id}/roll"): "keys",
    ("POST", "/v1/keys/{key_id}/resume"): "keys",
    ("GET", "/v1/credits"): "read",
    ("GET", "/v1/ledger"): "read",
    ("GET", "/v1/statements/{month}"): "billing",
    ("GET", "/v1/statements/{month}.csv"): "billing",
    ("GET", "/v1/statements/{month}.pdf"): "billing",
    ("POST", "/v1/vouchers/redeem"): "billing",
    ("GET", "/v1/usage"): "read",
    ("GET", "/v1/top-ups"): "billing",
    ("POST", "/v1/top-ups"): "billing",
    ("GET", "/v1/top-ups/auto-recharge"): "billing",
    ("PUT", "/v1/top-ups/auto-recharge"): "billing",
    ("GET", "/v1/top-ups/{top_up_id}"): "billing",
    ("POST", "/v1/videos/generations"): "generate",
    ("POST", "/v1/quotes"): "generate",
    ("GET", "/v1/tasks"): "read",
    ("POST", "/v1/tasks/batch"): "read",
    ("GET", "/v1/tasks/{task_id}"): "read",
    ("POST", "/v1/tasks/{task_id}/cancel"): "generate",
    ("GET", "/v1/tasks/{task_id}/timeline"): "read",
    ("GET", "/v1/elements"): "read",
    ("GET", "/v1/elements/{element_id}"): "read",
    ("DELETE", "/v1/elements/{element_id}"): "generate",
    ("GET", "/v1/voices"): "read",
    ("GET", "/v1/models"): "read",
    ("GET", "/v1/catalog/models"): PUBLIC,
    ("GET", "/v1/catalog/models/{model_id}"): PUBLIC,
    ("GET", "/v1/catalog/pricing"): PUBLIC,
    ("GET", "/v1/catalog/health"): PUBLIC,
    ("GET", "/v1/webhooks/secret"): "webhooks",
    ("POST", "/v1/webhooks/secret/rotate"): "webhooks",
    ("GET", "/v1/webhooks/deliveries"): "webhooks",
    ("POST", "/v1/webhooks/deliveries/{delivery_id}/redeliver"): "webhooks",
    ("POST", "/v1/webhooks/test"): "webhooks",
    ("POST", "/api/v1/files/upload/base64"): "generate",
    ("POST", "/api/v1/files/upload/stream"): "generate",
    ("POST", "/api/v1/files/upload/url"): "generate",
    ("GET", "/api/v1/files/list"): "read",
    ("GET", "/api/v1/files/quota"): "read",
    ("DELETE", "/api/v1/files/{file_id}"): "generate",
    ("GET", "/api/v1/files/download/{file_id}"): "read",
}


def call(client: APIClient, method: str, route: str) -> tuple[int, str]:
    """The status and error code of a call with ids that nobody has and an empty body."""
    address = route.replace("{", "none-").replace("}", "")
    answer = getattr(client, method.lower())(address, {})
    body = answer.json() if answer.content else {}
    return answer.status_code, body.get("error", {}).get("code", str(body.get("code", "")))


def test_every_route_stands_in_the_table() -> None:
    assert set(operations()) == set(SCOPES)


@pytest.mark.parametrize(("method", "route"), SCOPES)
def test_without_a_key_only_public_routes_answer(anyone: APIClient, method: str, route: str) -> None:
    status, code = call(anyone, method, route)
    if SCOPES[method, route] is PUBLIC:
        assert status not in (401, 403)
    else:
        assert (status, code) in ((401, "missing_api_key"), (401, "401"))


@pytest.mark.parametrize("given", Scope.values)
def test_a_key_with_one_scope_reaches_the_routes_that_ask_for_it(alice: Person, given: str) -> None:
    client = alice.client_with(given)
    outcome = {operation: call(client, *operation) for operation in SCOPES}
    refused = {operation for operation, (status, _) in outcome.items() if status == 403}
    assert refused == {operation for operation, scope in SCOPES.items() if scope not in (given, PUBLIC)}
    assert {outcome[operation][1] for operation in refused} <= {"key_scope_missing", "403"}
    assert not [operation for operation, (status, _) in outcome.items() if status == 401 or status >= 500]


@pytest.mark.parametrize(("method", "route"), SCOPES)
def test_a_key_that_may_do_everything_is_refused_nowhere(alice: Person, method: str, route: str) -> None:
    status, _ = call(client_for(alice.secret), method, route)
    assert status not in (401, 403)
    assert status < 500
