"""The models we sell, one file a family. `SPECS` is the catalogue, in the order it is shown.

envelope.read(body)     model, callback_url and metadata of any request
catalog.choose(model)   its Spec, or 404 with the nearest id
spec.parse(body)        the request's own fields: canonical inputs, media, elements, voice, price inputs
"""

from difflib import SequenceMatcher

from accounts.errors import NotFound
from generations.catalog import kling_motion, kling_o1, kling_o3, kling_v3, kling_v3_turbo
from generations.catalog.base import Spec
from generations.catalog.elements import CUSTOM_ELEMENT
from generations.catalog.fields import shown

SPECS: tuple[Spec, ...] = (
    kling_v3.TEXT_TO_VIDEO,
    kling_v3.IMAGE_TO_VIDEO,
    kling_v3_turbo.TEXT_TO_VIDEO,
    kling_v3_turbo.IMAGE_TO_VIDEO,
    kling_motion.MOTION_CONTROL,
    kling_motion.MOTION_CONTROL_2_6,
    kling_o3.TEXT_TO_VIDEO,
    kling_o3.IMAGE_TO_VIDEO,
    kling_o3.REFERENCE_TO_VIDEO,
    kling_o3.VIDEO_EDIT,
    kling_o1.IMAGE_TO_VIDEO,
    kling_o1.VIDEO_EDIT,
    kling_o1.VIDEO_EDIT_FAST,
    CUSTOM_ELEMENT,
)


def find(model_id: str) -> Spec | None:
    return next((spec for spec in SPECS if spec.id == model_id), None)


def choose(model_id: str, *, param: str = "model") -> Spec:
    """The model that `param` names, or `NotFound` with the nearest id as `fallback_suggestion`."""
    spec = find(model_id)
    if spec is None:
        raise NotFound(
            "model_not_found",
            f"There is no model {shown(model_id)}.",
            param=param,
            fallback_suggestion=nearest(model_id),
        )
    return spec


def nearest(model_id: str) -> str:
    """The id that looks most like this one."""
    wanted = model_id.lower()
    return max((spec.id for spec in SPECS), key=lambda known: SequenceMatcher(None, wanted, known).ratio())
