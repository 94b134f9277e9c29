"""Our requests in fal's words: which endpoint takes them, the body for it, and why none does.

Every field that changes the bill is written out, because fal's defaults differ from ours: there sound is on, and a
negative prompt is given. Elements go along as the files they were made of, since fal keeps none.
"""

import re
from collections.abc import Iterator
from typing import Any

from generations.providers.base import ElementRequest, ElementUse, Request, VideoRequest
from generations.providers.fal.endpoints import APP, MODELS, Endpoint

REFERENCE = re.compile(r"<<<(element|image|video)_([1-9])>>>(?=(\w?))")
SHOT_TYPES = {"customize": "customize", "intelligence": "intelligent"}
LONGEST_PROMPT = 2500


def obstacle(request: Request) -> str:
    """Why fal cannot make it; empty when it can."""
    if isinstance(request, ElementRequest):
        return "makes no elements"
    if request.model not in MODELS:
        return "does not make the model"
    if request.watermark:
        return "makes no watermark"
    endpoints = MODELS[request.model]
    of_this_kind = [endpoint for endpoint in endpoints if endpoint.video_use == request.video_use] or endpoints
    reasons = [_misfit(endpoint, request) for endpoint in of_this_kind]
    return "" if "" in reasons else reasons[-1]


def route(request: Request) -> str:
    """The path a request is sent to."""
    endpoint = _endpoint(request)
    return APP + endpoint.path.format(tier=endpoint.tiers[_video(request).quality])


def body(request: Request) -> dict[str, Any]:
    """The JSON to send to `route(request)`."""
    clip, endpoint = _video(request), _endpoint(request)
    fields = _words(clip, endpoint) | _media(clip, endpoint) | _settings(clip, endpoint)
    return {name: value for name, value in fields.items() if name and value is not None}


def _video(request: Request) -> VideoRequest:
    if isinstance(request, ElementRequest):
        raise TypeError("fal makes no elements")
    return request


def _endpoint(request: Request) -> Endpoint:
    """The first that takes it. StopIteration never leaves: such a request has an obstacle."""
    clip = _video(request)
    return next(endpoint for endpoint in MODELS[clip.model] if not _misfit(endpoint, clip))


def _misfit(endpoint: Endpoint, request: VideoRequest) -> str:
    """Why this endpoint does not take it; empty when it does."""
    return next((reason for holds, reason in _misfits(endpoint, request) if holds), "")


def _misfits(endpoint: Endpoint, request: VideoRequest) -> Iterator[tuple[bool, str]]:
    prompts = _prompts(request)
    yield request.quality not in endpoint.tiers, "does not make this quality"
    yield request.video_use != endpoint.video_use, "does not use a video like this"
    yield endpoint.needs_start and request.image_start is None, "needs a first image"
    yield request.image_start is not None and not endpoint.start, "takes no first image"
    yield request.image_end is not None and not endpoint.end, "takes no last image"
    yield bool(request.images) and not endpoint.images, "takes no reference images"
    yield bool(request.shots) and not endpoint.shots, "takes no own shots here"
    together = bool(request.shots) and request.image_end is not None
    yield together and not endpoint.end_with_shots, "takes no last image together with own shots"
    yield endpoint.needs_prompt and not all(prompt.strip() for prompt in prompts), "needs a prompt"
    yield any(len(prompt) > LONGEST_PROMPT for prompt in prompts), f"takes prompts to {LONGEST_PROMPT} characters"
    yield not endpoint.names_frames and _names_a_frame(request), "has no name for a frame in a prompt"
    yield bool(request.negative_prompt) and not endpoint.negative_prompt, "takes no negative prompt"
    yield bool(request.elements) and not endpoint.elements, "takes no elements here"
    filmed = sum(element.kind == "video_refer" for element in request.elements)
    yield bool(filmed) and endpoint.elements == "images", "takes no elements made from a video here"
    yield filmed > 1, "takes one element made from a video only"
    spoken = request.sound and any(element.voice_id for element in request.elements)
    yield spoken, "does not have the voice of an element"
    yield not all(map(_has_files, request.elements)), "the files of an element are no longer kept"


def _prompts(request: VideoRequest) -> tuple[str, ...]:
    return tuple(shot.prompt for shot in request.shots) or (request.prompt,)


def _frames(request: VideoRequest) -> int:
    return sum(frame is not None for frame in (request.image_start, request.image_end))


def _names_a_frame(request: VideoRequest) -> bool:
    """Our count of images begins with the frames, fal's with the reference images."""
    named = [found for prompt in _prompts(request) for found in REFERENCE.finditer(prompt) if found[1] == "image"]
    return any(int(found[2]) <= _frames(request) for found in named)


def _has_files(element: ElementUse) -> bool:
    return bool(element.video if element.kind == "video_refer" else element.frontal_image)


def named_references(prompt: str, frames: int = 0) -> str:
    """`<<<element_1>>>` as fal writes it: `@Element1`. `frames`: how many images our count has more than fal's.

    A space keeps words apart.
    """

    def name(found: re.Match[str]) -> str:
        number = int(found[2]) - (frames if found[1] == "image" else 0)
        return f"@{found[1].title()}{number}" + (" " if found[3] else "")

    return REFERENCE.sub(name, prompt)


def _words(request: VideoRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The prompt or the shots, never both."""
    frames = 0 if endpoint.names_frames else _frames(request)
    shots = [
        {"prompt": named_references(shot.prompt, frames), "duration": str(shot.duration_seconds)}
        for shot in request.shots
    ]
    prompt = named_references(request.prompt, frames) or None
    return {
        "prompt": None if shots else prompt,
        "multi_prompt": shots or None,
        "shot_type": SHOT_TYPES[request.shot_type] if request.multi_shot and request.shot_type else None,
        "negative_prompt": request.negative_prompt if endpoint.negative_prompt else None,
    }


def _media(request: VideoRequest, endpoint: Endpoint) -> dict[str, Any]:
    one_image = endpoint.images == "image_url"
    images = next(iter(request.images), None) if one_image else list(request.images) or None
    return {
        endpoint.start: request.image_start,
        endpoint.end: request.image_end,
        "video_url": request.video,
        "elements": [_element(element) for element in request.elements] or None,
    } | ({endpoint.images: images} if endpoint.images else {})


def _element(element: ElementUse) -> dict[str, Any]:
    """fal wants one to three other angles: with none the frontal image is sent as the one reference."""
    if element.kind == "video_refer":
        return {"video_url": element.video}
    angles = element.refer_images or (element.frontal_image,)
    return {"frontal_image_url": element.frontal_image, "reference_image_urls": list(angles)}


def _settings(request: VideoRequest, endpoint: Endpoint) -> dict[str, Any]:
    shaped = endpoint.aspect_ratio and request.image_start is None
    return {
        "duration": str(request.duration_seconds) if endpoint.duration else None,
        "aspect_ratio": request.aspect_ratio if shaped else None,
        endpoint.sound: request.keep_sound if request.video_use else request.sound,
        "character_orientation": request.orientation,
    }
