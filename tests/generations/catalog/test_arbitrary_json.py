"""Whatever JSON comes in, a request is either read or refused with 400: no value breaks the catalogue."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.errors import InvalidRequest
from generations import catalog
from generations.catalog import envelope
from generations.catalog.base import Spec
from tests.generations.catalog.cases import BAD, GOOD

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 1e308, 5.0])
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(["customize", "intelligence", "image_refer", "video_refer", "on", "4K", "https://example.com/a"])
)
NAMES = sorted(
    {
        name
        for spec in catalog.SPECS
        for name in (
            *spec.root.fields,
            *spec.model_params.fields,
            "callback_url",
            "metadata",
            "quote_id",
            "model_params",
        )
    }
    | {"index", "prompt", "duration", "element_id", "frontal_image", "refer_images", "video_url", "refer_videos"}
)
KEYS = st.sampled_from(NAMES) | st.text(st.characters(), max_size=10)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)
KNOWN = [*GOOD.values(), *(case[0] for case in BAD.values())]


def is_read_or_refused(spec: Spec, body: dict[str, Any]) -> None:
    try:
        envelope.read(body)
        parsed = spec.parse(body)
    except InvalidRequest as refused:
        json.dumps(refused.body(), ensure_ascii=False).encode()
    else:
        stored = json.dumps([parsed.inputs, [media.url for media in parsed.media]], allow_nan=False, ensure_ascii=False)
        assert b"\x00" not in stored.encode()


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
@given(fields=st.dictionaries(KEYS, JSON, max_size=8))
@settings(max_examples=100, deadline=None)
def test_any_fields_are_read_or_refused(spec: Spec, fields: dict[str, Any]) -> None:
    is_read_or_refused(spec, fields | {"model": spec.id})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, entry in inner for place in places(entry, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
@given(data=st.data(), new=JSON)
@settings(max_examples=100, deadline=None)
def test_any_value_anywhere_in_a_known_request_is_read_or_refused(spec: Spec, data: st.DataObject, new: Any) -> None:
    body = data.draw(st.sampled_from([body for body in KNOWN if body["model"] == spec.id]))
    path = data.draw(st.sampled_from([place for place in places(body) if place]))

    is_read_or_refused(spec, replaced(body, path, new))


def test_endless_accents_are_refused_at_once() -> None:
    body = {"model": "kling-custom-element", "model_params": {"element_name": "a" + "\u0300\u0316" * 500_000}}

    with pytest.raises(InvalidRequest):
        catalog.choose("kling-custom-element").parse(body)
