"""Exact bodies for the models beside Kling 3.0: turbo, motion control, omni in both generations, O1."""

import pytest

from generations.providers.base import Shot, VideoRequest
from generations.providers.kling import Kling
from generations.providers.kling.requests import body
from tests.generations.providers.requests import video

FIRST, LAST, OTHER = "https://files.example/1.png", "https://files.example/2.png", "https://files.example/3.png"
CLIP = "https://files.example/a.mp4"
OPTIONS = {"external_task_id": "attempt-1", "watermark_info": {"enabled": False}}
MOTION, O3_EDIT = "kling-v3-motion-control", "kling-o3-video-edit"
O3_I2V, O3_REFERENCE = "kling-o3-image-to-video", "kling-o3-reference-to-video"


def motion(**changes: object) -> VideoRequest:
    plain = {
        "model": MOTION,
        "prompt": "",
        "duration_seconds": None,
        "aspect_ratio": None,
        "images": (FIRST,),
        "video": CLIP,
        "video_use": "motion",
        "orientation": "video",
        "keep_sound": True,
    }
    return video(**(plain | changes))


def edit(**changes: object) -> VideoRequest:
    plain = {
        "model": O3_EDIT,
        "prompt": "<<<image_1>>> into <<<video_1>>>",
        "duration_seconds": None,
        "aspect_ratio": None,
        "images": (FIRST,),
        "video": CLIP,
        "video_use": "base",
        "keep_sound": True,
    }
    return video(**(plain | changes))


def reference(**changes: object) -> VideoRequest:
    return video(**({"model": O3_REFERENCE, "images": (FIRST, LAST)} | changes))


def test_turbo_has_no_choice_of_sound() -> None:
    request = video(model="kling-v3-turbo-text-to-video", quality="1080p")

    assert Kling().plan(request).route == "/text-to-video/kling-3.0-turbo"
    assert body(request) == {
        "prompt": "a heron over still water",
        "settings": {"multi_shot": False, "resolution": "1080p", "aspect_ratio": "16:9", "duration": 5},
        "options": OPTIONS,
    }


def test_what_turbo_should_not_show_stands_in_the_prompt() -> None:
    request = video(model="kling-v3-turbo-image-to-video", image_start=FIRST, prompt="", negative_prompt="rain")

    assert Kling().plan(request).route == "/image-to-video/kling-3.0-turbo"
    assert body(request)["contents"] == [
        {"type": "prompt", "text": "Do not show: rain"},
        {"type": "first_frame", "url": FIRST},
    ]
    longest = video(model="kling-v3-turbo-text-to-video", prompt="p" * 2500, negative_prompt="n" * 2500)
    assert len(body(longest)["prompt"]) == 3072
    assert body(longest)["prompt"].startswith("p" * 2500 + "\nDo not show: n")


@pytest.mark.parametrize(
    ("model", "path"),
    [(MOTION, "/motion-control/kling-3.0"), ("kling-v2.6-motion-control", "/motion-control/kling-2.6")],
)
def test_motion_control_names_orientation_and_sound(model: str, path: str) -> None:
    request = motion(model=model, keep_sound=False)

    assert Kling().plan(request).route == path
    assert body(request) == {
        "contents": [{"type": "image", "url": FIRST}, {"type": "video", "url": CLIP}],
        "settings": {"resolution": "720p", "audio": "off", "character_orientation": "video"},
        "options": OPTIONS,
    }


def test_motion_control_takes_an_element_and_the_sound_of_the_video() -> None:
    sent = body(motion(prompt="<<<element_1>>> dances", element_ids=("811",)))

    assert sent["settings"]["audio"] == "original"
    assert sent["contents"][0] == {"type": "prompt", "text": "@element_1 dances"}
    assert sent["contents"][-1] == {"type": "element", "element_id": "811", "id": "element_1"}


