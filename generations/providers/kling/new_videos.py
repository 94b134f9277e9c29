"""A clip in the body of Kling's new generation: `contents` (what is shown), `settings` (what is billed), `options`."""

import re
from typing import Any

from generations.providers.base import VideoRequest
from generations.providers.kling.endpoints import MODELS, Endpoints

REFERENCE = re.compile(r"<<<(element|image|video)_([1-9])>>>(?=(\w?))")
LONGEST_PROMPT = 3072


def body(request: VideoRequest) -> dict[str, Any]:
    endpoints = MODELS[request.model]
    sent: dict[str, Any] = {"settings": _settings(request, endpoints), "options": _options(request)}
    if endpoints.kind == "text":
        return {"prompt": _prompt(request)} | sent
    return {"contents": _contents(request, endpoints)} | sent


def named_references(prompt: str) -> str:
    """`<<<element_1>>>` as the new generation writes it: `@element_1`, the `id` we give that element in `contents`.

    Kling documents `@image_1` and `@Name` and forbids names that contain each other; a space keeps words apart.
    """
    return REFERENCE.sub(lambda found: f"@{found[1]}_{found[2]}" + (" " if found[3] else ""), prompt)


def _prompt(request: VideoRequest) -> str:
    """What not to show has no field in this generation: it goes into the prompt, as much as there is room for."""
    if not request.negative_prompt:
        return request.prompt
    return f"{request.prompt}\nDo not show: {request.negative_prompt}".strip()[:LONGEST_PROMPT]


def _settings(request: VideoRequest, endpoints: Endpoints) -> dict[str, Any]:
    settings: dict[str, Any] = {"resolution": request.quality}
    if endpoints.has_audio_choice:
        settings["audio"] = _audio(request)
    if endpoints.kind == "motion":
        return settings | {"character_orientation": request.orientation}
    settings["multi_shot"] = request.multi_shot
    if request.video_use != "base":
        settings["duration"] = request.duration_seconds
        if request.image_start is None and endpoints.kind != "image":
            settings["aspect_ratio"] = request.aspect_ratio
    return settings


def _audio(request: VideoRequest) -> str:
    if request.video_use is not None:
        return "original" if request.keep_sound else "off"
    return "native" if request.sound else "off"


def _options(request: VideoRequest) -> dict[str, Any]:
    options: dict[str, Any] = {
        "external_task_id": request.reference,
        "watermark_info": {"enabled": request.watermark},
    }
    return options | ({"callback_url": request.callback_url} if request.callback_url else {})


def _contents(request: VideoRequest, endpoints: Endpoints) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    if prompt := _prompt(request):
        contents.append({"type": "prompt", "text": named_references(prompt)})
    if request.image_start:
        contents.append({"type": "first_frame", "url": request.image_start})
    if request.image_end:
        contents.append({"type": "last_frame", "url": request.image_end})
    image = "image" if endpoints.kind == "motion" else "refer_image"
    contents += [{"type": image, "url": url} for url in request.images]
    if request.video:
        video = "video" if request.video_use == "motion" else f"{request.video_use}_video"
        contents.append({"type": video, "url": request.video})
    for number, element in enumerate(request.elements, start=1):
        contents.append({"type": "element", "element_id": element.upstream_id, "id": f"element_{number}"})
    return contents
