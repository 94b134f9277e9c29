"""GET /v1/models: what this key may use."""

import pytest

from accounts.models import Scope
from tests.cast import Person

pytestmark = pytest.mark.django_db


def test_a_key_sees_every_model(alice: Person) -> None:
    body = alice.client.get("/v1/models").json()
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == [
        "kling-v3-text-to-video",
        "kling-v3-image-to-video",
        "kling-custom-element",
    ]
    assert body["data"][2]["estimated_time"] == 600
    assert {model["object"] for model in body["data"]} == {"model"}
    assert all(model["capabilities"] for model in body["data"])


def test_a_key_bound_to_models_sees_those(alice: Person) -> None:
    client = alice.client_with(Scope.READ, allowed_models=["kling-custom-element"])
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["kling-custom-element"]
