"""The published JSON Schema and the parser agree on every case, but for the rules that the schema gives in words."""

import pytest
from jsonschema import Draft202012Validator

from generations import catalog
from generations.catalog.base import Spec
from tests.generations.catalog import cases, more_cases

GOOD, BAD = cases.GOOD | more_cases.GOOD, cases.BAD | more_cases.BAD
TRIMMED = "element_name (1 to 20) and element_description (1 to 100) are counted"
IGNORED_PROMPT = "With customize, prompt is ignored"
INDEXES = "With customize, the indexes of multi_prompt"
SUM = "With customize, the durations of multi_prompt add up"
STORABLE = "No string holds a null character"
NO_ELEMENTS = "A prompt cannot name elements"
NAMED_ELEMENTS = "<<<element_N>>> in a prompt"
NAMED_MEDIA = "<<<image_N>>> in a prompt"
TOGETHER = "Images and elements are at most 7 together"

ONLY_THE_PARSER_ACCEPTS = {
    "a name that is short after trimming": TRIMMED,
    "a name that is short after NFC": TRIMMED,
    "own shots with a prompt of a wrong type": IGNORED_PROMPT,
    "own shots with a prompt that is too long": IGNORED_PROMPT,
}
ONLY_THE_PARSER_REFUSES = {
    "prompt with a null character": STORABLE,
    "prompt with half a surrogate pair": STORABLE,
    "prompt that names an element of none": NO_ELEMENTS,
    "a shot that names an element of none": NO_ELEMENTS,
    "a prompt that names a missing element": NAMED_ELEMENTS,
    "a prompt that names element 0": NAMED_ELEMENTS,
    "a shot that names a missing element": NAMED_ELEMENTS,
    "a shot index twice": INDEXES,
    "a gap in the shot indexes": INDEXES,
    "shots shorter than the video": SUM,
    "shots longer than the video": SUM,
    "a shot of many seconds": SUM,
    "turbo that names an element": NO_ELEMENTS,
    "motion that names a second image": NAMED_MEDIA,
    "omni that names an image of none": NAMED_MEDIA,
    "omni reference that names a video of none": NAMED_MEDIA,
    "omni eight together": TOGETHER,
    "omni frame and seven images": TOGETHER,
    "omni reference with a video and five": TOGETHER,
    "omni reference with a video and five elements": TOGETHER,
    "omni edit with five together": TOGETHER,
    "o1 edit that names an element": NO_ELEMENTS,
}


def schema_accepts(body: dict) -> bool:
    return Draft202012Validator(catalog.choose(body["model"]).json_schema()).is_valid(body)


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_the_schema_is_a_schema(spec: Spec) -> None:
    schema = spec.json_schema()

    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["model"]["const"] == spec.id
    assert schema["x-rules"][: len(spec.rules)] == list(spec.rules)


@pytest.mark.parametrize("name", GOOD)
def test_the_schema_accepts_what_the_parser_accepts(name: str) -> None:
    assert schema_accepts(GOOD[name]) is (name not in ONLY_THE_PARSER_ACCEPTS)


@pytest.mark.parametrize("name", BAD)
def test_the_schema_refuses_what_the_parser_refuses(name: str) -> None:
    assert schema_accepts(BAD[name][0]) is (name in ONLY_THE_PARSER_REFUSES)


@pytest.mark.parametrize("name", [*ONLY_THE_PARSER_ACCEPTS, *ONLY_THE_PARSER_REFUSES])
def test_every_difference_is_covered_by_a_rule_in_words(name: str) -> None:
    body = GOOD[name] if name in ONLY_THE_PARSER_ACCEPTS else BAD[name][0]
    rule = (ONLY_THE_PARSER_ACCEPTS | ONLY_THE_PARSER_REFUSES)[name]

    assert sum(words.startswith(rule) for words in catalog.choose(body["model"]).json_schema()["x-rules"]) == 1
