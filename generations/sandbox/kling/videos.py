"""Creates of videos: the new generation's body and the legacy one, both to one kind of order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.sandbox.face import Caller
from generations.sandbox.orders import Fields, Media, Order, clip_order
from generations.sandbox.refusals import Refusal

MODES = {"std": "720p", "pro": "1080p", "4k": "4k"}
RATIOS = ("16:9", "9:16", "1:1")
SECONDS = range(3, 16)


@dataclass(frozen=True, kw_only=True)
class Version:
    """One of Kling's models. `rates` are those of the public price table: thousandths of a unit, a second.

    By variant and resolution. The variants are those of sound, `off` and `on`, and `video` for a video that goes in.
    """

    name: str
    rates: Mapping[str, Mapping[str, int]]

    @property
    def resolutions(self) -> tuple[str, ...]:
        return tuple(next(iter(self.rates.values())))


V3 = Version(
    name="kling-3.0",
    rates={
        "off": {"720p": 600, "1080p": 800, "4k": 3000},
        "on": {"720p": 900, "1080p": 1200, "4k": 3000},
    },
)
TURBO = Version(name="kling-3.0-turbo", rates={"on": {"720p": 800, "1080p": 1000}})
LEGACY_MODELS = {"kling-v3": V3}


def read_new_text(caller: Caller, body: Any, version: Version = V3) -> Order:
    fields = Fields(body)
    prompt = fields.text("prompt", longest=3072, required=True)
    return _new_order(version, fields, prompt, media=(), ratio_allowed=True)


def read_new_image(caller: Caller, body: Any, version: Version = V3) -> Order:
    fields = Fields(body)
    prompts, media, names = [], [], set()
    for content in fields.rows("contents", least=1, most=6):
        kind = content.choice("type", ("prompt", "first_frame", "last_frame", "element"), None)
        if kind == "prompt":
            prompts.append(content.text("text", longest=3072, required=True))
        elif kind == "element":
            names.add(content.text("id", longest=64, required=True))
            check_element(caller, content, content.text("element_id", longest=64, required=True))
        else:
            media.append(Media(url=content.url("url", required=True), kind="image", part=kind))
        content.done()
    parts = sorted(reference.part for reference in media)
    if parts not in (["first_frame"], ["first_frame", "last_frame"]) or len(prompts) > 1 or len(names) > 3:
        raise fields.wrong("contents")
    return _new_order(version, fields, "".join(prompts), media=tuple(media), ratio_allowed=False)


def _new_order(
    version: Version, fields: Fields, prompt: str, *, media: tuple[Media, ...], ratio_allowed: bool
) -> Order:
    settings, options = fields.inner("settings"), fields.inner("options")
    settings.flag("multi_shot", default=True)
    sound = "off" not in version.rates or settings.choice("audio", ("native", "off"), "off") == "native"
    resolution = settings.choice("resolution", version.resolutions, "720p")
    ratio = settings.choice("aspect_ratio", RATIOS, "16:9") if ratio_allowed else ""
    order = new_order(
        version, "on" if sound else "off", seconds=new_seconds(settings),
        resolution=resolution, sound=sound, ratio=ratio, marked=watermark(options), text=prompt,
        media=media, callback_url=callback_url(options),
    )  # fmt: skip
    for part in (settings, options, fields):
        part.done()
    return order


def new_seconds(settings: Fields) -> int:
    seconds = settings.given.get("duration", 5)
    settings.read.add("duration")
    if type(seconds) is not int or seconds not in SECONDS:
        raise settings.wrong("duration")
    return seconds


def read_legacy_text(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    ratio = fields.choice("aspect_ratio", RATIOS, "16:9")
    return _legacy_order(fields, ratio=ratio, media=(), prompt_required=True)


def read_legacy_image(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    first, last = fields.url("image"), fields.url("image_tail")
    if not first and not last:
        raise fields.wrong("image", "or image_tail is required")
    read_elements(caller, fields, most=3)
    frames = ((first, "first_frame"), (last, "last_frame"))
    media = tuple(Media(url=url, kind="image", part=part) for url, part in frames if url)
    return _legacy_order(fields, ratio="", media=media, prompt_required=False)


def read_elements(caller: Caller, fields: Fields, *, most: int) -> int:
    """How many elements of the account the legacy list names."""
    rows = fields.rows("element_list", most=most)
    for row in rows:
        row.read.add("element_id")
        element_id = row.given.get("element_id")
        if type(element_id) is not int:
            raise row.wrong("element_id")
        check_element(caller, row, str(element_id))
        row.done()
    return len(rows)


def _legacy_order(fields: Fields, *, ratio: str, media: tuple[Media, ...], prompt_required: bool) -> Order:
    model = fields.text("model_name", longest=64) or "kling-v1"
    if model not in LEGACY_MODELS:
        raise Refusal(1203, f"model {model} is not found")
    seconds = legacy_seconds(fields)
    shots = read_shots(fields, seconds)
    prompt = fields.text("prompt", longest=2500, required=prompt_required and not shots)
    negative = fields.text("negative_prompt", longest=2500)
    sound = fields.choice("sound", ("on", "off"), "off") == "on"
    order = new_order(
        LEGACY_MODELS[model], "on" if sound else "off", seconds=seconds,
        resolution=MODES[fields.choice("mode", tuple(MODES), "std")], sound=sound, ratio=ratio,
        marked=watermark(fields),
        text="\n".join([prompt, negative, *shots]), media=media, callback_url=callback_url(fields),
    )  # fmt: skip
    fields.done()
    return order


def legacy_seconds(fields: Fields) -> int:
    seconds = fields.text("duration", longest=2) or "5"
    if not seconds.isascii() or not seconds.isdigit() or int(seconds) not in SECONDS:
        raise fields.wrong("duration")
    return int(seconds)


def read_shots(fields: Fields, seconds: int) -> list[str]:
    """The prompts of the customer's own shots; their lengths add up to the clip's."""
    multi_shot = fields.flag("multi_shot", default=False)
    shot_type = fields.choice("shot_type", ("customize", "intelligence"), None) if multi_shot else ""
    if shot_type != "customize":
        fields.has("shot_type")
        return []
    prompts, lengths = [], []
    for number, shot in enumerate(fields.rows("multi_prompt", least=1, most=6), start=1):
        prompts.append(shot.text("prompt", longest=512, required=True))
        length = shot.text("duration", longest=2, required=True)
        if shot.given.get("index") != number or not length.isascii() or not length.isdigit() or int(length) < 1:
            raise shot.wrong("duration")
        shot.read.add("index")
        shot.done()
        lengths.append(int(length))
    if sum(lengths) != seconds:
        raise fields.wrong("multi_prompt", "durations must add up to duration")
    return prompts


def new_order(
    version: Version, variant: str, *,
    seconds: int, resolution: str, sound: bool, ratio: str, marked: bool, text: str, media: tuple[Media, ...],
    callback_url: str, follows_video: bool = False,
) -> Order:  # fmt: skip
    return clip_order(
        version.name, version.rates[variant][resolution], seconds=seconds, resolution=resolution, ratio=ratio,
        sound=sound, text=text, callback_url=callback_url, media=media, watermark=marked, follows_video=follows_video,
    )  # fmt: skip


def callback_url(options: Fields) -> str:
    """Read with the reference beside it, which the log has from the face."""
    options.text("external_task_id", longest=128)
    return options.url("callback_url")


def watermark(options: Fields) -> bool:
    info = options.inner("watermark_info")
    enabled = info.flag("enabled", default=False)
    info.done()
    return enabled


def check_element(caller: Caller, fields: Fields, element_id: str) -> None:
    known = element_id.isascii() and element_id.isdigit() and len(element_id) < 19
    sql = "SELECT 1 FROM elements WHERE id = ? AND account = ? AND NOT is_deleted"
    if not known or caller.store.row(sql, int(element_id), caller.account.api_key) is None:
        raise Refusal(1203, f"{fields.place}element_id not found")
