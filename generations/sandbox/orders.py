"""What one create asks for, read strictly: a refusal names the field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.sandbox.refusals import Refusal


@dataclass(frozen=True, kw_only=True)
class Media:
    """A reference that the provider will fetch. `part`: what it is used for.

    A `first_frame`, `base_video` or `motion` gives the clip its shape.
    """

    url: str
    kind: str
    part: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """A create that was understood. `kind`: `video`, which takes a slot, or `element`.

    `text`: everything the customer wrote, where faults are looked for. `milliunits`: the price, in thousandths of what
    the provider counts in (Kling's units, dollars, credits). `plan`: what to make, and what the face wants to
    remember; `clip_order` fills in what a clip needs.
    """

    kind: str
    model: str
    callback_url: str
    text: str
    milliunits: int = 0
    media: tuple[Media, ...] = ()
    plan: dict[str, Any] = field(default_factory=dict)


def clip_order(
    model: str, rate: int, *,
    seconds: int, resolution: str, ratio: str, sound: bool, text: str, callback_url: str,
    media: tuple[Media, ...] = (), watermark: bool = False, follows_video: bool = False, **plan: Any,
) -> Order:  # fmt: skip
    """A video at `rate` thousandths a second. `resolution`: 720p, 1080p, 4k; `ratio`: such as 16:9, or empty.

    `follows_video`: the clip is as long as the video that goes in, and billed so; `seconds` until it was seen.
    `plan`: what the face wants to remember.
    """
    clip = {"seconds": seconds, "resolution": resolution, "ratio": ratio, "sound": sound, "watermark": watermark}
    return Order(
        kind="video",
        model=model,
        callback_url=callback_url,
        text=text,
        media=media,
        milliunits=seconds * rate,
        plan=plan | clip | ({"follows_rate": rate} if follows_video else {}),
    )


class Fields:
    """Checked reading of one JSON object; `done` refuses what nobody read: the provider would ignore it silently."""

    def __init__(self, given: Any, place: str = "") -> None:
        if not isinstance(given, dict):
            raise Refusal("malformed", "must be an object", place=place.rstrip(".") or "body")
        self.given: Mapping[str, Any] = given
        self.place = place
        self.read: set[str] = set()

    def wrong(self, name: str, why: str = "is invalid") -> Refusal:
        return Refusal("malformed", why, place=f"{self.place}{name}")

    def has(self, name: str) -> bool:
        self.read.add(name)
        return self.given.get(name) is not None

    def text(self, name: str, *, longest: int, required: bool = False) -> str:
        if not self.has(name) and not required:
            return ""
        value = self.given.get(name)
        if not isinstance(value, str) or len(value) > longest or (required and not value.strip()):
            raise self.wrong(name)
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None) -> str:
        value = self.given[name] if self.has(name) else default
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(name)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.given[name] if self.has(name) else default
        if not isinstance(value, bool):
            raise self.wrong(name)
        return value

    def url(self, name: str, *, required: bool = False) -> str:
        value = self.text(name, longest=4096, required=required)
        if value and not value.startswith(("http://", "https://")):
            raise self.wrong(name)
        return value

    def inner(self, name: str) -> "Fields":
        return Fields(self.given[name] if self.has(name) else {}, f"{self.place}{name}.")

    def rows(self, name: str, *, most: int, least: int = 0) -> list["Fields"]:
        value = self.given[name] if self.has(name) else []
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self.wrong(name)
        return [Fields(row, f"{self.place}{name}[{number}].") for number, row in enumerate(value)]

    def done(self) -> None:
        unread = sorted(self.given.keys() - self.read)
        if unread:
            raise self.wrong(unread[0], "is not a field of this endpoint")
