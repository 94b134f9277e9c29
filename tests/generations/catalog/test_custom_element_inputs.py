"""What a request for an element becomes: clean texts, and media with the face each needs."""

from typing import Any

from generations import catalog
from generations.catalog.base import MediaRef, Parsed, PriceInputs, VoiceRef
from generations.media import ImageRule, VideoRule
from tests.generations.catalog.cases import ELEMENT, GOOD, IMAGE, image_element, video_element

IMAGES, VIDEO = "model_params.element_image_list", "model_params.element_video_list"
FILM = VideoRule(
    max_bytes=200 * 1024 * 1024,
    min_seconds=3,
    max_seconds=8,
    min_side=720,
    max_side=2160,
    formats=("mp4", "mov"),
    ratios=("16:9", "9:16"),
)


def parse(body: dict[str, Any]) -> Parsed:
    spec = catalog.find(ELEMENT)
    assert spec is not None
    return spec.parse(body)


def test_an_element_from_images_asks_for_a_face_in_front_and_wishes_for_one_elsewhere() -> None:
    parsed = parse(GOOD["an element from four images"])

    assert [(media.role, media.param, media.face) for media in parsed.media] == [
        ("frontal_image", f"{IMAGES}.frontal_image", "required"),
        ("refer_image_1", f"{IMAGES}.refer_images[0].image_url", "wanted"),
        ("refer_image_2", f"{IMAGES}.refer_images[1].image_url", "wanted"),
        ("refer_image_3", f"{IMAGES}.refer_images[2].image_url", "wanted"),
    ]
    assert {media.rule for media in parsed.media} == {ImageRule()}


def test_an_element_is_priced_by_the_call() -> None:
    assert parse(image_element()) == Parsed(
        model=ELEMENT,
        inputs={"name": "Mia", "description": "A sailor", "kind": "image_refer", "voice_id": None},
        media=(
            MediaRef(
                role="frontal_image", param=f"{IMAGES}.frontal_image", url=IMAGE, rule=ImageRule(), face="required"
            ),
        ),
        elements=(),
        voice=None,
        price=PriceInputs(model=ELEMENT, cell="call", seconds=None, billing_rule="per_call"),
        video_duration=None,
    )


def test_an_element_from_a_video_may_have_a_voice() -> None:
    parsed = parse(video_element(element_voice_id="829826751244537879"))

    assert parsed.inputs == {
        "name": "Mia",
        "description": "A sailor",
        "kind": "video_refer",
        "voice_id": "829826751244537879",
    }
    assert parsed.voice == VoiceRef(param="model_params.element_voice_id", voice_id="829826751244537879")
    assert parsed.media == (
        MediaRef(role="video", param=f"{VIDEO}.video_url", url="http://example.com/a.mov", rule=FILM, face="required"),
    )


def test_refer_videos_is_another_way_to_give_the_video() -> None:
    (media,) = parse(GOOD["an element from refer_videos"]).media

    assert (media.role, media.param, media.url) == ("video", f"{VIDEO}.refer_videos[0].video_url", IMAGE)


def test_names_are_trimmed_composed_and_counted_in_code_points() -> None:
    parsed = parse(image_element(element_name="\t" + "e\u0301" * 20 + " ", element_description=" 😀 "))

    assert (parsed.inputs["name"], parsed.inputs["description"]) == ("é" * 20, "😀")
