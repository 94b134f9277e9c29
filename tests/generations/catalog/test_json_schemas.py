"""The published JSON Schema and the parser agree on every request, but for what the schema's rules say in words.

`DIFFERENT` names every known request on which they differ, and the rule that says why. A rule that the request alone
decides has such a case for each model; one that needs rows, the network or media has a test of its own elsewhere.
"""

import ast
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from accounts.errors import InvalidRequest
from generations import catalog, safe_http
from generations.catalog import envelope
from generations.catalog.base import Spec
from generations.catalog.fields import BLANK, UNSTORABLE
from tests.generations.catalog import cases, limits, more_cases
from tests.generations.catalog.test_arbitrary_json import JSON, places, replaced

ROOT = Path(__file__).resolve().parents[3]
GOOD = cases.GOOD | more_cases.GOOD | limits.GOOD
BAD = {name: case[0] for name, case in (cases.BAD | more_cases.BAD | limits.BAD).items()}
WITH_SHOTS = [spec for spec in catalog.SPECS if "multi_shot" in spec.model_params.fields]
LONG_IN_NFC = "\u0958" * 20  # a composition exclusion: NFC makes two of each
SHOT = {"index": 1, "prompt": "One", "duration": 5}
PLAIN = {spec.id: spec.examples[0].body for spec in catalog.SPECS}


def own_shots(model: str, **shot: Any) -> dict[str, Any]:
    params = {"multi_shot": True, "shot_type": "customize", "multi_prompt": [SHOT | shot]}
    return PLAIN[model] | {"duration": 5, "model_params": params}


ONLY_THE_PARSER_ACCEPTS: dict[str, tuple[dict[str, Any], str]] = {
    "a name that is short after NFC": (GOOD["a name that is short after NFC"], "lengths_after_normalization"),
    "own shots with a prompt of a wrong type": (
        GOOD["own shots with a prompt of a wrong type"],
        "prompt_unused_with_own_shots",
    ),
    "own shots with a prompt that is too long": (
        GOOD["own shots with a prompt that is too long"],
        "prompt_unused_with_own_shots",
    ),
    **{
        f"{spec.id}: own shots with a prompt of a wrong type": (
            own_shots(spec.id) | {"prompt": 7},
            "prompt_unused_with_own_shots",
        )
        for spec in WITH_SHOTS
    },
}
ONLY_THE_PARSER_REFUSES: dict[str, tuple[dict[str, Any], str]] = {
    "a name that is long after NFC": (cases.image_element(element_name=LONG_IN_NFC), "lengths_after_normalization"),
    "prompt with half a surrogate pair": (BAD["prompt with half a surrogate pair"], "text_is_unicode"),
    "shots shorter than the video": (BAD["shots shorter than the video"], "shot_durations_add_up"),
    "shots longer than the video": (BAD["shots longer than the video"], "shot_durations_add_up"),
    **{
        f"{spec.id}: a surrogate in the metadata": (PLAIN[spec.id] | {"metadata": {"a": "\ud800"}}, "text_is_unicode")
        for spec in catalog.SPECS
    },
    **{
        f"{spec.id}: shots that do not fill the video": (own_shots(spec.id, duration="4"), "shot_durations_add_up")
        for spec in WITH_SHOTS
    },
    **{
        f"{spec.id}: a callback inside": (PLAIN[spec.id] | {"callback_url": "https://127.1/"}, "addresses_are_public")
        for spec in catalog.SPECS
    },
    "an image inside": (cases.image_to_video(image_start="http://10.0.0.1/a.png"), "addresses_are_public"),
}
DIFFERENT = ONLY_THE_PARSER_ACCEPTS | ONLY_THE_PARSER_REFUSES
WITNESSES = {
    "addresses_are_public": "tests/generations/test_references.py::"
    "test_the_worker_checks_the_address_again_before_it_connects",
    "files_are_yours": "tests/generations/test_references.py::test_a_file_of_another_organization_is_not_allowed",
    "elements_are_usable": "tests/generations/test_creation.py::test_an_element_that_does_not_exist_is_named",
    "elements_made_from_images": "tests/generations/test_every_model.py::"
    "test_a_model_of_image_elements_refuses_one_made_from_a_video",
    "elements_made_from_video": "tests/generations/test_every_model.py::test_an_element_of_another_kind_is_refused",
    "quote_holds": "tests/generations/test_quotes_used.py::test_a_quote_that_nobody_has_is_a_mismatch",
    "voice_is_known": "tests/generations/test_creation.py::test_an_unknown_voice_is_refused",
    "face_is_visible": "tests/generations/test_references.py::test_without_a_face_no_element_is_made",
    "images_fit": "tests/generations/test_references.py::"
    "test_a_wrong_picture_fails_the_task_in_plain_words_and_refunds_it",
    "video_fits": "tests/generations/test_references.py::test_an_element_video_that_is_too_short_is_refused",
}
"""The test that witnesses each rule which a body alone cannot break."""


@cache
def validator(model: str) -> Draft202012Validator:
    return Draft202012Validator(catalog.choose(model).json_schema())


def schema_accepts(body: dict[str, Any]) -> bool:
    return validator(body["model"]).is_valid(body)


