"""Requests for the models beside Kling 3.0 and elements: accepted ones, and refused ones with code and field."""

from typing import Any

TURBO_T2V, TURBO_I2V = "kling-v3-turbo-text-to-video", "kling-v3-turbo-image-to-video"
MOTION, MOTION_2_6 = "kling-v3-motion-control", "kling-v2.6-motion-control"
O3_T2V, O3_I2V = "kling-o3-text-to-video", "kling-o3-image-to-video"
O3_REFERENCE, O3_EDIT = "kling-o3-reference-to-video", "kling-o3-video-edit"
O1_I2V, O1_EDIT, O1_FAST = "kling-o1-image-to-video", "kling-o1-video-edit", "kling-o1-video-edit-fast"
IMAGE, CLIP = "https://example.com/a.png", "https://example.com/a.mp4"
INVALID, MISSING, UNKNOWN = "invalid_parameter", "missing_parameter", "unknown_model_parameter"


def elements(number: int) -> dict[str, Any]:
    return {"element_list": [{"element_id": str(position)} for position in range(1, number + 1)]}


def turbo(**fields: Any) -> dict[str, Any]:
    return {"model": TURBO_T2V, "prompt": "A heron"} | fields


def motion(model: str = MOTION, orientation: str = "video", **params: Any) -> dict[str, Any]:
    params = {"character_orientation": orientation} | params
    return {"model": model, "image_urls": [IMAGE], "video_urls": [CLIP], "model_params": params}


def o3(model: str = O3_T2V, *, listed: int = 0, **fields: Any) -> dict[str, Any]:
    """Of the model `model`, with so many elements."""
    needed = {O3_I2V: {"image_start": IMAGE}, O3_EDIT: {"video_url": CLIP}}.get(model, {})
    params = {"model_params": elements(listed)} if listed else {}
    return {"model": model, "prompt": "A heron"} | needed | params | fields


def without_start(**fields: Any) -> dict[str, Any]:
    return {"model": O3_I2V, "prompt": "A heron"} | fields


def o1(model: str = O1_I2V, **fields: Any) -> dict[str, Any]:
    media = {"image_urls": [IMAGE]} if model == O1_I2V else {"video_urls": [CLIP]}
    return {"model": model, "prompt": "A heron"} | media | fields


STORYBOARD = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [{"index": 1, "prompt": "One", "duration": 5}],
}

