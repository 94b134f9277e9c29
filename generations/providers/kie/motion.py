"""A clip of `kling-3.0/motion-control`. Its modes are resolutions, unlike those of `kling-3.0/video`."""

from typing import Any

from generations.providers.base import VideoRequest
from generations.providers.kie.prompts import OTHER_REFERENCE, fits, written


def obstacle(request: VideoRequest) -> str:
    if request.elements:
        return "takes no element with this model"
    if not request.keep_sound:
        return "cannot leave out the sound of the video"
    if OTHER_REFERENCE.search(request.prompt):
        return "cannot name the image or the video in a prompt"
    return "" if fits(written(request.prompt, request.negative_prompt)) else "has no room for all of the prompt"


def inputs(request: VideoRequest) -> dict[str, Any]:
    """The scene is that of the image, as Kling itself does it; kie.ai would take that of the video."""
    sent: dict[str, Any] = {
        "input_urls": list(request.images),
        "video_urls": [request.video],
        "mode": request.quality,
        "character_orientation": request.orientation,
        "background_source": "input_image",
    }
    prompt = written(request.prompt, request.negative_prompt)
    return sent | ({"prompt": prompt} if prompt else {})
