"""Creates: one address, the model in the body, and each model's own `input`. Prices are thousandths of a credit."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from starlette.requests import Request

from generations.sandbox.face import Caller, reference_in
from generations.sandbox.orders import Fields, Media, Order, clip_order
from generations.sandbox.refusals import Refusal

MODES = {"std": "720p", "pro": "1080p", "4K": "4k"}
RATIOS = ("16:9", "9:16", "1:1")
LENGTHS = tuple(str(seconds) for seconds in range(3, 16))
SHOT_LENGTHS = range(1, 13)
SECONDS_UNSEEN = 5
LONGEST_PROMPT, LONGEST_SHOT = 2500, 500
NAME = re.compile(r"@(\w+)")

# A second, by resolution: without and with sound.
VIDEO_RATES = {"720p": (14_000, 20_000), "1080p": (18_000, 27_000), "4k": (67_000, 67_000)}
TURBO_RATES = {"720p": 18_000, "1080p": 22_500}
MOTION_RATES = {"720p": 12_000, "1080p": 21_000}

Input = Callable[[Fields, str, str], Order]


def reference(request: Request, body: Any) -> str:
    """Ours stands in the callback address, for kie.ai has no field for it."""
    url = body.get("callBackUrl") if isinstance(body, dict) else None
    return reference_in(url) if isinstance(url, str) else ""


def read(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    model, callback_url = fields.text("model", longest=100, required=True), fields.url("callBackUrl")
    if model not in MODELS:
        raise Refusal("unknown", "The model name you specified is not supported")
    given = fields.inner("input")
    order = MODELS[model](given, model, callback_url)
    given.done()
    fields.done()
    order.plan["param"] = json.dumps({"model": model, "callBackUrl": callback_url, "input": dict(given.given)})
    return order


def _video(given: Fields, model: str, callback_url: str) -> Order:
    several = given.flag("multi_shots", default=False)
    seconds = int(given.choice("duration", LENGTHS, "5"))
    frames = _urls(given, "image_urls", most=1 if several else 2)
    texts = _shots(given, seconds) if several else []
    prompt = given.text("prompt", longest=LONGEST_PROMPT, required=not texts and not frames)
    elements = _elements(given, " ".join([prompt, *texts]))
    sound = given.flag("sound", default=several)
    resolution = MODES[given.choice("mode", tuple(MODES), "std")]
    ratio = given.choice("aspect_ratio", RATIOS, "16:9")
    parts = zip(frames, ("first_frame", "last_frame"), strict=False)
    return clip_order(
        model, VIDEO_RATES[resolution][sound], seconds=seconds, resolution=resolution, ratio="" if frames else ratio,
        sound=sound, text="\n".join([prompt, *texts]), callback_url=callback_url,
        media=(*(Media(url=url, kind="image", part=part) for url, part in parts), *elements),
    )  # fmt: skip


def _shots(given: Fields, seconds: int) -> list[str]:
    """The prompts of the customer's own shots, whose lengths add up; none where the model plans them itself."""
    texts, lengths = [], []
    for shot in given.rows("multi_prompt", most=5):
        texts.append(shot.text("prompt", longest=LONGEST_SHOT, required=True))
        length = shot.given.get("duration")
        if not shot.has("duration") or type(length) is not int or length not in SHOT_LENGTHS:
            raise shot.wrong("duration")
        shot.done()
        lengths.append(length)
    if lengths and sum(lengths) != seconds:
        raise given.wrong("multi_prompt", "durations must add up to duration")
    return texts


def _elements(given: Fields, prompts: str) -> list[Media]:
    """The files of the elements; a prompt may name no other."""
    names, media = set(), []
    for element in given.rows("kling_elements", most=3):
        names.add(element.text("name", longest=48, required=True))
        element.text("description", longest=100, required=True)
        images = _urls(element, "element_input_urls", most=4)
        videos = _urls(element, "element_input_video_urls", most=1)
        if bool(images) == bool(videos) or len(images) == 1:
            raise element.wrong("element_input_urls", "must be 2 to 4 images, or there must be one video")
        element.done()
        media += [Media(url=url, kind="image", part="element") for url in images]
        media += [Media(url=url, kind="video", part="element") for url in videos]
    if unknown := set(NAME.findall(prompts)) - names:
        raise given.wrong("kling_elements", f"has no {min(unknown)}")
    return media


def _turbo(given: Fields, model: str, callback_url: str, *, from_image: bool) -> Order:
    images = _urls(given, "image_urls", most=1, least=1) if from_image else []
    ratio = "" if from_image else given.choice("aspect_ratio", RATIOS, "16:9")
    resolution = given.choice("resolution", tuple(TURBO_RATES), "720p")
    return clip_order(
        model, TURBO_RATES[resolution], seconds=int(given.choice("duration", LENGTHS, "5")), resolution=resolution,
        ratio=ratio, sound=True, text=given.text("prompt", longest=LONGEST_PROMPT, required=True),
        callback_url=callback_url, media=tuple(Media(url=url, kind="image", part="first_frame") for url in images),
    )  # fmt: skip


def _motion(given: Fields, model: str, callback_url: str) -> Order:
    """As long as the video that goes in, and billed so."""
    (image,) = _urls(given, "input_urls", most=1, least=1)
    (video,) = _urls(given, "video_urls", most=1, least=1)
    given.choice("character_orientation", ("image", "video"), "video")
    given.choice("background_source", ("input_image", "input_video"), "input_video")
    resolution = given.choice("mode", tuple(MOTION_RATES), "720p")
    return clip_order(
        model, MOTION_RATES[resolution], seconds=SECONDS_UNSEEN, resolution=resolution, ratio="", sound=True,
        text=given.text("prompt", longest=LONGEST_PROMPT), callback_url=callback_url, follows_video=True,
        media=(Media(url=image, kind="image", part="refer_image"), Media(url=video, kind="video", part="motion")),
    )  # fmt: skip


def _urls(fields: Fields, name: str, *, most: int, least: int = 0) -> list[str]:
    found = fields.given[name] if fields.has(name) else []
    addresses = ("http://", "https://")
    if not isinstance(found, list) or not least <= len(found) <= most:
        raise fields.wrong(name, f"supports {least} to {most} files")
    if not all(isinstance(url, str) and url.startswith(addresses) for url in found):
        raise fields.wrong(name)
    return found


MODELS: Mapping[str, Input] = {
    "kling-3.0/video": _video,
    "kling-3.0/motion-control": _motion,
    "kling/v3-turbo-text-to-video": partial(_turbo, from_image=False),
    "kling/v3-turbo-image-to-video": partial(_turbo, from_image=True),
}