def test_an_edit_is_as_long_and_as_wide_as_its_video() -> None:
    assert Kling().plan(edit()).route == "/omni-video/kling-3.0-omni"
    assert body(edit()) == {
        "contents": [
            {"type": "prompt", "text": "@image_1 into @video_1"},
            {"type": "refer_image", "url": FIRST},
            {"type": "base_video", "url": CLIP},
        ],
        "settings": {"multi_shot": False, "audio": "original", "resolution": "720p"},
        "options": OPTIONS,
    }
    assert body(edit(keep_sound=False))["settings"]["audio"] == "off"
    assert Kling().plan(edit(model="kling-o1-video-edit-fast")).route == "/omni-video/kling-o1"


def test_omni_frames_and_references_keep_their_order() -> None:
    request = video(model=O3_I2V, image_start=FIRST, images=(OTHER,), prompt="<<<image_2>>>", sound=True)

    assert body(request) == {
        "contents": [
            {"type": "prompt", "text": "@image_2"},
            {"type": "first_frame", "url": FIRST},
            {"type": "refer_image", "url": OTHER},
        ],
        "settings": {"multi_shot": False, "audio": "native", "resolution": "720p", "duration": 5},
        "options": OPTIONS,
    }


def test_without_a_first_frame_omni_needs_a_shape() -> None:
    assert Kling().plan(reference()).route == "/omni-video/kling-3.0-omni"
    assert body(reference())["settings"]["aspect_ratio"] == "16:9"


def test_a_video_to_follow_goes_to_the_legacy_generation_which_cuts_no_shots() -> None:
    request = reference(
        prompt="<<<element_1>>> as <<<video_1>>>",
        video=CLIP,
        video_use="feature",
        keep_sound=True,
        element_ids=("811",),
        quality="1080p",
    )

    assert Kling().plan(request).route == "/v1/videos/omni-video"
    assert body(request) == {
        "model_name": "kling-v3-omni",
        "mode": "pro",
        "duration": "5",
        "sound": "off",
        "multi_shot": False,
        "watermark_info": {"enabled": False},
        "external_task_id": "attempt-1",
        "prompt": "<<<element_1>>> as <<<video_1>>>",
        "aspect_ratio": "16:9",
        "element_list": [{"element_id": 811}],
        "image_list": [{"image_url": FIRST}, {"image_url": LAST}],
        "video_list": [{"video_url": CLIP, "refer_type": "feature", "keep_original_sound": "yes"}],
    }


def test_the_route_is_the_same_before_the_addresses_are_known() -> None:
    """It is stored before the call, when no link has been made yet."""
    for request, bare in (
        (reference(video=CLIP, video_use="feature"), reference(images=(), video_use="feature")),
        (edit(), edit(images=(), video=None)),
        (motion(), motion(images=(), video=None)),
    ):
        assert Kling().plan(request).route == Kling().plan(bare).route


def test_omni_storyboards_go_to_the_legacy_generation_with_their_frames() -> None:
    request = video(
        model=O3_I2V,
        image_start=FIRST,
        image_end=LAST,
        multi_shot=True,
        shot_type="customize",
        shots=(Shot(index=1, prompt="a door", duration_seconds=5),),
    )

    assert Kling().plan(request).route == "/v1/videos/omni-video"
    assert body(request) == {
        "model_name": "kling-v3-omni",
        "mode": "std",
        "duration": "5",
        "sound": "off",
        "multi_shot": True,
        "watermark_info": {"enabled": False},
        "external_task_id": "attempt-1",
        "shot_type": "customize",
        "multi_prompt": [{"index": 1, "prompt": "a door", "duration": "5"}],
        "image_list": [{"image_url": FIRST, "type": "first_frame"}, {"image_url": LAST, "type": "end_frame"}],
    }


def test_o1_asks_for_what_we_sell() -> None:
    request = video(model="kling-o1-image-to-video", image_start=FIRST, image_end=LAST, quality="1080p")

    assert Kling().plan(request).route == "/omni-video/kling-o1"
    assert body(request)["settings"] == {
        "multi_shot": False,
        "audio": "off",
        "resolution": "1080p",
        "duration": 5,
    }
