"""Our requests in Kling's words.

Every field that changes the bill is written out, because Kling's defaults differ from ours.
"""

import re
from dataclasses import dataclass
from typing import Any

from generations.providers.base import ElementRequest, Request, VideoRequest

ELEMENTS = "/v1/general/advanced-custom-elements"

MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}
ELEMENT_REFERENCE = re.compile(r"<<<element_([1-9])>>>(?=(\w?))")


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where Kling makes one of our models, in either generation."""

    new: str
    legacy: str
    legacy_model: str


MODELS = {
    "kling-v3-text-to-video": Endpoints(
        new="/text-to-video/kling-3.0", legacy="/v1/videos/text2video", legacy_model="kling-v3"
    ),
    "kling-v3-image-to-video": Endpoints(
        new="/image-to-video/kling-3.0", legacy="/v1/videos/image2video", legacy_model="kling-v3"
    ),
}


def is_legacy(route: str) -> bool:
    return route.startswith("/v1/")


def route(request: Request) -> str:
    """The path a request is sent to. KeyError for a model that Kling does not make."""
    if isinstance(request, ElementRequest):
        return ELEMENTS
    endpoints = MODELS[request.model]
    needs_legacy = bool(request.negative_prompt or request.shots)
    return endpoints.legacy if needs_legacy else endpoints.new


def body(request: Request) -> dict[str, Any]:
    """The JSON to send to `route(request)`."""
    if isinstance(request, ElementRequest):
        return _element(request)
    return _legacy_video(request) if is_legacy(route(request)) else _new_video(request)


def _new_video(request: VideoRequest) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "multi_shot": request.multi_shot,
        "audio": "native" if request.sound else "off",
        "resolution": request.quality,
        "duration": request.duration_seconds,
    }
    options: dict[str, Any] = {
        "external_task_id": request.reference,
        "watermark_info": {"enabled": request.watermark},
    }
    if request.callback_url:
        options["callback_url"] = request.callback_url
    if request.image_start is not None:
        return {"contents": _contents(request), "settings": settings, "options": options}
    settings["aspect_ratio"] = request.aspect_ratio
    return {"prompt": request.prompt, "settings": settings, "options": options}


def _contents(request: VideoRequest) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    if request.prompt:
        contents.append({"type": "prompt", "text": named_elements(request.prompt)})
    contents.append({"type": "first_frame", "url": request.image_start})
    if request.image_end:
        contents.append({"type": "last_frame", "url": request.image_end})
    for number, element_id in enumerate(request.element_ids, start=1):
        contents.append({"type": "element", "element_id": element_id, "id": f"element_{number}"})
    return contents


def named_elements(prompt: str) -> str:
    """`<<<element_1>>>` as the new generation writes it: `@element_1`, the `id` we give that element in `contents`.

    Kling documents `@Name` for it and forbids names that contain each other; a space keeps the next word apart.
    """
    return ELEMENT_REFERENCE.sub(lambda found: f"@element_{found[1]}" + (" " if found[2] else ""), prompt)


def _legacy_video(request: VideoRequest) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "model_name": MODELS[request.model].legacy_model,
        "mode": MODES[request.quality],
        "duration": str(request.duration_seconds),
        "sound": "on" if request.sound else "off",
        "multi_shot": request.multi_shot,
        "watermark_info": {"enabled": request.watermark},
        "external_task_id": request.reference,
    }
    optional = {
        "prompt": None if request.shots else request.prompt,
        "negative_prompt": request.negative_prompt,
        "shot_type": request.shot_type if request.multi_shot else None,
        "multi_prompt": [
            {"index": shot.index, "prompt": shot.prompt, "duration": str(shot.duration_seconds)}
            for shot in request.shots
        ],
        "aspect_ratio": None if request.image_start else request.aspect_ratio,
        "image": request.image_start,
        "image_tail": request.image_end,
        "element_list": [{"element_id": int(element_id)} for element_id in request.element_ids],
        "callback_url": request.callback_url,
    }
    return sent | {field: value for field, value in optional.items() if value}


def _element(request: ElementRequest) -> dict[str, Any]:
    """Kling wants one to three other angles: with none the frontal image is sent as the one reference."""
    sent: dict[str, Any] = {
        "element_name": request.name,
        "element_description": request.description,
        "reference_type": request.kind,
        "external_task_id": request.reference,
    }
    if request.kind == "image_refer":
        angles = request.refer_images or (request.frontal_image,)
        sent["element_image_list"] = {
            "frontal_image": request.frontal_image,
            "refer_images": [{"image_url": url} for url in angles],
        }
    else:
        sent["element_video_list"] = {"refer_videos": [{"video_url": request.video}]}
    if request.voice_id:
        sent["element_voice_id"] = request.voice_id
    if request.callback_url:
        sent["callback_url"] = request.callback_url
    return sent
