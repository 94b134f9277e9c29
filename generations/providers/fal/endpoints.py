"""Where fal makes our models, and what each endpoint takes (https://fal.ai/models, and the types of `@fal-ai/client`).

A model may have several endpoints: the first that takes a request is used. fal has no Kling 3.0 turbo, and its quick O1
edit takes no video of more than ten seconds, so those models are not made here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

APP = "/fal-ai/kling-video"
TIERS = {"720p": "standard", "1080p": "pro"}
WITH_4K = TIERS | {"4k": "4k"}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint. Names of fields are empty where it has no such field.

    `path` holds `{tier}` where the quality is a part of it. `sound`: the flag for sound, made or kept.
    `needs_prompt`: unless there are own shots. `names_frames`: whether `@Image1` is the first frame.
    """

    path: str
    tiers: Mapping[str, str]
    start: str = ""
    end: str = ""
    end_with_shots: bool = True
    images: Literal["", "image_url", "image_urls"] = ""
    video_use: Literal["base", "feature", "motion"] | None = None
    needs_start: bool = False
    needs_prompt: bool = True
    names_frames: bool = False
    elements: Literal["", "images", "any"] = ""
    sound: Literal["", "generate_audio", "keep_audio", "keep_original_sound"] = ""
    duration: bool = True
    aspect_ratio: bool = False
    negative_prompt: bool = False
    shots: bool = False


V3_TEXT = Endpoint(
    path="/v3/{tier}/text-to-video",
    tiers=WITH_4K,
    sound="generate_audio",
    aspect_ratio=True,
    negative_prompt=True,
    shots=True,
)
V3_IMAGE = Endpoint(
    path="/v3/{tier}/image-to-video",
    tiers=WITH_4K,
    start="start_image_url",
    end="end_image_url",
    end_with_shots=False,
    needs_start=True,
    elements="any",
    sound="generate_audio",
    negative_prompt=True,
    shots=True,
)
V3_MOTION = Endpoint(
    path="/v3/{tier}/motion-control",
    tiers=TIERS,
    images="image_url",
    video_use="motion",
    needs_prompt=False,
    elements="images",
    sound="keep_original_sound",
    duration=False,
)
V2_6_MOTION = Endpoint(
    path="/v2.6/{tier}/motion-control",
    tiers=TIERS,
    images="image_url",
    video_use="motion",
    needs_prompt=False,
    sound="keep_original_sound",
    duration=False,
)
O3_TEXT = Endpoint(
    path="/o3/{tier}/text-to-video", tiers=WITH_4K, sound="generate_audio", aspect_ratio=True, shots=True
)
O3_IMAGE = Endpoint(
    path="/o3/{tier}/image-to-video",
    tiers=WITH_4K,
    start="image_url",
    end="end_image_url",
    needs_start=True,
    sound="generate_audio",
    shots=True,
)
O3_REFERENCE = Endpoint(
    path="/o3/{tier}/reference-to-video",
    tiers=WITH_4K,
    start="start_image_url",
    end="end_image_url",
    images="image_urls",
    elements="any",
    sound="generate_audio",
    aspect_ratio=True,
    shots=True,
)
O3_FOLLOW = Endpoint(
    path="/o3/{tier}/video-to-video/reference",
    tiers=TIERS,
    images="image_urls",
    video_use="feature",
    elements="images",
    sound="keep_audio",
    aspect_ratio=True,
)
O3_EDIT = Endpoint(
    path="/o3/{tier}/video-to-video/edit",
    tiers=TIERS,
    images="image_urls",
    video_use="base",
    elements="images",
    sound="keep_audio",
    duration=False,
)
O1_IMAGE = Endpoint(
    path="/o1/image-to-video",
    tiers={"1080p": ""},
    start="start_image_url",
    end="end_image_url",
    needs_start=True,
    names_frames=True,
)
O1_EDIT = Endpoint(
    path="/o1/video-to-video/edit",
    tiers={"1080p": ""},
    images="image_urls",
    video_use="base",
    sound="keep_audio",
    duration=False,
)

MODELS: dict[str, tuple[Endpoint, ...]] = {
    "kling-v3-text-to-video": (V3_TEXT,),
    "kling-v3-image-to-video": (V3_IMAGE,),
    "kling-v3-motion-control": (V3_MOTION,),
    "kling-v2.6-motion-control": (V2_6_MOTION,),
    "kling-o3-text-to-video": (O3_TEXT, O3_REFERENCE),
    "kling-o3-image-to-video": (O3_IMAGE, O3_REFERENCE),
    "kling-o3-reference-to-video": (O3_REFERENCE, O3_FOLLOW),
    "kling-o3-video-edit": (O3_EDIT,),
    "kling-o1-image-to-video": (O1_IMAGE,),
    "kling-o1-video-edit": (O1_EDIT,),
}