def parser_accepts(body: dict[str, Any]) -> bool:
    """All that is decided before any row is read."""
    try:
        given = envelope.read(body)
        parsed = catalog.choose(given.model).parse(body)
        if given.callback_url is not None:
            safe_http.check_spelling(given.callback_url, https_only=True)
        for medium in parsed.media:
            safe_http.check_spelling(medium.url, https_only=False)
    except (InvalidRequest, safe_http.AddressRefused):
        return False
    return True


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_the_schema_is_a_schema(spec: Spec) -> None:
    schema = spec.json_schema()

    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["model"]["const"] == spec.id
    assert schema["x-rules"] == [
        {"id": rule.id, "rule": rule.rule, "needs": rule.needs}
        for rule in (*spec.rules, *spec.all_rules()[len(spec.rules) :])
    ]
    assert {"text_is_unicode", "addresses_are_public"} <= {rule["id"] for rule in schema["x-rules"]}


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_a_rule_is_a_sentence_with_an_id_of_its_own(spec: Spec) -> None:
    ids = [rule.id for rule in spec.all_rules()]

    assert len(set(ids)) == len(ids)
    assert all(rule.id.replace("_", "").isalpha() and rule.id.islower() for rule in spec.all_rules())
    assert all(rule.rule.endswith(".") and rule.rule[0].isascii() for rule in spec.all_rules())


@pytest.mark.parametrize("name", GOOD)
def test_the_schema_accepts_what_the_parser_accepts(name: str) -> None:
    assert parser_accepts(GOOD[name])
    assert schema_accepts(GOOD[name]) is (name not in ONLY_THE_PARSER_ACCEPTS)


@pytest.mark.parametrize("name", BAD)
def test_the_schema_refuses_what_the_parser_refuses(name: str) -> None:
    assert not parser_accepts(BAD[name])
    assert schema_accepts(BAD[name]) is (name in ONLY_THE_PARSER_REFUSES)


@pytest.mark.parametrize("name", DIFFERENT)
def test_where_the_two_differ_a_rule_of_the_model_says_why(name: str) -> None:
    body, rule = DIFFERENT[name]

    assert parser_accepts(body) is (name in ONLY_THE_PARSER_ACCEPTS)
    assert schema_accepts(body) is (name in ONLY_THE_PARSER_REFUSES)
    assert rule in {one.id for one in catalog.choose(body["model"]).all_rules()}


def test_every_rule_of_every_model_is_witnessed() -> None:
    seen = {(body["model"], rule) for body, rule in DIFFERENT.values()}
    wanted = {(spec.id, rule.id) for spec in catalog.SPECS for rule in spec.all_rules() if rule.needs == "request"}
    assert wanted <= seen
    assert {rule.id for spec in catalog.SPECS for rule in spec.all_rules() if rule.needs != "request"} == set(WITNESSES)


@pytest.mark.parametrize("rule", WITNESSES)
def test_the_test_that_witnesses_a_rule_exists(rule: str) -> None:
    path, _, wanted = WITNESSES[rule].partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert wanted in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_blank_means_in_the_schema_what_it_means_to_the_parser() -> None:
    characters = "".join(map(chr, range(0x110000)))
    assert re.findall(f"[{BLANK}]", characters) == [one for one in characters if one.isspace()]


def is_explained(body: dict[str, Any]) -> bool:
    """Whether one of the rules that a request alone can break speaks of this body."""
    texts = [text for text in _texts(body) if UNSTORABLE.search(text) or not unicodedata.is_normalized("NFC", text)]
    addresses = [text for text in _texts(body) if "://" in text]
    params = body.get("model_params")
    own = isinstance(params, dict) and params.get("shot_type") == "customize"
    return bool(texts or own or (addresses and not all(_is_spelled_well(text) for text in addresses)))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for entry in (*value, *value.values()) for text in _texts(entry)]
    return [text for entry in value for text in _texts(entry)] if isinstance(value, list) else [str(value)]


def _is_spelled_well(text: str) -> bool:
    try:
        safe_http.check_spelling(text, https_only=False)
    except safe_http.AddressRefused:
        return False
    return True


KNOWN = [*GOOD.values(), *BAD.values()]
TELLING = st.one_of(
    st.builds("<<<{}_{}>>>".format, st.sampled_from(["element", "image", "video", "voice"]), st.integers(0, 12)),
    st.integers(0, 9).map(lambda number: [more_cases.IMAGE] * number),
    st.integers(0, 9).map(limits.listed),
    st.lists(st.fixed_dictionaries({"index": st.integers(1, 4), "prompt": st.just("a"), "duration": st.just(5)})),
)
"""Values on which something else in the request depends."""


@pytest.mark.parametrize("model", PLAIN)
@given(data=st.data(), new=JSON | TELLING)
@settings(max_examples=100, deadline=None)
def test_on_any_change_of_a_known_request_the_two_agree_or_a_rule_says_why(
    model: str, data: st.DataObject, new: Any
) -> None:
    known = [body for body in KNOWN if body["model"] == model and len(body) > 1]
    body = data.draw(st.sampled_from(known))
    path = data.draw(st.sampled_from([place for place in places(body) if place and place != ("model",)]))
    changed = replaced(body, path, new)

    assert parser_accepts(changed) == schema_accepts(changed) or is_explained(changed)
