"""Creates: one reader for all endpoints, which takes the fields that the endpoint has and refuses the rest."""

from typing import Any

from generations.sandbox.face import Caller
from generations.sandbox.fal.endpoints import Endpoint
from generations.sandbox.orders import Fields, Media, Order, clip_order
from generations.sandbox.refusals import Refusal

RESOLUTIONS = {"standard": "720p", "pro": "1080p", "4k": "4k"}
ONE_TIER = "pro"
SECONDS_UNSEEN = 5
LONGEST_PROMPT, LONGEST_SHOT = 2500, 512
MOST_SHOTS, MOST_IMAGES, MOST_WITH_VIDEO, MOST_ANGLES = 6, 7, 4, 3
FILLED_IN = {"cfg_scale": 0.5}
"""What the list of ended requests shows beside what was sent."""


def read(caller: Caller, body: Any, *, endpoint: Endpoint) -> Order:
    fields = Fields(body)
    tier = caller.request.path_params.get("tier", ONE_TIER)
    if tier not in endpoint.rates:
        raise Refusal("unknown")
    seconds = _seconds(fields, endpoint)
    text = _text(fields, endpoint, seconds)
    media = _media(fields, endpoint)
    sound = fields.flag(endpoint.sound, default=endpoint.has_sound) if endpoint.sound else False
    ratio = fields.choice("aspect_ratio", endpoint.ratios, endpoint.ratios[0]) if endpoint.ratios else ""
    if endpoint.video == "motion":
        _check_orientation(fields)
    fields.done()
    variant = "video" if endpoint.video else "on" if sound else "off"
    return clip_order(
        f"{endpoint.name}-{tier}", endpoint.rates[tier][variant], seconds=seconds, resolution=RESOLUTIONS[tier],
        ratio="" if ratio == "auto" else ratio, sound=sound, text=text, media=media,
        callback_url=caller.request.query_params.get("fal_webhook", ""), follows_video=endpoint.follows,
        input=FILLED_IN | dict(body),
    )  # fmt: skip


def _seconds(fields: Fields, endpoint: Endpoint) -> int:
    """Text, as everywhere at fal; a clip that follows a video has no such field."""
    if endpoint.follows:
        return SECONDS_UNSEEN
    return int(fields.choice("duration", tuple(map(str, range(3, endpoint.longest_seconds + 1))), "5"))


def _text(fields: Fields, endpoint: Endpoint, seconds: int) -> str:
    """The prompt or the shots, never both, and what not to show."""
    shots = _shots(fields, seconds) if endpoint.shots else []
    if shots and fields.has("prompt"):
        raise fields.wrong("prompt", "cannot be used together with multi_prompt")
    if shots and not endpoint.end_with_shots and fields.has(endpoint.end):
        raise fields.wrong(endpoint.end, "cannot be used together with multi_prompt")
    prompt = fields.text("prompt", longest=LONGEST_PROMPT, required=endpoint.prompt_required and not shots)
    negative = fields.text("negative_prompt", longest=LONGEST_PROMPT) if endpoint.negative_prompt else ""
    return "\n".join([prompt, *shots, negative])


def _shots(fields: Fields, seconds: int) -> list[str]:
    fields.choice("shot_type", ("customize", "intelligent"), "customize")
    prompts, length = [], 0
    for shot in fields.rows("multi_prompt", most=MOST_SHOTS):
        prompts.append(shot.text("prompt", longest=LONGEST_SHOT, required=True))
        length += int(shot.choice("duration", tuple(map(str, range(1, 16))), "5"))
        shot.done()
    if prompts and length != seconds:
        raise fields.wrong("multi_prompt", "does not add up to duration")
    return prompts


def _media(fields: Fields, endpoint: Endpoint) -> tuple[Media, ...]:
    """The video first: its length counts."""
    found = []
    if endpoint.video:
        found.append(Media(url=fields.url("video_url", required=True), kind="video", part=endpoint.video))
    frames = ((endpoint.start, "first_frame", endpoint.start_required), (endpoint.end, "last_frame", False))
    for name, part, required in frames:
        if name and (url := fields.url(name, required=required)):
            found.append(Media(url=url, kind="image", part=part))
    if endpoint.images == "image_url":
        found.append(Media(url=fields.url("image_url", required=True), kind="image", part="refer_image"))
    images = _urls(fields, "image_urls", most=MOST_IMAGES) if endpoint.images == "image_urls" else []
    found += [Media(url=url, kind="image", part="refer_image") for url in images]
    elements = _elements(fields, endpoint) if endpoint.elements else []
    most = MOST_WITH_VIDEO if endpoint.video else MOST_IMAGES
    if len(images) + len(elements) > most:
        raise fields.wrong("image_urls", f"and elements may be at most {most} together")
    return (*found, *(medium for element in elements for medium in element))


def _elements(fields: Fields, endpoint: Endpoint) -> list[list[Media]]:
    """The media of each: images, or one video where the endpoint takes it; of those at most one."""
    found = [_element(row, endpoint) for row in fields.rows("elements", most=endpoint.most_elements)]
    if sum(medium.kind == "video" for element in found for medium in element) > 1:
        raise fields.wrong("elements", "may hold one element with a video only")
    return found


def _element(row: Fields, endpoint: Endpoint) -> list[Media]:
    video = row.url("video_url") if endpoint.elements == "any" else ""
    frontal = row.url("frontal_image_url", required=not video)
    angles = _urls(row, "reference_image_urls", most=MOST_ANGLES, least=0 if video else 1)
    row.done()
    images = [Media(url=url, kind="image", part="element") for url in (frontal, *angles) if url]
    return images + ([Media(url=video, kind="video", part="element")] if video else [])


def _urls(fields: Fields, name: str, *, most: int, least: int = 0) -> list[str]:
    value = fields.given[name] if fields.has(name) else []
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise fields.wrong(name, f"must have {least} to {most} entries")
    rows = [Fields({"url": url}, f"{name}[{number}].") for number, url in enumerate(value)]
    return [row.url("url", required=True) for row in rows]


def _check_orientation(fields: Fields) -> None:
    orientation = fields.choice("character_orientation", ("image", "video"), None)
    if fields.has("elements") and orientation == "image":
        raise fields.wrong("elements", "can only be used when character_orientation is video")
