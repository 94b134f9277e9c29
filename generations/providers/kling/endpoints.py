"""Where Kling makes each of our models, in either generation."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "image", "omni", "motion"]


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """`legacy` is empty where only the new generation makes the model, or is never needed.

    `has_audio_choice` is False where every video has sound, whatever is asked.
    """

    kind: Kind
    new: str
    legacy: str = ""
    legacy_model: str = ""
    has_audio_choice: bool = True


TEXT = Endpoints(kind="text", new="/text-to-video/kling-3.0", legacy="/v1/videos/text2video", legacy_model="kling-v3")
IMAGE = Endpoints(
    kind="image", new="/image-to-video/kling-3.0", legacy="/v1/videos/image2video", legacy_model="kling-v3"
)
O3 = Endpoints(
    kind="omni", new="/omni-video/kling-3.0-omni", legacy="/v1/videos/omni-video", legacy_model="kling-v3-omni"
)
O1 = Endpoints(kind="omni", new="/omni-video/kling-o1")

MODELS = {
    "kling-v3-text-to-video": TEXT,
    "kling-v3-image-to-video": IMAGE,
    "kling-v3-turbo-text-to-video": Endpoints(
        kind="text", new="/text-to-video/kling-3.0-turbo", has_audio_choice=False
    ),
    "kling-v3-turbo-image-to-video": Endpoints(
        kind="image", new="/image-to-video/kling-3.0-turbo", has_audio_choice=False
    ),
    "kling-v3-motion-control": Endpoints(kind="motion", new="/motion-control/kling-3.0"),
    "kling-v2.6-motion-control": Endpoints(kind="motion", new="/motion-control/kling-2.6"),
    "kling-o3-text-to-video": O3,
    "kling-o3-image-to-video": O3,
    "kling-o3-reference-to-video": O3,
    "kling-o3-video-edit": O3,
    "kling-o1-image-to-video": O1,
    "kling-o1-video-edit": O1,
    "kling-o1-video-edit-fast": O1,
}
