"""The endpoints that the face has, what each takes, and what a second of it costs in thousandths of a dollar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

APP = "/fal-ai/kling-video"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`rates`: by tier and by variant (`off`, `on` for sound; `video` where one goes in). Empty names: no such field.

    `has_sound`: unless the request says otherwise. `follows`: the clip is as long as the video.
    """

    name: str
    rates: Mapping[str, Mapping[str, int]]
    sound: Literal["", "generate_audio", "keep_audio", "keep_original_sound"] = ""
    has_sound: bool = True
    start: str = ""
    start_required: bool = False
    end: str = ""
    end_with_shots: bool = True
    images: Literal["", "image_url", "image_urls"] = ""
    video: Literal["", "motion", "base_video", "feature_video"] = ""
    elements: Literal["", "images", "any"] = ""
    most_elements: int = 7
    prompt_required: bool = True
    shots: bool = False
    negative_prompt: bool = False
    longest_seconds: int = 15
    ratios: tuple[str, ...] = ()

    @property
    def follows(self) -> bool:
        return self.video in ("motion", "base_video")


RATIOS = ("16:9", "9:16", "1:1")
V3 = {
    "standard": {"off": 84, "on": 126},
    "pro": {"off": 112, "on": 168},
    "4k": {"off": 420, "on": 420},
}
O3 = {
    "standard": {"off": 84, "on": 112},
    "pro": {"off": 112, "on": 140},
    "4k": {"off": 420, "on": 420},
}
WITH_VIDEO = {"standard": {"video": 126}, "pro": {"video": 168}}
V2_6_MOTION = {"standard": {"video": 70}, "pro": {"video": 112}}

ENDPOINTS = {
    "/v3/{tier}/text-to-video": Endpoint(
        name="v3", rates=V3, sound="generate_audio", shots=True, negative_prompt=True, ratios=RATIOS
    ),
    "/v3/{tier}/image-to-video": Endpoint(
        name="v3",
        rates=V3,
        sound="generate_audio",
        start="start_image_url",
        start_required=True,
        end="end_image_url",
        end_with_shots=False,
        elements="any",
        shots=True,
        negative_prompt=True,
    ),
    "/v3/{tier}/motion-control": Endpoint(
        name="v3",
        rates=WITH_VIDEO,
        sound="keep_original_sound",
        images="image_url",
        video="motion",
        elements="images",
        most_elements=1,
        prompt_required=False,
    ),
    "/v2.6/{tier}/motion-control": Endpoint(
        name="v2.6",
        rates=V2_6_MOTION,
        sound="keep_original_sound",
        images="image_url",
        video="motion",
        prompt_required=False,
    ),
    "/o3/{tier}/text-to-video": Endpoint(name="o3", rates=O3, sound="generate_audio", shots=True, ratios=RATIOS),
    "/o3/{tier}/image-to-video": Endpoint(
        name="o3",
        rates=O3,
        sound="generate_audio",
        start="image_url",
        start_required=True,
        end="end_image_url",
        shots=True,
    ),
    "/o3/{tier}/reference-to-video": Endpoint(
        name="o3",
        rates=O3,
        sound="generate_audio",
        start="start_image_url",
        end="end_image_url",
        images="image_urls",
        elements="any",
        shots=True,
        ratios=RATIOS,
    ),
    "/o3/{tier}/video-to-video/reference": Endpoint(
        name="o3",
        rates=WITH_VIDEO,
        sound="keep_audio",
        images="image_urls",
        video="feature_video",
        elements="images",
        most_elements=4,
        ratios=("auto", *RATIOS),
    ),
    "/o3/{tier}/video-to-video/edit": Endpoint(
        name="o3",
        rates=WITH_VIDEO,
        sound="keep_audio",
        images="image_urls",
        video="base_video",
        elements="images",
        most_elements=4,
    ),
    "/o1/image-to-video": Endpoint(
        name="o1",
        rates={"pro": {"off": 112}},
        start="start_image_url",
        start_required=True,
        end="end_image_url",
        longest_seconds=10,
    ),
    "/o1/video-to-video/edit": Endpoint(
        name="o1",
        rates={"pro": WITH_VIDEO["pro"]},
        sound="keep_audio",
        has_sound=False,
        images="image_urls",
        video="base_video",
        elements="images",
        most_elements=4,
    ),
}
