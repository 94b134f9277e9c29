"""A clip of `kling-3.0/video`: from text or images, in one shot or several, with elements sent inline."""

from typing import Any

from generations.providers.base import ElementUse, VideoRequest
from generations.providers.kie.prompts import LONGEST_SHOT, element_name, fits, written

MODES = {"720p": "std", "1080p": "pro", "4k": "4K"}
LONGEST_SHOT_SECONDS = 12
MOST_SHOTS = 5


def obstacle(request: VideoRequest) -> str:
    if not all(map(_files, request.elements)):
        return "needs the files of an element, which are gone"
    if request.sound and any(element.voice_id for element in request.elements):
        return "does not have the voice of an element"
    if request.multi_shot and request.image_end:
        return "takes no last image with several shots"
    if request.shots:
        return _obstacle_of_shots(request)
    return "" if fits(written(request.prompt, request.negative_prompt)) else "has no room for all of the prompt"


def inputs(request: VideoRequest) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "mode": MODES[request.quality],
        "duration": str(request.duration_seconds),
        "sound": request.sound,
        "multi_shots": request.multi_shot,
    }
    optional = {
        "prompt": "" if request.shots else written(request.prompt, request.negative_prompt),
        "multi_prompt": [
            {"prompt": text, "duration": shot.duration_seconds}
            for shot, text in zip(request.shots, _shot_texts(request), strict=True)
        ],
        "image_urls": [url for url in (request.image_start, request.image_end) if url],
        "aspect_ratio": None if request.image_start else request.aspect_ratio,
        "kling_elements": [_element(number, element) for number, element in enumerate(request.elements, start=1)],
    }
    return sent | {field: value for field, value in optional.items() if value}


def _obstacle_of_shots(request: VideoRequest) -> str:
    if len(request.shots) > MOST_SHOTS:
        return f"takes at most {MOST_SHOTS} shots"
    if any(shot.duration_seconds > LONGEST_SHOT_SECONDS for shot in request.shots):
        return f"makes no shot longer than {LONGEST_SHOT_SECONDS} seconds"
    if not all(fits(text, LONGEST_SHOT) for text in _shot_texts(request)):
        return "has no room for all of a shot's prompt"
    return ""


def _shot_texts(request: VideoRequest) -> list[str]:
    """What not to show is said of each shot, because each is made by itself."""
    return [written(shot.prompt, request.negative_prompt) for shot in request.shots]


def _element(number: int, element: ElementUse) -> dict[str, Any]:
    return {"name": element_name(number), "description": element.description, **_files(element)}


def _files(element: ElementUse) -> dict[str, list[str]]:
    """What it was made from, two images at least: a frontal one alone is sent twice. Empty when it is gone."""
    if element.kind == "video_refer":
        return {"element_input_video_urls": [element.video]} if element.video else {}
    if element.frontal_image is None:
        return {}
    return {"element_input_urls": [element.frontal_image, *(element.refer_images or (element.frontal_image,))]}
