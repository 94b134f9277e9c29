"""Requests that must be accepted and requests that must be refused, by name: for the parser and for the schema."""

from typing import Any

from generations.catalog import SPECS

T2V, I2V, ELEMENT = "kling-v3-text-to-video", "kling-v3-image-to-video", "kling-custom-element"
IMAGE = "https://example.com/first.png"


def text_to_video(**fields: Any) -> dict[str, Any]:
    return {"model": T2V, "prompt": "A fox in the snow"} | fields


def image_to_video(**fields: Any) -> dict[str, Any]:
    return {"model": I2V, "image_start": IMAGE} | fields


def params(**fields: Any) -> dict[str, Any]:
    return {"model_params": fields}


def shot(index: Any = 1, prompt: Any = "One", duration: Any = 5) -> dict[str, Any]:
    return {"index": index, "prompt": prompt, "duration": duration}


def own_shots(*shots: Any, **fields: Any) -> dict[str, Any]:
    return params(multi_shot=True, shot_type="customize", multi_prompt=list(shots), **fields)


def elements(*ids: Any) -> list[dict[str, Any]]:
    return [{"element_id": element_id} for element_id in ids]


def element(**fields: Any) -> dict[str, Any]:
    given = {"element_name": "Mia", "element_description": "A sailor"} | fields
    return {"model": ELEMENT, "model_params": {name: value for name, value in given.items() if value is not ...}}


def image_element(**fields: Any) -> dict[str, Any]:
    return element(**{"reference_type": "image_refer", "element_image_list": {"frontal_image": IMAGE}} | fields)


def video_element(**fields: Any) -> dict[str, Any]:
    return element(
        **{"reference_type": "video_refer", "element_video_list": {"video_url": "http://example.com/a.mov"}} | fields
    )


PLANNED = params(multi_shot=True, shot_type="intelligence")
EXAMPLES = {f"example {spec.id} {example.name}": example.body for spec in SPECS for example in spec.examples}

GOOD: dict[str, dict[str, Any]] = EXAMPLES | {
    "root fields of other models of any type": text_to_video(
        image_start=7, element_list="x", cfg_scale=[], nonsense=None
    ),
    "an aspect ratio that image to video does not use": image_to_video(aspect_ratio=42),
    "root fields that elements do not use": image_element() | {"prompt": 1, "duration": "x", "quality": None},
    "the longest prompt": text_to_video(prompt="é" * 2500, negative_prompt="n" * 2500),
    "an empty negative prompt": text_to_video(negative_prompt=""),
    "one second": text_to_video(duration=1),
    "two seconds": text_to_video(duration=2),
    "a whole float": text_to_video(duration=5.0),
    "fifteen seconds": text_to_video(duration=15),
    "capital quality": text_to_video(quality="4K"),
    "sound true": text_to_video(sound=True),
    "sound off": text_to_video(sound="off"),
    "empty model_params": text_to_video(model_params={}),
    "a watermark": text_to_video(**params(watermark_info={"enabled": True})),
    "an empty watermark_info": text_to_video(**params(watermark_info={})),
    "multi_shot false": text_to_video(**params(multi_shot=False)),
    "own shots without a prompt": {"model": T2V} | own_shots(shot()),
    "own shots with a useless prompt": text_to_video(prompt="") | own_shots(shot()),
    "own shots with a prompt of a wrong type": text_to_video(prompt=["x"]) | own_shots(shot()),
    "own shots with a prompt that is too long": text_to_video(prompt="x" * 2501) | own_shots(shot()),
    "six shots in any order": text_to_video(duration=6)
    | own_shots(*(shot(index, "x", "1") for index in (6, 1, 2, 3, 5, 4))),
    "the longest shot prompt": text_to_video(duration=15) | own_shots(shot(prompt="x" * 512, duration="15")),
    "planned shots": text_to_video(duration=2) | PLANNED,
    "image without a prompt": image_to_video(),
    "image with an empty prompt": image_to_video(prompt=""),
    "first and last frame": image_to_video(image_end="HTTP://EXAMPLE.COM/last"),
    "image with planned shots": image_to_video(prompt="A story") | PLANNED,
    "three elements, all named": image_to_video(
        prompt="<<<element_3>>> and <<<element_1>>> meet <<<element_2>>>",
        **params(element_list=elements("1", "2", "3")),
    ),
    "elements at the root": image_to_video(prompt="<<<element_1>>>", element_list=elements("1")),
    "no elements": image_to_video(element_list=[]),
    "an element in own shots": image_to_video() | own_shots(shot(prompt="<<<element_1>>>"), element_list=elements("1")),
    "the longest address": image_to_video(image_start="https://example.com/" + "a" * 2028),
    "an element from one image": image_element(),
    "an element without other angles": image_element(
        element_image_list={"frontal_image": IMAGE, "refer_images": []},
    ),
    "an element from four images": image_element(
        element_image_list={"frontal_image": IMAGE, "refer_images": [{"image_url": IMAGE}] * 3},
    ),
    "an element from a video": video_element(),
    "an element from refer_videos": video_element(element_video_list={"refer_videos": [{"video_url": IMAGE}]}),
    "an element with a voice": video_element(element_voice_id="829826751244537879"),
    "the longest element texts": image_element(element_name="名" * 20, element_description="d" * 100),
    "a name that is short after trimming": image_element(element_name="  " + "n" * 20 + "\n"),
    "a name that is short after NFC": image_element(element_name="e\u0301" * 20),
    "a quote": text_to_video(quote_id="quote_01jm3x7c9dqk4v2e8r5t6w0yza"),
    "a callback": text_to_video(callback_url="https://example.com/" + "c" * 2028),
    "metadata": text_to_video(metadata={"k" * 40: "v" * 500, "empty": ""} | {str(number): "x" for number in range(14)}),
}

