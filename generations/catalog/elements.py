"""kling-custom-element: makes a reusable subject from images, or from one short video."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog.base import Example, MediaKind, MediaRef, Parsed, PriceInputs, Spec, VoiceRef
from generations.catalog.fields import Choice, ListOf, Object, Text, WebAddress, invalid, missing
from generations.catalog.rules import (
    FACE_IS_VISIBLE,
    LENGTHS_AFTER_NFC,
    MEGABYTE,
    VOICE_IS_KNOWN,
    images_fit,
    video_fits,
)
from generations.media import ImageRule, VideoRule

IMAGES = "model_params.element_image_list"
VIDEO = "model_params.element_video_list"
VOICE = "model_params.element_voice_id"
VIDEO_RULE = VideoRule(
    max_bytes=200 * MEGABYTE,
    min_seconds=3,
    max_seconds=8,
    min_side=720,
    max_side=2160,
    ratios=("16:9", "9:16"),
)

IMAGE_LIST = Object(
    about="The images of the subject; required with image_refer.",
    fields={
        "frontal_image": WebAddress(required=True, about="The subject from the front, with a clearly visible face."),
        "refer_images": ListOf(
            item=Object(fields={"image_url": WebAddress(required=True)}),
            max_items=3,
            about="Other angles. Without any, the frontal image serves as the one reference.",
        ),
    },
)
VIDEO_LIST = Object(
    about="The video of the subject; required with video_refer. Either video_url or refer_videos.",
    fields={
        "video_url": WebAddress(about="3 to 8 seconds, 16:9 or 9:16, with a clearly visible face."),
        "refer_videos": ListOf(
            item=Object(fields={"video_url": WebAddress(required=True)}),
            min_items=1,
            max_items=1,
            about="Another way to write video_url.",
        ),
    },
    conditions=({"oneOf": [{"required": ["video_url"]}, {"required": ["refer_videos"]}]},),
)


def _when(kind: str, *, needs: str, refuses: tuple[str, ...]) -> dict[str, Any]:
    return {
        "description": f"{kind} takes {needs}, and no {' and no '.join(refuses)}.",
        "if": {"properties": {"reference_type": {"const": kind}}, "required": ["reference_type"]},
        "then": {"required": [needs], "properties": dict.fromkeys(refuses, False)},
    }


MODEL_PARAMS = Object(
    fields={
        "element_name": Text(
            max_length=20, trimmed=True, blank=False, required=True, about="The element's name, 1 to 20 characters."
        ),
        "element_description": Text(
            max_length=100, trimmed=True, blank=False, required=True, about="What the element is, 1 to 100 characters."
        ),
        "reference_type": Choice(
            values=("image_refer", "video_refer"), required=True, about="What the element is made from."
        ),
        "element_image_list": IMAGE_LIST,
        "element_video_list": VIDEO_LIST,
        "element_voice_id": Text(max_length=64, blank=False, about="A voice of GET /v1/voices; only with video_refer."),
    },
    conditions=(
        _when("image_refer", needs="element_image_list", refuses=("element_video_list", "element_voice_id")),
        _when("video_refer", needs="element_video_list", refuses=("element_image_list",)),
    ),
)


def _read(spec: Spec, body: Mapping[str, Any]) -> Parsed:
    given = spec.read_model_params(body)
    _check_kind(given)
    voice_id = given["element_voice_id"]
    return Parsed(
        model=spec.id,
        inputs={
            "name": given["element_name"],
            "description": given["element_description"],
            "kind": given["reference_type"],
            "voice_id": voice_id,
        },
        media=_images(spec, given) if given["reference_type"] == "image_refer" else (_video(spec, given),),
        elements=(),
        voice=VoiceRef(param=VOICE, voice_id=voice_id) if voice_id is not None else None,
        price=PriceInputs(model=spec.id, cell="call", seconds=None, billing_rule="per_call"),
        video_duration=None,
    )


def _check_kind(given: Mapping[str, Any]) -> None:
    by_images = given["reference_type"] == "image_refer"
    needed, other = (IMAGES, VIDEO) if by_images else (VIDEO, IMAGES)
    refused = (other, VOICE) if by_images else (other,)
    for param in refused:
        if given[param.removeprefix("model_params.")] is not None:
            raise invalid(param, f"{param} cannot be used when reference_type is {given['reference_type']}.")
    if given[needed.removeprefix("model_params.")] is None:
        raise missing(needed, f"{needed} is required when reference_type is {given['reference_type']}.")


def _images(spec: Spec, given: Mapping[str, Any]) -> tuple[MediaRef, ...]:
    images = given["element_image_list"]
    frontal = spec.media_ref("frontal_image", f"{IMAGES}.frontal_image", images["frontal_image"])
    others = (
        spec.media_ref(f"refer_image_{number}", f"{IMAGES}.refer_images[{number - 1}].image_url", entry["image_url"])
        for number, entry in enumerate(images["refer_images"] or [], start=1)
    )
    return (frontal, *others)


def _video(spec: Spec, given: Mapping[str, Any]) -> MediaRef:
    video = given["element_video_list"]
    if video["refer_videos"] is None:
        if video["video_url"] is None:
            raise missing(f"{VIDEO}.video_url")
        return spec.media_ref("video", f"{VIDEO}.video_url", video["video_url"])
    if video["video_url"] is not None:
        raise invalid(f"{VIDEO}.refer_videos", f"{VIDEO} takes either video_url or refer_videos, not both.")
    return spec.media_ref("video", f"{VIDEO}.refer_videos[0].video_url", video["refer_videos"][0]["video_url"])


FROM_IMAGES = Example(
    name="from_images",
    summary=_("An element from a frontal image and two other angles"),
    body={
        "model": "kling-custom-element",
        "model_params": {
            "element_name": "Mia",
            "element_description": "A young woman with short red hair and a green raincoat",
            "reference_type": "image_refer",
            "element_image_list": {
                "frontal_image": "https://example.com/mia/front.jpg",
                "refer_images": [
                    {"image_url": "https://example.com/mia/left.jpg"},
                    {"image_url": "https://example.com/mia/back.png"},
                ],
            },
        },
        "callback_url": "https://example.com/callbacks/elements",
    },
)
FROM_ONE_IMAGE = Example(
    name="from_one_image",
    summary=_("An element from one image"),
    body={
        "model": "kling-custom-element",
        "model_params": {
            "element_name": "Captain Ito",
            "element_description": "A grey-bearded sea captain in a navy coat",
            "reference_type": "image_refer",
            "element_image_list": {"frontal_image": "https://example.com/ito/front.png"},
        },
    },
)
FROM_VIDEO = Example(
    name="from_video_with_voice",
    summary=_("An element from a video, with a voice"),
    body={
        "model": "kling-custom-element",
        "model_params": {
            "element_name": "News anchor",
            "element_description": "A calm man in a dark suit behind a desk",
            "reference_type": "video_refer",
            "element_video_list": {"video_url": "https://example.com/anchor/talking.mp4"},
            "element_voice_id": "829826792415842333",
        },
    },
)

CUSTOM_ELEMENT = Spec(
    id="kling-custom-element",
    type="element",
    family=_("Elements"),
    description=_("Makes a reusable subject (an element) that later videos can show, from images or from one video."),
    stability=_("Stable: fields are added, never renamed or removed."),
    capabilities=("custom_element", "element_from_images", "element_from_video", "voice"),
    estimated_seconds=600,
    root=Object(fields={}, extras=True),
    model_params=MODEL_PARAMS,
    media={
        "frontal_image": MediaKind(rule=ImageRule(), face="required"),
        "refer_image_1": MediaKind(rule=ImageRule(), face="wanted"),
        "refer_image_2": MediaKind(rule=ImageRule(), face="wanted"),
        "refer_image_3": MediaKind(rule=ImageRule(), face="wanted"),
        "video": MediaKind(
            rule=VIDEO_RULE,
            face="required",
        ),
    },
    rules=(LENGTHS_AFTER_NFC, VOICE_IS_KNOWN, images_fit(ImageRule()), video_fits(VIDEO_RULE), FACE_IS_VISIBLE),
    examples=(FROM_IMAGES, FROM_ONE_IMAGE, FROM_VIDEO),
    reader=_read,
)
