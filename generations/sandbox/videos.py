"""Creates of videos: the new generation's body and the legacy one, both to one kind of order."""

from typing import Any

from generations.sandbox.orders import Fields, Media, Order, watermark
from generations.sandbox.store import Account, Store
from generations.sandbox.wire import Refusal

RESOLUTIONS = ("720p", "1080p", "4k")
MODES = {"std": "720p", "pro": "1080p", "4k": "4k"}
RATIOS = ("16:9", "9:16", "1:1")
SECONDS = range(3, 16)

# Thousandths of a unit a second, by sound: the public price table.
MILLIUNITS_PER_SECOND = {
    False: {"720p": 600, "1080p": 800, "4k": 3000},
    True: {"720p": 900, "1080p": 1200, "4k": 3000},
}
LEGACY_MODELS = {"kling-v3": "kling-3.0"}


def read_new_text(store: Store, account: Account, body: Any) -> Order:
    fields = Fields(body)
    prompt = fields.text("prompt", longest=3072, required=True)
    return _new_order(fields, prompt, media=(), ratio_allowed=True)


def read_new_image(store: Store, account: Account, body: Any) -> Order:
    fields = Fields(body)
    prompts, media, names = [], [], set()
    for content in fields.rows("contents", least=1, most=6):
        kind = content.choice("type", ("prompt", "first_frame", "last_frame", "element"), None)
        if kind == "prompt":
            prompts.append(content.text("text", longest=3072, required=True))
        elif kind == "element":
            names.add(content.text("id", longest=64, required=True))
            _check_element(store, account, content, content.text("element_id", longest=64, required=True))
        else:
            media.append(Media(url=content.url("url", required=True), kind="image", part=kind))
        content.done()
    parts = sorted(reference.part for reference in media)
    if parts not in (["first_frame"], ["first_frame", "last_frame"]) or len(prompts) > 1 or len(names) > 3:
        raise fields.wrong("contents")
    return _new_order(fields, "".join(prompts), media=tuple(media), ratio_allowed=False)


def _new_order(fields: Fields, prompt: str, *, media: tuple[Media, ...], ratio_allowed: bool) -> Order:
    settings, options = fields.inner("settings"), fields.inner("options")
    settings.flag("multi_shot", default=True)
    sound = settings.choice("audio", ("native", "off"), "off") == "native"
    resolution = settings.choice("resolution", RESOLUTIONS, "720p")
    ratio = settings.choice("aspect_ratio", RATIOS, "16:9") if ratio_allowed else ""
    seconds = settings.given.get("duration", 5)
    settings.read.add("duration")
    if type(seconds) is not int or seconds not in SECONDS:
        raise settings.wrong("duration")
    order = _order(
        seconds=seconds, resolution=resolution, sound=sound, ratio=ratio, marked=watermark(options), text=prompt,
        media=media, callback_url=options.url("callback_url"),
        external_id=options.text("external_task_id", longest=128),
    )  # fmt: skip
    for part in (settings, options, fields):
        part.done()
    return order


def read_legacy_text(store: Store, account: Account, body: Any) -> Order:
    fields = Fields(body)
    ratio = fields.choice("aspect_ratio", RATIOS, "16:9")
    return _legacy_order(fields, ratio=ratio, media=(), prompt_required=True)


def read_legacy_image(store: Store, account: Account, body: Any) -> Order:
    fields = Fields(body)
    first, last = fields.url("image"), fields.url("image_tail")
    if not first and not last:
        raise fields.wrong("image", "or image_tail is required")
    for row in fields.rows("element_list", most=3):
        row.read.add("element_id")
        element_id = row.given.get("element_id")
        if type(element_id) is not int:
            raise row.wrong("element_id")
        _check_element(store, account, row, str(element_id))
        row.done()
    frames = ((first, "first_frame"), (last, "last_frame"))
    media = tuple(Media(url=url, kind="image", part=part) for url, part in frames if url)
    return _legacy_order(fields, ratio="", media=media, prompt_required=False)


def _legacy_order(fields: Fields, *, ratio: str, media: tuple[Media, ...], prompt_required: bool) -> Order:
    model = fields.text("model_name", longest=64) or "kling-v1"
    if model not in LEGACY_MODELS:
        raise Refusal(1203, f"model {model} is not found")
    seconds = fields.text("duration", longest=2) or "5"
    if not seconds.isascii() or not seconds.isdigit() or int(seconds) not in SECONDS:
        raise fields.wrong("duration")
    shots = _shots(fields, int(seconds))
    prompt = fields.text("prompt", longest=2500, required=prompt_required and not shots)
    negative = fields.text("negative_prompt", longest=2500)
    order = _order(
        seconds=int(seconds), resolution=MODES[fields.choice("mode", tuple(MODES), "std")],
        sound=fields.choice("sound", ("on", "off"), "off") == "on", ratio=ratio, marked=watermark(fields),
        text="\n".join([prompt, negative, *shots]), media=media, callback_url=fields.url("callback_url"),
        external_id=fields.text("external_task_id", longest=128),
    )  # fmt: skip
    fields.done()
    return order


def _shots(fields: Fields, seconds: int) -> list[str]:
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


def _order(
    *, seconds: int, resolution: str, sound: bool, ratio: str, marked: bool, text: str, media: tuple[Media, ...],
    callback_url: str, external_id: str,
) -> Order:  # fmt: skip
    return Order(
        kind="video",
        model="kling-3.0",
        external_id=external_id,
        callback_url=callback_url,
        text=text,
        media=media,
        milliunits=seconds * MILLIUNITS_PER_SECOND[sound][resolution],
        plan={"seconds": seconds, "resolution": resolution, "ratio": ratio, "sound": sound, "watermark": marked},
    )


def _check_element(store: Store, account: Account, fields: Fields, element_id: str) -> None:
    known = element_id.isascii() and element_id.isdigit() and len(element_id) < 19
    sql = "SELECT 1 FROM elements WHERE id = ? AND account = ? AND NOT is_deleted"
    if not known or store.row(sql, int(element_id), account.api_key) is None:
        raise Refusal(1203, f"{fields.place}element_id not found")
