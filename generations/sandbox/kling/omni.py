"""Creates at the omni endpoints: frames, reference images, elements and a video in one request, in both generations."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from generations.sandbox.face import Caller
from generations.sandbox.kling.videos import (
    MODES,
    RATIOS,
    Version,
    callback_url,
    check_element,
    legacy_seconds,
    new_order,
    new_seconds,
    read_elements,
    read_shots,
    watermark,
)
from generations.sandbox.orders import Fields, Media, Order
from generations.sandbox.refusals import Refusal

O3 = Version(
    name="kling-3.0-omni",
    rates={
        "off": {"720p": 600, "1080p": 800, "4k": 3000},
        "on": {"720p": 800, "1080p": 1000, "4k": 3000},
        "video": {"720p": 900, "1080p": 1200, "4k": 3000},
    },
)
O1 = Version(
    name="kling-o1",
    rates={"off": {"720p": 600, "1080p": 800}, "video": {"720p": 900, "1080p": 1200}},
)
LEGACY_MODELS = {"kling-v3-omni": O3, "kling-video-o1": O1}
LONGEST_PROMPT = {"kling-3.0-omni": 3072, "kling-o1": 5000}
IMAGES = ("first_frame", "last_frame", "refer_image")
VIDEOS = ("base_video", "feature_video")
SECONDS_UNSEEN = 5


def read_new(caller: Caller, body: Any, version: Version) -> Order:
    fields = Fields(body)
    prompts, media, names = [], [], set()
    for content in fields.rows("contents", least=1, most=12):
        kind = content.choice("type", ("prompt", "element", *IMAGES, *VIDEOS), None)
        if kind == "prompt":
            prompts.append(content.text("text", longest=LONGEST_PROMPT[version.name], required=True))
        elif kind == "element":
            names.add(content.text("id", longest=64, required=True))
            check_element(caller, content, content.text("element_id", longest=64, required=True))
        else:
            medium = "video" if kind in VIDEOS else "image"
            media.append(Media(url=content.url("url", required=True), kind=medium, part=kind))
        content.done()
    if len(prompts) > 1 or not _fit_together(media, len(names)):
        raise fields.wrong("contents")
    return _new_order(version, fields, "".join(prompts), media)


def _new_order(version: Version, fields: Fields, prompt: str, media: Sequence[Media]) -> Order:
    settings, options = fields.inner("settings"), fields.inner("options")
    parts = {reference.part for reference in media}
    follows = "base_video" in parts
    multi_shot = settings.flag("multi_shot", default=True)
    audio = settings.choice("audio", ("native", "off", "original"), "off")
    if (follows and multi_shot) or ("feature_video" in parts and not multi_shot):
        raise settings.wrong("multi_shot", "does not go with this video")
    if audio not in _sounds(version, parts):
        raise settings.wrong("audio", "does not go with this model or video")
    free_shape = "first_frame" not in parts and not follows
    order = new_order(
        version, "video" if parts & set(VIDEOS) else "on" if audio == "native" else "off",
        seconds=SECONDS_UNSEEN if follows and not settings.has("duration") else new_seconds(settings),
        resolution=settings.choice("resolution", version.resolutions, "720p"), sound=audio != "off",
        ratio=settings.choice("aspect_ratio", RATIOS, None) if free_shape else "", marked=watermark(options),
        text=prompt, media=tuple(media), callback_url=callback_url(options), follows_video=follows,
    )  # fmt: skip
    for part in (settings, options, fields):
        part.done()
    return order


def _sounds(version: Version, parts: set[str]) -> tuple[str, ...]:
    if "feature_video" in parts:
        return ("off",)
    if "base_video" in parts:
        return ("off", "original")
    return ("off", "native") if "on" in version.rates else ("off",)


def _fit_together(media: Sequence[Media], elements: int) -> bool:
    """Kling's matrix of images, elements and a video."""
    count = Counter(reference.part for reference in media)
    images, videos = sum(count[part] for part in IMAGES), sum(count[part] for part in VIDEOS)
    if max(count["first_frame"], count["last_frame"], videos) > 1 or count["last_frame"] > count["first_frame"]:
        return False
    if count["last_frame"] and images > 2:
        return False
    if count["first_frame"] and (elements > 3 or count["base_video"]):
        return False
    return images + elements <= (4 if videos else 7)


def read_legacy(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    model = fields.text("model_name", longest=64) or "kling-video-o1"
    if model not in LEGACY_MODELS:
        raise Refusal(1203, f"model {model} is not found")
    version, media, keeps_sound = LEGACY_MODELS[model], *_legacy_media(fields)
    if not _fit_together(media, read_elements(caller, fields, most=7)):
        raise fields.wrong("image_list", "element_list and video_list do not fit together")
    parts = {reference.part for reference in media}
    follows, with_video = "base_video" in parts, bool(parts & set(VIDEOS))
    sound = fields.choice("sound", ("on", "off"), "off") == "on"
    if sound and (with_video or "on" not in version.rates):
        raise fields.wrong("sound", "on is not supported with video input")
    seconds = legacy_seconds(fields)
    shots = read_shots(fields, seconds)
    prompt = fields.text("prompt", longest=LONGEST_PROMPT[version.name], required=not shots)
    free_shape = "first_frame" not in parts and not follows
    order = new_order(
        version, "video" if with_video else "on" if sound else "off", seconds=SECONDS_UNSEEN if follows else seconds,
        resolution=MODES[fields.choice("mode", tuple(MODES), "pro")], sound=sound or keeps_sound,
        ratio=fields.choice("aspect_ratio", RATIOS, None) if free_shape else "", marked=watermark(fields),
        text="\n".join([prompt, *shots]), media=media, callback_url=callback_url(fields), follows_video=follows,
    )  # fmt: skip
    fields.done()
    return order


def _legacy_media(fields: Fields) -> tuple[tuple[Media, ...], bool]:
    """The images and the video, and whether the video's sound is kept."""
    parts = {"first_frame": "first_frame", "end_frame": "last_frame", "refer_image": "refer_image"}
    media, keeps_sound = [], False
    for row in fields.rows("image_list", most=7):
        part = parts[row.choice("type", tuple(parts), "refer_image")]
        media.append(Media(url=row.url("image_url", required=True), kind="image", part=part))
        row.done()
    for row in fields.rows("video_list", most=1):
        use = row.choice("refer_type", ("base", "feature"), "base")
        media.append(Media(url=row.url("video_url", required=True), kind="video", part=f"{use}_video"))
        keeps_sound = row.choice("keep_original_sound", ("yes", "no"), "yes") == "yes"
        row.done()
    return tuple(media), keeps_sound
