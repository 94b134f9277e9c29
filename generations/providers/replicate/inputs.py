"""Our requests in Replicate's words: which model makes one, with what input, or why it cannot.

Every field that changes the bill is written out: a `mode` left away would be the dearer one. What the models take
stands on their API pages, such as https://replicate.com/kwaivgi/kling-v3-video/api.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.providers.base import Request, VideoRequest

LONGEST_PROMPT = 2500
MEDIA = frozenset({"start_image", "end_image", "reference_images", "image", "video"})
IMAGE_NAMED = "<<<image_"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One of Replicate's models. `modes`: its words for our qualities."""

    name: str
    modes: Mapping[str, str]

    @property
    def route(self) -> str:
        return f"/models/{self.name}/predictions"


PLAIN = Model(name="kwaivgi/kling-v3-video", modes={"720p": "standard", "1080p": "pro", "4k": "4k"})
OMNI = Model(name="kwaivgi/kling-v3-omni-video", modes=PLAIN.modes)
MOTION = Model(name="kwaivgi/kling-v3-motion-control", modes={"720p": "std", "1080p": "pro"})

MODELS = {
    "kling-v3-text-to-video": PLAIN,
    "kling-v3-image-to-video": PLAIN,
    "kling-v3-motion-control": MOTION,
    "kling-o3-text-to-video": OMNI,
    "kling-o3-image-to-video": OMNI,
    "kling-o3-reference-to-video": OMNI,
    "kling-o3-video-edit": OMNI,
}


def obstacle(request: Request) -> str:
    """Why Replicate cannot make it; empty when it can."""
    if not isinstance(request, VideoRequest):
        return "makes no elements"
    if request.model not in MODELS:
        return "does not make the model"
    reasons = {
        "takes no elements": bool(request.elements),
        "makes no watermark": request.watermark,
        "plans no shots": request.multi_shot and not request.shots,
        "takes no last frame with own shots": bool(request.shots and request.image_end),
        "takes no video longer than 10 seconds": request.video_use in ("base", "feature"),
        "may count the images otherwise": _frames_are_counted(request),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _frames_are_counted(request: VideoRequest) -> bool:
    """`<<<image_2>>>` counts the frames for us; whether it does at Replicate is not documented."""
    prompts = (request.prompt, *(shot.prompt for shot in request.shots))
    return request.image_start is not None and any(IMAGE_NAMED in prompt for prompt in prompts)


def body_input(request: VideoRequest) -> dict[str, Any]:
    """The `input` of the create. KeyError for a model or quality that Replicate does not make."""
    model = MODELS[request.model]
    sent: dict[str, Any] = {"prompt": _prompt(request), "mode": model.modes[request.quality]}
    if model is MOTION:
        return sent | _motion(request)
    sent |= {"duration": request.duration_seconds, "generate_audio": request.sound}
    if model is PLAIN:
        sent["negative_prompt"] = request.negative_prompt
    optional = {
        "start_image": request.image_start,
        "end_image": request.image_end,
        "reference_images": list(request.images),
        "aspect_ratio": None if request.image_start else request.aspect_ratio,
        "multi_prompt": _shots(request),
    }
    return sent | {field: value for field, value in optional.items() if value}


def _prompt(request: VideoRequest) -> str:
    """Required beside own shots as well, where it is not used: it then says what they say."""
    return " ".join(shot.prompt for shot in request.shots)[:LONGEST_PROMPT] if request.shots else request.prompt


def _shots(request: VideoRequest) -> str:
    """The storyboard as JSON in a string."""
    shots = [{"prompt": shot.prompt, "duration": shot.duration_seconds} for shot in request.shots]
    return json.dumps(shots) if shots else ""


def _motion(request: VideoRequest) -> dict[str, Any]:
    """The clip is as long as the video, and has its shape from the image."""
    return {
        "image": request.images[0],
        "video": request.video,
        "character_orientation": request.orientation,
        "keep_original_sound": request.keep_sound,
    }
