"""A clip in the flat body of Kling's legacy generation, which alone has negative prompts and storyboards."""

from typing import Any

from generations.providers.base import VideoRequest
from generations.providers.kling.endpoints import MODELS

MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}


def body(request: VideoRequest) -> dict[str, Any]:
    endpoints = MODELS[request.model]
    sent: dict[str, Any] = {
        "model_name": endpoints.legacy_model,
        "mode": MODES[request.quality],
        "duration": str(request.duration_seconds),
        "sound": "on" if request.sound else "off",
        "multi_shot": request.multi_shot,
        "watermark_info": {"enabled": request.watermark},
        "external_task_id": request.reference,
    }
    media = _omni_media(request) if endpoints.kind == "omni" else _frames(request)
    optional = {
        "prompt": None if request.shots else request.prompt,
        "negative_prompt": request.negative_prompt,
        "shot_type": request.shot_type if request.multi_shot else None,
        "multi_prompt": [
            {"index": shot.index, "prompt": shot.prompt, "duration": str(shot.duration_seconds)}
            for shot in request.shots
        ],
        "aspect_ratio": None if request.image_start else request.aspect_ratio,
        "element_list": [{"element_id": int(element.upstream_id)} for element in request.elements],
        "callback_url": request.callback_url,
    }
    return sent | {field: value for field, value in (optional | media).items() if value}


def _frames(request: VideoRequest) -> dict[str, Any]:
    return {"image": request.image_start, "image_tail": request.image_end}


def _omni_media(request: VideoRequest) -> dict[str, Any]:
    """Images in the order in which `<<<image_1>>>` counts them."""
    frames = ((request.image_start, "first_frame"), (request.image_end, "end_frame"))
    images = [{"image_url": url, "type": kind} for url, kind in frames if url]
    video = {
        "video_url": request.video,
        "refer_type": request.video_use,
        "keep_original_sound": "yes" if request.keep_sound else "no",
    }
    return {
        "image_list": images + [{"image_url": url} for url in request.images],
        "video_list": [video] if request.video else [],
    }
