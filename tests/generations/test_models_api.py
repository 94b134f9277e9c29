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
        "kling-v3-turbo-text-to-video",
        "kling-v3-turbo-image-to-video",
        "kling-v3-motion-control",
        "kling-v2.6-motion-control",
        "kling-o3-text-to-video",
        "kling-o3-image-to-video",
        "kling-o3-reference-to-video",
        "kling-o3-video-edit",
        "kling-o1-image-to-video",
        "kling-o1-video-edit",
        "kling-o1-video-edit-fast",
        "kling-custom-element",
    ]
    assert [model["estimated_time"] for model in body["data"]] == [300] * 13 + [600]
    assert {model["object"] for model in body["data"]} == {"model"}
    assert all(model["capabilities"] for model in body["data"])


def test_a_key_bound_to_models_sees_those(alice: Person) -> None:
    client = alice.client_with(Scope.READ, allowed_models=["kling-custom-element"])
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["kling-custom-element"]
