"""Creates of motion control, in both generations. The clip is as long as the video that goes in, and billed so."""

from typing import Any

from generations.sandbox.face import Caller
from generations.sandbox.kling.videos import (
    MODES,
    Version,
    callback_url,
    check_element,
    new_order,
    read_elements,
    watermark,
)
from generations.sandbox.orders import Fields, Media, Order
from generations.sandbox.refusals import Refusal

V3 = Version(name="kling-3.0-motion", rates={"video": {"720p": 900, "1080p": 1200}})
V2_6 = Version(name="kling-2.6-motion", rates={"video": {"720p": 500, "1080p": 800}})
LEGACY_MODELS = {"kling-v3": V3, "kling-v2-6": V2_6}
ORIENTATIONS = ("image", "video")
SECONDS_UNSEEN = 5


def read_new(caller: Caller, body: Any, version: Version) -> Order:
    fields = Fields(body)
    given: dict[str, list[str]] = {"prompt": [], "image": [], "video": [], "element": []}
    for content in fields.rows("contents", least=2, most=4):
        kind = content.choice("type", tuple(given), None)
        if kind == "prompt":
            given[kind].append(content.text("text", longest=2500, required=True))
        elif kind == "element":
            given[kind].append(content.text("id", longest=64, required=True))
            check_element(caller, content, content.text("element_id", longest=64, required=True))
        else:
            given[kind].append(content.url("url", required=True))
        content.done()
    if [len(given[kind]) for kind in ("image", "video")] != [1, 1] or max(map(len, given.values())) > 1:
        raise fields.wrong("contents")
    settings, options = fields.inner("settings"), fields.inner("options")
    orientation = settings.choice("character_orientation", ORIENTATIONS, None)
    if given["element"] and (version is not V3 or orientation == "image"):
        raise fields.wrong("contents", "cannot hold an element here")
    order = _order(
        version, options, resolution=settings.choice("resolution", ("720p", "1080p"), "720p"),
        sound=settings.choice("audio", ("original", "off"), "original") == "original",
        text="".join(given["prompt"]), image=given["image"][0], video=given["video"][0],
    )  # fmt: skip
    for part in (settings, options, fields):
        part.done()
    return order


def read_legacy(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    model = fields.text("model_name", longest=64) or "kling-v2-6"
    if model not in LEGACY_MODELS:
        raise Refusal(1203, f"model {model} is not found")
    orientation = fields.choice("character_orientation", ORIENTATIONS, None)
    elements = read_elements(caller, fields, most=1)
    if elements and (LEGACY_MODELS[model] is not V3 or orientation == "image"):
        raise fields.wrong("element_list")
    order = _order(
        LEGACY_MODELS[model], fields, resolution=MODES[fields.choice("mode", ("std", "pro"), None)],
        sound=fields.choice("keep_original_sound", ("yes", "no"), "yes") == "yes",
        text=fields.text("prompt", longest=2500), image=fields.url("image_url", required=True),
        video=fields.url("video_url", required=True),
    )  # fmt: skip
    fields.done()
    return order


def _order(
    version: Version, options: Fields, *, resolution: str, sound: bool, text: str, image: str, video: str
) -> Order:
    return new_order(
        version, "video", seconds=SECONDS_UNSEEN, resolution=resolution, sound=sound, ratio="",
        marked=watermark(options), text=text, callback_url=callback_url(options), follows_video=True,
        media=(Media(url=image, kind="image", part="refer_image"), Media(url=video, kind="video", part="motion")),
    )  # fmt: skip
