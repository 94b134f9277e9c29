"""What a Kling 3.0 request becomes: explicit inputs, media, elements and what the price depends on."""

from typing import Any

import pytest

from generations import catalog
from generations.catalog.base import ElementRef, MediaRef, Parsed, PriceInputs
from generations.media import ImageRule
from tests.generations.catalog.cases import (
    GOOD,
    I2V,
    IMAGE,
    T2V,
    elements,
    image_to_video,
    own_shots,
    params,
    shot,
    text_to_video,
)

DEFAULTS = {
    "prompt": "A fox in the snow",
    "negative_prompt": "",
    "duration_seconds": 5,
    "quality": "720p",
    "sound": False,
    "aspect_ratio": "16:9",
    "multi_shot": False,
    "shot_type": None,
    "shots": [],
    "element_ids": [],
    "watermark": False,
}


def parse(body: dict[str, Any]) -> Parsed:
    spec = catalog.find(body["model"])
    assert spec is not None
    return spec.parse(body)


def test_every_default_is_made_explicit() -> None:
    assert parse(text_to_video()) == Parsed(
        model=T2V,
        inputs=DEFAULTS,
        media=(),
        elements=(),
        voice=None,
        price=PriceInputs(model=T2V, cell="720p_off", seconds=5, billing_rule="per_second"),
        video_duration=5,
    )


def test_an_image_to_video_has_no_aspect_ratio_and_needs_no_prompt() -> None:
    parsed = parse(image_to_video(aspect_ratio="9:16"))

    assert parsed.inputs == DEFAULTS | {"prompt": "", "aspect_ratio": None}
    assert parsed.media == (
        MediaRef(role="image_start", param="image_start", url=IMAGE, rule=ImageRule(), face="none"),
    )


def test_the_last_frame_comes_after_the_first() -> None:
    parsed = parse(image_to_video(image_end="http://example.com/last.png"))

    assert [(media.role, media.param, media.url) for media in parsed.media] == [
        ("image_start", "image_start", IMAGE),
        ("image_end", "image_end", "http://example.com/last.png"),
    ]


@pytest.mark.parametrize(("asked", "made"), [(1, 3), (2, 3), (3, 3), (5.0, 5), (15, 15)])
def test_one_and_two_seconds_are_made_and_billed_as_three(asked: float, made: int) -> None:
    parsed = parse(text_to_video(duration=asked))

    assert (parsed.inputs["duration_seconds"], parsed.price.seconds, parsed.video_duration) == (made, made, made)
    assert type(parsed.price.seconds) is int


@pytest.mark.parametrize(
    ("quality", "sound", "cell"),
    [
        ("720p", "off", "720p_off"),
        ("720P", "on", "720p_on"),
        ("1080p", False, "1080p_off"),
        ("1080P", True, "1080p_on"),
        ("4k", "off", "4k_off"),
        ("4K", "on", "4k_on"),
    ],
)
def test_quality_and_sound_choose_the_price_cell(quality: str, sound: Any, cell: str) -> None:
    parsed = parse(text_to_video(quality=quality, sound=sound))

    assert parsed.price.cell == cell
    assert f"{parsed.inputs['quality']}_{'on' if parsed.inputs['sound'] else 'off'}" == cell


def test_own_shots_are_put_in_order_and_the_prompt_is_dropped() -> None:
    parsed = parse(text_to_video(prompt="unused", duration=7) | own_shots(shot(2, "Two", "3"), shot(1, "One", 4)))

    assert parsed.inputs == DEFAULTS | {
        "prompt": "",
        "duration_seconds": 7,
        "multi_shot": True,
        "shot_type": "customize",
        "shots": [
            {"index": 1, "prompt": "One", "duration_seconds": 4},
            {"index": 2, "prompt": "Two", "duration_seconds": 3},
        ],
    }


def test_planned_shots_keep_the_prompt() -> None:
    parsed = parse(GOOD["planned shots"])

    assert parsed.inputs == DEFAULTS | {"duration_seconds": 3, "multi_shot": True, "shot_type": "intelligence"}


def test_elements_keep_their_order_and_the_place_they_were_given_in() -> None:
    parsed = parse(image_to_video(**params(element_list=elements("7", "3"))))

    assert parsed.inputs["element_ids"] == ["7", "3"]
    assert parsed.elements == (
        ElementRef(param="model_params.element_list[0].element_id", element_id="7"),
        ElementRef(param="model_params.element_list[1].element_id", element_id="3"),
    )


def test_elements_may_stand_at_the_root() -> None:
    parsed = parse(image_to_video(element_list=elements("7")))

    assert parsed.model == I2V
    assert parsed.elements == (ElementRef(param="element_list[0].element_id", element_id="7"),)


def test_a_watermark_is_made_only_when_asked_for() -> None:
    asked = parse(text_to_video(**params(watermark_info={"enabled": True})))

    assert asked.inputs == DEFAULTS | {"watermark": True}
    assert parse(text_to_video(**params(watermark_info={}))).inputs == DEFAULTS
