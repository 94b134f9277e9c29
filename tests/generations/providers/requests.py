"""Requests as the product makes them: a plain five-second clip, and an element from one image."""

from typing import Any

from generations.providers.base import ElementRequest, VideoRequest

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
        "element_ids": (),
        "watermark": False,
        "callback_url": None,
    }
    return VideoRequest(**(plain | changes))


def from_image(reference: str = "attempt-1", **changes: Any) -> VideoRequest:
    image = {"model": IMAGE, "aspect_ratio": None, "image_start": "http://127.0.0.1:9/start.png"}
    return video(reference, **(image | changes))


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
