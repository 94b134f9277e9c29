"""What one create asks for, read as strictly as Kling reads it: code 1201 names the field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generations.sandbox.wire import Refusal


@dataclass(frozen=True, kw_only=True)
class Media:
    """A reference that Kling will fetch. `part`: what it is used for."""

    url: str
    kind: str
    part: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """A create that was understood. `text`: everything the customer wrote, where faults are looked for."""

    kind: str
    model: str
    external_id: str
    callback_url: str
    text: str
    milliunits: int = 0
    media: tuple[Media, ...] = ()
    plan: dict[str, Any] = field(default_factory=dict)


class Fields:
    """Checked reading of one JSON object; `done` refuses what nobody read, since Kling would ignore it silently."""

    def __init__(self, given: Any, place: str = "") -> None:
        if not isinstance(given, dict):
            raise Refusal(1201, f"{place or 'body'} must be an object")
        self.given: Mapping[str, Any] = given
        self.place = place
        self.read: set[str] = set()

    def wrong(self, name: str, why: str = "is invalid") -> Refusal:
        return Refusal(1201, f"{self.place}{name} {why}")

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


def watermark(options: Fields) -> bool:
    info = options.inner("watermark_info")
    enabled = info.flag("enabled", default=False)
    info.done()
    return enabled
