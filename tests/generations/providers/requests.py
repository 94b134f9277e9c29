"""Requests as the product makes them: a plain five-second clip, and an element from one image."""

from datetime import UTC, datetime
from typing import Any

from generations.providers.base import ElementRequest, ElementUse, Trace, VideoRequest

TEXT = "kling-v3-text-to-video"
IMAGE = "kling-v3-image-to-video"


def video(reference: str = "attempt-1", **changes: Any) -> VideoRequest:
    plain: dict[str, Any] = {
        "reference": reference,
        "model": TEXT,
        "prompt": "a heron over still water",
        "negative_prompt": "",
        "duration_seconds": 5,
        "quality": "720p",
        "sound": False,
        "aspect_ratio": "16:9",
        "image_start": None,
        "image_end": None,
        "multi_shot": False,
        "shot_type": None,
        "shots": (),
        "elements": (),
        "watermark": False,
        "callback_url": None,
    }
    if "element_ids" in changes:
        changes["elements"] = tuple(known(upstream_id) for upstream_id in changes.pop("element_ids"))
    return VideoRequest(**(plain | changes))


def known(upstream_id: str) -> ElementUse:
    """An element that the account has."""
    return ElementUse(upstream_id=upstream_id, name="Ada", description="a woman in a red coat", kind="image_refer")


def from_image(reference: str = "attempt-1", **changes: Any) -> VideoRequest:
    image = {"model": IMAGE, "aspect_ratio": None, "image_start": "http://127.0.0.1:9/start.png"}
    return video(reference, **(image | changes))


def trace(reference: str, route: str) -> Trace:
    """What a call left behind that was sent a moment ago."""
    return Trace(reference=reference, route=route, sent_at=datetime.now(UTC))


def element(reference: str = "attempt-1", **changes: Any) -> ElementRequest:
    plain: dict[str, Any] = {
        "reference": reference,
        "name": "Ada",
        "description": "a woman in a red coat",
        "kind": "image_refer",
        "frontal_image": "http://127.0.0.1:9/front.png",
        "refer_images": (),
        "video": None,
        "voice_id": None,
        "callback_url": None,
    }
    return ElementRequest(**(plain | changes))
