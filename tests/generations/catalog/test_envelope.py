"""The fields every request shares: the model's id, the callback address and the customer's own metadata."""

from typing import Any

import pytest

from accounts.errors import ApiError
from generations import catalog
from generations.catalog import envelope
from generations.catalog.envelope import Envelope
from tests.generations.catalog.cases import T2V


def test_the_shared_fields_are_read() -> None:
    body = {"model": T2V, "callback_url": "https://example.com/c", "metadata": {"order": "7"}, "prompt": 1}

    assert envelope.read(body) == Envelope(model=T2V, callback_url="https://example.com/c", metadata={"order": "7"})


def test_the_callback_and_the_metadata_are_optional() -> None:
    assert envelope.read({"model": T2V}) == Envelope(model=T2V, callback_url=None, metadata={})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_parameter"),
        ({"model": None}, "invalid_parameter"),
        ({"model": 7}, "invalid_parameter"),
        ({"model": ""}, "invalid_parameter"),
        ({"model": "a\x00"}, "invalid_parameter"),
        ({"model": "m" * 201}, "invalid_parameter"),
    ],
)
def test_a_request_names_its_model(body: dict[str, Any], code: str) -> None:
    with pytest.raises(ApiError) as refused:
        envelope.read(body)

    assert (refused.value.status_code, refused.value.code, refused.value.param) == (400, code, "model")


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("kling-v3-text2video", "kling-v3-text-to-video"),
        ("KLING-V3-IMAGE-TO-VIDEO", "kling-v3-image-to-video"),
        ("custom-element", "kling-custom-element"),
    ],
)
def test_an_unknown_model_is_answered_with_the_nearest_one(asked: str, nearest: str) -> None:
    with pytest.raises(ApiError) as refused:
        catalog.choose(asked)

    assert refused.value.status_code == 404
    assert refused.value.body() == {
        "error": {
            "code": "model_not_found",
            "message": f"There is no model {asked}.",
            "type": "not_found_error",
            "param": "model",
            "fallback_suggestion": nearest,
        }
    }