INVALID, MISSING, UNKNOWN = "invalid_parameter", "missing_parameter", "unknown_model_parameter"
SHOTS = "model_params.multi_prompt"
IMAGES, VIDEO = "model_params.element_image_list", "model_params.element_video_list"

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no prompt": ({"model": T2V}, MISSING, "prompt"),
    "empty prompt": (text_to_video(prompt=""), INVALID, "prompt"),
    "blank prompt": (text_to_video(prompt=" \n"), INVALID, "prompt"),
    "null prompt": (text_to_video(prompt=None), INVALID, "prompt"),
    "prompt as a list": (text_to_video(prompt=["x"]), INVALID, "prompt"),
    "prompt too long": (text_to_video(prompt="x" * 2501), INVALID, "prompt"),
    "prompt with a null character": (text_to_video(prompt="a\x00b"), INVALID, "prompt"),
    "prompt with half a surrogate pair": (text_to_video(prompt="a\ud800"), INVALID, "prompt"),
    "prompt that names an element of none": (text_to_video(prompt="<<<element_1>>>"), INVALID, "prompt"),
    "negative prompt too long": (text_to_video(negative_prompt="x" * 2501), INVALID, "negative_prompt"),
    "negative prompt as a number": (text_to_video(negative_prompt=1), INVALID, "negative_prompt"),
    "no seconds": (text_to_video(duration=0), INVALID, "duration"),
    "negative seconds": (text_to_video(duration=-5), INVALID, "duration"),
    "sixteen seconds": (text_to_video(duration=16), INVALID, "duration"),
    "a fraction of a second": (text_to_video(duration=5.5), INVALID, "duration"),
    "seconds as a string": (text_to_video(duration="5"), INVALID, "duration"),
    "seconds as a boolean": (text_to_video(duration=True), INVALID, "duration"),
    "null seconds": (text_to_video(duration=None), INVALID, "duration"),
    "very many seconds": (text_to_video(duration=10**400), INVALID, "duration"),
    "a huge float of seconds": (text_to_video(duration=1e308), INVALID, "duration"),
    "unknown aspect ratio": (text_to_video(aspect_ratio="4:3"), INVALID, "aspect_ratio"),
    "unknown quality": (text_to_video(quality="480p"), INVALID, "quality"),
    "quality with a Kelvin sign": (text_to_video(quality="4\u212a"), INVALID, "quality"),
    "quality as a number": (text_to_video(quality=720), INVALID, "quality"),
    "sound as a number": (text_to_video(sound=1), INVALID, "sound"),
    "sound as another word": (text_to_video(sound="yes"), INVALID, "sound"),
    "model_params as a list": (text_to_video(model_params=[]), INVALID, "model_params"),
    "model_params null": (text_to_video(model_params=None), INVALID, "model_params"),
    "unknown model parameter": (text_to_video(**params(cfg_scale=1)), UNKNOWN, "model_params.cfg_scale"),
    "elements for text to video": (
        text_to_video(**params(element_list=elements("1"))),
        UNKNOWN,
        "model_params.element_list",
    ),
    "multi_shot as a string": (text_to_video(**params(multi_shot="true")), INVALID, "model_params.multi_shot"),
    "multi_shot without a type": (text_to_video(**params(multi_shot=True)), MISSING, "model_params.shot_type"),
    "unknown shot type": (
        text_to_video(**params(multi_shot=True, shot_type="intelligent")),
        INVALID,
        "model_params.shot_type",
    ),
    "a shot type without multi_shot": (
        text_to_video(**params(shot_type="intelligence")),
        INVALID,
        "model_params.shot_type",
    ),
    "own shots without multi_shot": (text_to_video(**params(multi_prompt=[shot()])), INVALID, SHOTS),
    "own shots with intelligence": (
        text_to_video(**params(multi_shot=True, shot_type="intelligence", multi_prompt=[shot()])),
        INVALID,
        SHOTS,
    ),
    "customize without shots": (text_to_video(**params(multi_shot=True, shot_type="customize")), MISSING, SHOTS),
    "planned shots without a prompt": ({"model": T2V} | PLANNED, MISSING, "prompt"),
    "no shots": (text_to_video() | own_shots(), INVALID, SHOTS),
    "seven shots": (
        text_to_video(duration=7) | own_shots(*(shot(index, "x", 1) for index in range(1, 8))),
        INVALID,
        SHOTS,
    ),
    "a shot that is no object": (text_to_video() | own_shots("x"), INVALID, f"{SHOTS}[0]"),
    "a shot without an index": (
        text_to_video() | own_shots({"prompt": "x", "duration": 5}),
        MISSING,
        f"{SHOTS}[0].index",
    ),
    "a shot without a prompt": (
        text_to_video() | own_shots({"index": 1, "duration": 5}),
        MISSING,
        f"{SHOTS}[0].prompt",
    ),
    "a shot without a duration": (
        text_to_video() | own_shots({"index": 1, "prompt": "x"}),
        MISSING,
        f"{SHOTS}[0].duration",
    ),
    "a shot with an unknown field": (text_to_video() | own_shots(shot() | {"seed": 1}), UNKNOWN, f"{SHOTS}[0].seed"),
    "a shot from index 0": (text_to_video() | own_shots(shot(0)), INVALID, f"{SHOTS}[0].index"),
    "a shot index as a string": (text_to_video() | own_shots(shot("1")), INVALID, f"{SHOTS}[0].index"),
    "a shot index twice": (text_to_video() | own_shots(shot(1, "x", 2), shot(1, "y", 3)), INVALID, f"{SHOTS}[1].index"),
    "a gap in the shot indexes": (
        text_to_video() | own_shots(shot(1, "x", 2), shot(3, "y", 3)),
        INVALID,
        f"{SHOTS}[1].index",
    ),
    "an empty shot prompt": (text_to_video() | own_shots(shot(prompt="")), INVALID, f"{SHOTS}[0].prompt"),
    "a shot prompt too long": (
        text_to_video() | own_shots(shot(1, "x", 2), shot(2, "x" * 513, 3)),
        INVALID,
        f"{SHOTS}[1].prompt",
    ),
    "a shot of no seconds": (text_to_video() | own_shots(shot(duration=0)), INVALID, f"{SHOTS}[0].duration"),
    "a shot of half a second": (text_to_video() | own_shots(shot(duration="0.5")), INVALID, f"{SHOTS}[0].duration"),
    "a shot of many seconds": (text_to_video() | own_shots(shot(duration="99")), INVALID, f"{SHOTS}[0].duration"),
    "shots shorter than the video": (text_to_video() | own_shots(shot(duration="4")), INVALID, SHOTS),
    "shots longer than the video": (
        text_to_video(duration=6) | own_shots(shot(1, "x", 3), shot(2, "y", "4")),
        INVALID,
        SHOTS,
    ),
    "own shots of two seconds": (text_to_video(duration=2) | own_shots(shot(duration=2)), INVALID, "duration"),
    "a shot that names an element of none": (
        text_to_video() | own_shots(shot(prompt="<<<element_1>>>")),
        INVALID,
        f"{SHOTS}[0].prompt",
    ),
    "watermark as a boolean": (text_to_video(**params(watermark_info=True)), INVALID, "model_params.watermark_info"),
    "watermark as a word": (
        text_to_video(**params(watermark_info={"enabled": "on"})),
        INVALID,
        "model_params.watermark_info.enabled",
    ),
    "watermark with an unknown field": (
        text_to_video(**params(watermark_info={"text": "x"})),
        UNKNOWN,
        "model_params.watermark_info.text",
    ),
    "no first frame": ({"model": I2V, "prompt": "x"}, MISSING, "image_start"),
    "only a last frame": ({"model": I2V, "image_end": IMAGE}, MISSING, "image_start"),
    "an image as base64": (image_to_video(image_start="data:image/png;base64,AAAA"), INVALID, "image_start"),
    "an image over ftp": (image_to_video(image_start="ftp://example.com/a.png"), INVALID, "image_start"),
    "an image address without a host": (image_to_video(image_start="https:///a.png"), INVALID, "image_start"),
    "an image address with a blank": (image_to_video(image_end="https://example.com/a b"), INVALID, "image_end"),
    "an image address too long": (
        image_to_video(image_start="https://example.com/" + "a" * 2029),
        INVALID,
        "image_start",
    ),
    "images as a list": (image_to_video(image_start=[IMAGE]), INVALID, "image_start"),
    "image with planned shots and no prompt": (image_to_video() | PLANNED, MISSING, "prompt"),
    "four elements": (
        image_to_video(**params(element_list=elements("1", "2", "3", "4"))),
        INVALID,
        "model_params.element_list",
    ),
    "an element id as a number": (
        image_to_video(**params(element_list=elements("1", 2))),
        INVALID,
        "model_params.element_list[1].element_id",
    ),
    "an element without an id": (image_to_video(element_list=[{}]), MISSING, "element_list[0].element_id"),
    "elements in both places": (
        image_to_video(element_list=elements("1"), **params(element_list=elements("1"))),
        INVALID,
        "element_list",
    ),
    "a prompt that names a missing element": (
        image_to_video(prompt="<<<element_2>>>", element_list=elements("1")),
        INVALID,
        "prompt",
    ),
    "a prompt that names element 0": (
        image_to_video(prompt="<<<element_0>>>", element_list=elements("1")),
        INVALID,
        "prompt",
    ),
    "a shot that names a missing element": (
        image_to_video() | own_shots(shot(prompt="<<<element_2>>>"), element_list=elements("1")),
        INVALID,
        f"{SHOTS}[0].prompt",
    ),
    "an element of nothing": ({"model": ELEMENT}, MISSING, "model_params.element_name"),
    "no element name": (image_element(element_name=...), MISSING, "model_params.element_name"),
    "a blank element name": (image_element(element_name="  "), INVALID, "model_params.element_name"),
    "an element name too long": (image_element(element_name="n" * 21), INVALID, "model_params.element_name"),
    "no element description": (image_element(element_description=...), MISSING, "model_params.element_description"),
    "an element description too long": (
        image_element(element_description="d" * 101),
        INVALID,
        "model_params.element_description",
    ),
    "no reference type": (image_element(reference_type=...), MISSING, "model_params.reference_type"),
    "an unknown reference type": (image_element(reference_type="audio_refer"), INVALID, "model_params.reference_type"),
    "no images": (image_element(element_image_list=...), MISSING, IMAGES),
    "no frontal image": (image_element(element_image_list={"refer_images": []}), MISSING, f"{IMAGES}.frontal_image"),
    "four other angles": (
        image_element(element_image_list={"frontal_image": IMAGE, "refer_images": [{"image_url": IMAGE}] * 4}),
        INVALID,
        f"{IMAGES}.refer_images",
    ),
    "an angle without an address": (
        image_element(element_image_list={"frontal_image": IMAGE, "refer_images": [{"image_url": IMAGE}, {}]}),
        MISSING,
        f"{IMAGES}.refer_images[1].image_url",
    ),
    "an angle as a bare string": (
        image_element(element_image_list={"frontal_image": IMAGE, "refer_images": [IMAGE]}),
        INVALID,
        f"{IMAGES}.refer_images[0]",
    ),
    "a video for an image element": (image_element(element_video_list={"video_url": IMAGE}), INVALID, VIDEO),
    "a voice for an image element": (image_element(element_voice_id="1"), INVALID, "model_params.element_voice_id"),
    "no video": (video_element(element_video_list=...), MISSING, VIDEO),
    "an empty video list": (video_element(element_video_list={}), MISSING, f"{VIDEO}.video_url"),
    "images for a video element": (video_element(element_image_list={"frontal_image": IMAGE}), INVALID, IMAGES),
    "two videos": (
        video_element(element_video_list={"refer_videos": [{"video_url": IMAGE}] * 2}),
        INVALID,
        f"{VIDEO}.refer_videos",
    ),
    "a video in both spellings": (
        video_element(element_video_list={"video_url": IMAGE, "refer_videos": [{"video_url": IMAGE}]}),
        INVALID,
        f"{VIDEO}.refer_videos",
    ),
    "a voice as a number": (video_element(element_voice_id=1), INVALID, "model_params.element_voice_id"),
    "an unknown element parameter": (image_element(tag_list=[]), UNKNOWN, "model_params.tag_list"),
    "a quote as a number": (text_to_video(quote_id=1), INVALID, "quote_id"),
    "a quote without an id": (text_to_video(quote_id=""), INVALID, "quote_id"),
    "a quote of nothing": (text_to_video(quote_id=None), INVALID, "quote_id"),
    "a quote too long": (text_to_video(quote_id="q" * 65), INVALID, "quote_id"),
    "a callback as a number": (text_to_video(callback_url=1), INVALID, "callback_url"),
    "a callback too long": (text_to_video(callback_url="https://example.com/" + "c" * 2029), INVALID, "callback_url"),
    "metadata as a list": (text_to_video(metadata=[]), INVALID, "metadata"),
    "metadata with 17 pairs": (text_to_video(metadata={str(number): "x" for number in range(17)}), INVALID, "metadata"),
    "metadata with a long key": (text_to_video(metadata={"k" * 41: "x"}), INVALID, "metadata"),
    "metadata with an empty key": (text_to_video(metadata={"": "x"}), INVALID, "metadata"),
    "metadata with a long value": (text_to_video(metadata={"k": "x" * 501}), INVALID, "metadata.k"),
    "metadata with a number": (text_to_video(metadata={"k": 1}), INVALID, "metadata.k"),
}
