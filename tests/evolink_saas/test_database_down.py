"""While the database is down, every answer is a clean 503; a moment after it is back, all is well."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts import key_text
from tests.cast import client_for


@pytest.fixture
def nowhere(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The connection points at a port where nothing listens."""
    before = connection.settings_dict["PORT"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["PORT"] = 1
        yield
        connection.close()
        connection.settings_dict["PORT"] = before


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_api_asks_to_come_back(method: str) -> None:
    answer = getattr(client_for(key_text.generate(sandbox=False)), method)("/v1/keys", {})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json() == {
        "error": {
            "code": "maintenance",
            "message": "We are briefly unavailable; please try again in a moment.",
            "type": "service_unavailable_error",
        }
    }


@pytest.mark.usefixtures("nowhere")
def test_readiness_fails_and_liveness_holds() -> None:
    client = client_for(None)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, {"status": "database unreachable"}, "5")
    assert client.get("/healthz").status_code == 200