GOOD: dict[str, dict[str, Any]] = {
    "turbo of one second": turbo(duration=1),
    "turbo with empty model_params": turbo(model_params={}),
    "turbo ignores sound": turbo(sound=7),
    "turbo from a first and a last image": {"model": TURBO_I2V, "image_start": IMAGE, "image_end": IMAGE},
    "motion of an image": motion(orientation="image"),
    "motion of the model before": motion(MOTION_2_6) | {"quality": "1080p"},
    "motion with an element": motion(**elements(1)),
    "motion with an element at the root": motion() | elements(1),
    "motion without sound": motion(keep_sound=False),
    "motion of an image with an empty element list": motion(orientation="image", element_list=[]),
    "motion that names its media": motion() | {"prompt": "<<<image_1>>> as <<<video_1>>>"},
    "motion before ignores root elements": motion(MOTION_2_6) | {"element_list": 5},
    "omni with seven elements": o3(listed=7),
    "omni own shots without a prompt": {"model": O3_T2V, "model_params": STORYBOARD},
    "omni with capital quality": o3(quality="4K", sound=True),
    "omni images without a first frame": without_start(image_urls=[IMAGE] * 7),
    "omni first and last frame": o3(O3_I2V, image_end=IMAGE),
    "omni first frame with three elements": o3(O3_I2V, listed=3, image_urls=[IMAGE] * 3),
    "omni seven together": without_start(image_urls=[IMAGE] * 4, model_params=elements(3)),
    "omni reference of words alone": o3(O3_REFERENCE),
    "omni reference of seven": o3(O3_REFERENCE, listed=4, image_urls=[IMAGE] * 3),
    "omni reference with a video and four": o3(O3_REFERENCE, listed=2, image_urls=[IMAGE] * 2, video_url=CLIP),
    "omni edit without a prompt": {"model": O3_EDIT, "video_url": CLIP},
    "omni edit ignores a duration": o3(O3_EDIT, duration="x", sound=9, aspect_ratio=None),
    "omni edit of four": o3(O3_EDIT, listed=1, image_urls=[IMAGE] * 3),
    "omni edit that names all": o3(
        O3_EDIT, listed=1, image_urls=[IMAGE], prompt="<<<image_1>>> <<<element_1>>> <<<video_1>>>"
    ),
    "o1 of ten seconds": o1(duration=10.0),
    "o1 with the longest prompt": o1(prompt="x" * 5000),
    "o1 edit with four images": o1(O1_EDIT, image_urls=[IMAGE] * 4),
    "o1 fast without sound": o1(O1_FAST, keep_original_sound=False),
}

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "turbo without a prompt": ({"model": TURBO_T2V}, MISSING, "prompt"),
    "turbo in 4k": (turbo(quality="4k"), INVALID, "quality"),
    "turbo with a model parameter": (turbo(model_params={"multi_shot": True}), UNKNOWN, "model_params.multi_shot"),
    "turbo of sixteen seconds": (turbo(duration=16), INVALID, "duration"),
    "turbo that names an element": (turbo(prompt="<<<element_1>>>"), INVALID, "prompt"),
    "turbo without an image": ({"model": TURBO_I2V}, MISSING, "image_start"),
    "motion without an image": (motion() | {"image_urls": []}, INVALID, "image_urls"),
    "motion with two images": (motion() | {"image_urls": [IMAGE] * 2}, INVALID, "image_urls"),
    "motion without a video": (
        {"model": MOTION, "image_urls": [IMAGE], "model_params": {"character_orientation": "video"}},
        MISSING,
        "video_urls",
    ),
    "motion with two videos": (motion() | {"video_urls": [CLIP] * 2}, INVALID, "video_urls"),
    "motion with a bare video": (motion() | {"video_urls": CLIP}, INVALID, "video_urls"),
    "motion without an orientation": (
        motion() | {"model_params": {}},
        MISSING,
        "model_params.character_orientation",
    ),
    "motion with no params": (
        {"model": MOTION, "image_urls": [IMAGE], "video_urls": [CLIP]},
        MISSING,
        "model_params.character_orientation",
    ),
    "motion in an unknown orientation": (motion(orientation="left"), INVALID, "model_params.character_orientation"),
    "motion in 4k": (motion() | {"quality": "4k"}, INVALID, "quality"),
    "motion with two elements": (motion(**elements(2)), INVALID, "model_params.element_list"),
    "motion of an image with an element": (
        motion(orientation="image", **elements(1)),
        INVALID,
        "model_params.element_list",
    ),
    "motion of an image with an element at the root": (
        motion(orientation="image") | elements(1),
        INVALID,
        "element_list",
    ),
    "motion before with an element": (motion(MOTION_2_6, **elements(1)), UNKNOWN, "model_params.element_list"),
    "motion with sound as a word": (motion(keep_sound="yes"), INVALID, "model_params.keep_sound"),
    "motion that names a second image": (motion() | {"prompt": "<<<image_2>>>"}, INVALID, "prompt"),
    "omni without a prompt": ({"model": O3_T2V}, MISSING, "prompt"),
    "omni with a blank prompt": (o3(prompt=" "), INVALID, "prompt"),
    "omni of two seconds": (o3(duration=2), INVALID, "duration"),
    "omni with planned shots": (
        o3(model_params={"multi_shot": True, "shot_type": "intelligence"}),
        INVALID,
        "model_params.shot_type",
    ),
    "omni with eight elements": (o3(listed=8), INVALID, "model_params.element_list"),
    "omni with elements twice": (o3(listed=1) | elements(1), INVALID, "element_list"),
    "omni that names an image of none": (o3(prompt="<<<image_1>>>"), INVALID, "prompt"),
    "omni without any image": (without_start(), MISSING, "image_start"),
    "omni with no images": (without_start(image_urls=[]), MISSING, "image_start"),
    "omni with a last frame alone": (without_start(image_urls=[IMAGE], image_end=IMAGE), MISSING, "image_start"),
    "omni with a last frame and three images": (
        o3(O3_I2V, image_end=IMAGE, image_urls=[IMAGE]),
        INVALID,
        "image_end",
    ),
    "omni first frame with four elements": (o3(O3_I2V, listed=4), INVALID, "model_params.element_list"),
    "omni eight images": (without_start(image_urls=[IMAGE] * 8), INVALID, "image_urls"),
    "omni eight together": (
        without_start(image_urls=[IMAGE] * 5, model_params=elements(3)),
        INVALID,
        "image_urls",
    ),
    "omni frame and seven images": (o3(O3_I2V, image_urls=[IMAGE] * 7), INVALID, "image_urls"),
    "omni reference in 4k": (o3(O3_REFERENCE, quality="4k"), INVALID, "quality"),
    "omni reference of eleven seconds": (o3(O3_REFERENCE, duration=11), INVALID, "duration"),
    "omni reference with a video and five": (
        o3(O3_REFERENCE, listed=2, image_urls=[IMAGE] * 3, video_url=CLIP),
        INVALID,
        "image_urls",
    ),
    "omni reference with a video and five elements": (
        o3(O3_REFERENCE, listed=5, video_url=CLIP),
        INVALID,
        "model_params.element_list",
    ),
    "omni reference that names a video of none": (o3(O3_REFERENCE, prompt="<<<video_1>>>"), INVALID, "prompt"),
    "omni edit without a video": ({"model": O3_EDIT, "prompt": "x"}, MISSING, "video_url"),
    "omni edit with five images": (o3(O3_EDIT, image_urls=[IMAGE] * 5), INVALID, "image_urls"),
    "omni edit with five together": (o3(O3_EDIT, listed=2, image_urls=[IMAGE] * 3), INVALID, "image_urls"),
    "omni edit with shots": (o3(O3_EDIT, model_params=STORYBOARD), UNKNOWN, "model_params.multi_shot"),
    "o1 without a prompt": ({"model": O1_I2V, "image_urls": [IMAGE]}, MISSING, "prompt"),
    "o1 with a prompt too long": (o1(prompt="x" * 5001), INVALID, "prompt"),
    "o1 of seven seconds": (o1(duration=7), INVALID, "duration"),
    "o1 of a word": (o1(duration="5"), INVALID, "duration"),
    "o1 of true": (o1(duration=True), INVALID, "duration"),
    "o1 without images": (o1(image_urls=[]), INVALID, "image_urls"),
    "o1 with three images": (o1(image_urls=[IMAGE] * 3), INVALID, "image_urls"),
    "o1 with a parameter": (o1(model_params={"seed": 1}), UNKNOWN, "model_params.seed"),
    "o1 edit without a video": ({"model": O1_EDIT, "prompt": "x"}, MISSING, "video_urls"),
    "o1 edit with two videos": (o1(O1_EDIT, video_urls=[CLIP] * 2), INVALID, "video_urls"),
    "o1 edit with five images": (o1(O1_EDIT, image_urls=[IMAGE] * 5), INVALID, "image_urls"),
    "o1 fast with sound as a word": (o1(O1_FAST, keep_original_sound="no"), INVALID, "keep_original_sound"),
    "o1 edit that names an element": (o1(O1_EDIT, prompt="<<<element_1>>>"), INVALID, "prompt"),
}
