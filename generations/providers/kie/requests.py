"""Our requests in kie.ai's words: which of its models, whether it can, and the body for it.

Every field that changes the bill is written out, because its defaults depend on other fields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generations.providers.base import ElementRequest, Request, VideoRequest
from generations.providers.kie import motion, turbo, videos


@dataclass(frozen=True, kw_only=True)
class Model:
    """kie.ai's name of a model, why it cannot make a clip (empty: it can), and the `input` of a create."""

    name: str
    obstacle: Callable[[VideoRequest], str]
    inputs: Callable[[VideoRequest], dict[str, Any]]


VIDEO = Model(name="kling-3.0/video", obstacle=videos.obstacle, inputs=videos.inputs)
MODELS = {
    "kling-v3-text-to-video": VIDEO,
    "kling-v3-image-to-video": VIDEO,
    "kling-v3-turbo-text-to-video": Model(
        name="kling/v3-turbo-text-to-video", obstacle=turbo.obstacle, inputs=turbo.inputs
    ),
    "kling-v3-turbo-image-to-video": Model(
        name="kling/v3-turbo-image-to-video", obstacle=turbo.obstacle, inputs=turbo.inputs
    ),
    "kling-v3-motion-control": Model(name="kling-3.0/motion-control", obstacle=motion.obstacle, inputs=motion.inputs),
}


def obstacle(request: Request) -> str:
    """Why kie.ai cannot make it; empty when it can."""
    if isinstance(request, ElementRequest):
        return "makes no elements"
    if request.model not in MODELS:
        return "does not make the model"
    if request.watermark:
        return "makes no watermark"
    return MODELS[request.model].obstacle(request)


def route(request: Request) -> str:
    """KeyError for a model that kie.ai does not make."""
    return MODELS[_clip(request).model].name


def body(request: Request) -> dict[str, Any]:
    """The JSON of a create."""
    clip = _clip(request)
    model = MODELS[clip.model]
    sent: dict[str, Any] = {"model": model.name, "input": model.inputs(clip)}
    return sent | ({"callBackUrl": clip.callback_url} if clip.callback_url else {})


def _clip(request: Request) -> VideoRequest:
    """Nothing else passes `obstacle`."""
    assert isinstance(request, VideoRequest)
    return request
