"""The models we sell, one file a family. `SPECS` is the catalogue, in the order it is shown.

envelope.read(body)     model, callback_url and metadata of any request
catalog.choose(model)   its Spec, or 404 with the nearest id
spec.parse(body)        the request's own fields: canonical inputs, media, elements, voice, price inputs
"""

from difflib import SequenceMatcher

from accounts.errors import NotFound
from generations.catalog.base import Spec
from generations.catalog.elements import CUSTOM_ELEMENT
from generations.catalog.fields import shown
from generations.catalog.kling_v3 import IMAGE_TO_VIDEO, TEXT_TO_VIDEO

SPECS: tuple[Spec, ...] = (TEXT_TO_VIDEO, IMAGE_TO_VIDEO, CUSTOM_ELEMENT)


def find(model_id: str) -> Spec | None:
    return next((spec for spec in SPECS if spec.id == model_id), None)


def choose(model_id: str) -> Spec:
    """The model of a request, or `NotFound` with the nearest id as `fallback_suggestion`."""
    spec = find(model_id)
    if spec is None:
        raise NotFound(
            "model_not_found",
            f"There is no model {shown(model_id)}.",
            param="model",
            fallback_suggestion=nearest(model_id),
        )
    return spec


def nearest(model_id: str) -> str:
    """The id that looks most like this one."""
    wanted = model_id.lower()
    return max((spec.id for spec in SPECS), key=lambda known: SequenceMatcher(None, wanted, known).ratio())
