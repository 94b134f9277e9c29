"""A clip of `kling/v3-turbo-…`: one shot from text, or from one image and text. It always has sound."""

from typing import Any

from generations.providers.base import VideoRequest
from generations.providers.kie.prompts import fits, written


def obstacle(request: VideoRequest) -> str:
    if request.image_end:
        return "takes no last image with this model"
    if not request.prompt:
        return "needs a prompt with this model"
    return "" if fits(written(request.prompt, request.negative_prompt)) else "has no room for all of the prompt"


def inputs(request: VideoRequest) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "prompt": written(request.prompt, request.negative_prompt),
        "duration": str(request.duration_seconds),
        "resolution": request.quality,
    }
    if request.image_start:
        return sent | {"image_urls": [request.image_start]}
    return sent | {"aspect_ratio": request.aspect_ratio}
