"""Our requests in Kling's words: which endpoint of which generation, and the body for it.

Every field that changes the bill is written out, because Kling's defaults differ from ours. The new generation is used
wherever it has the fields.
"""

from typing import Any

from generations.providers.base import ElementRequest, Request, VideoRequest
from generations.providers.kling import legacy_videos, new_videos
from generations.providers.kling.endpoints import MODELS

ELEMENTS = "/v1/general/advanced-custom-elements"


def is_legacy(route: str) -> bool:
    return route.startswith("/v1/")


def obstacle(request: Request) -> str:
    """Why Kling, or this account of it, cannot make it; empty when it can."""
    if isinstance(request, ElementRequest):
        return ""
    if request.model not in MODELS:
        return "does not make the model"
    return "" if all(element.upstream_id for element in request.elements) else "does not have the element"


def route(request: Request) -> str:
    """The path a request is sent to. KeyError for a model that Kling does not make."""
    if isinstance(request, ElementRequest):
        return ELEMENTS
    endpoints = MODELS[request.model]
    return endpoints.legacy if endpoints.legacy and _needs_legacy(request) else endpoints.new


def _needs_legacy(request: VideoRequest) -> bool:
    """The new generation has no negative prompt and no storyboard, and cuts shots wherever it follows a video."""
    return bool(request.negative_prompt or request.shots or request.video_use == "feature")


def body(request: Request) -> dict[str, Any]:
    """The JSON to send to `route(request)`."""
    if isinstance(request, ElementRequest):
        return _element(request)
    return legacy_videos.body(request) if is_legacy(route(request)) else new_videos.body(request)


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
