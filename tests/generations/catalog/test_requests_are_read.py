"""Every accepted request is accepted, and every refused one is refused with its code, its field and one sentence."""

import json
import re
from typing import Any

import pytest

from accounts.errors import ApiError
from generations import catalog
from generations.catalog import envelope
from generations.catalog.base import Parsed
from tests.generations.catalog import cases, limits, more_cases

GOOD = cases.GOOD | more_cases.GOOD | limits.GOOD
BAD = cases.BAD | more_cases.BAD | limits.BAD


def read(body: Any) -> Parsed:
    return catalog.choose(envelope.read(body).model).parse(body)


@pytest.mark.parametrize("name", GOOD)
def test_a_valid_request_is_accepted(name: str) -> None:
    parsed = read(GOOD[name])

    assert parsed.model == GOOD[name]["model"]
    assert json.loads(json.dumps(parsed.inputs)) == parsed.inputs


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_request_is_refused_with_the_field_that_is_wrong(name: str) -> None:
    body, code, param = BAD[name]

    with pytest.raises(ApiError) as refused:
        read(body)

    error = refused.value
    assert (error.status_code, error.code, error.param) == (400, code, param)
    assert re.fullmatch(r"[^\n]+\.", error.message)
    json.dumps(error.body(), ensure_ascii=False).encode()


@pytest.mark.parametrize("body", [None, [], "x", 1, True, 1.5])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(ApiError) as refused:
        envelope.read(body)

    assert (refused.value.status_code, refused.value.code) == (400, "invalid_json")


def test_a_strange_parameter_name_is_repeated_short_and_printable() -> None:
    with pytest.raises(ApiError) as refused:
        read({"model": "kling-v3-text-to-video", "model_params": {"\ud800\x00é\n" + "x" * 100_000: 1}})

    assert refused.value.param == "model_params.\\ud800?\\xe9?" + "x" * 60
