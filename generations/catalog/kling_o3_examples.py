"""Examples of the Kling 3.0 Omni models."""

from django.utils.translation import gettext_noop as _

from generations.catalog.base import Example

T2V = "kling-o3-text-to-video"
I2V = "kling-o3-image-to-video"
REFERENCE = "kling-o3-reference-to-video"
EDIT = "kling-o3-video-edit"
ELEMENT = {"element_list": [{"element_id": "860123456789012345"}]}
CLIP = "https://example.com/street.mp4"
STORYBOARD = {
    "multi_shot": True,
    "shot_type": "customize",
    "multi_prompt": [
        {"index": 1, "prompt": "A harbour at dawn", "duration": 3},
        {"index": 2, "prompt": "The first boat leaves", "duration": 3},
    ],
}

FROM_TEXT = (
    Example(name="plain", summary=_("Five seconds from a prompt"), body={"model": T2V, "prompt": "A heron takes off"}),
    Example(
        name="with_element",
        summary=_("An element in 1080p with sound"),
        body={
            "model": T2V,
            "prompt": "<<<element_1>>> sings on a rooftop",
            "duration": 8,
            "quality": "1080p",
            "sound": "on",
            "model_params": ELEMENT,
        },
    ),
    Example(
        name="own_shots",
        summary=_("A storyboard of two shots"),
        body={"model": T2V, "duration": 6, "aspect_ratio": "9:16", "model_params": STORYBOARD},
    ),
)
FROM_IMAGES = (
    Example(
        name="plain",
        summary=_("Five seconds from a first frame"),
        body={"model": I2V, "image_start": "https://example.com/harbour.jpg", "prompt": "The boats begin to sway"},
    ),
    Example(
        name="first_and_last_frame",
        summary=_("From a first frame to a last one"),
        body={
            "model": I2V,
            "image_start": "https://example.com/bud.jpg",
            "image_end": "https://example.com/flower.jpg",
            "prompt": "The bud opens slowly",
        },
    ),
    Example(
        name="reference_images",
        summary=_("Images and an element that the prompt names"),
        body={
            "model": I2V,
            "image_urls": ["https://example.com/hat.png", "https://example.com/cafe.png"],
            "prompt": "<<<element_1>>> wears the hat of <<<image_1>>> in the café of <<<image_2>>>",
            "duration": 10,
            "quality": "4k",
            "model_params": ELEMENT,
        },
    ),
)
FROM_REFERENCES = (
    Example(
        name="images",
        summary=_("A scene from reference images"),
        body={
            "model": REFERENCE,
            "image_urls": ["https://example.com/dog.png"],
            "prompt": "<<<image_1>>> runs along a beach",
        },
    ),
    Example(
        name="video",
        summary=_("The camera of a video, with an element"),
        body={
            "model": REFERENCE,
            "video_url": CLIP,
            "prompt": "<<<element_1>>> walks as in <<<video_1>>>",
            "duration": 8,
            "keep_original_sound": False,
            "model_params": ELEMENT,
        },
    ),
    Example(
        name="sharp",
        summary=_("Ten square seconds in 1080p"),
        body={
            "model": REFERENCE,
            "image_urls": ["https://example.com/vase.png"],
            "prompt": "<<<image_1>>> turns on a table",
            "duration": 10,
            "quality": "1080p",
            "aspect_ratio": "1:1",
        },
    ),
)
EDITS = (
    Example(
        name="plain", summary=_("A change in words"), body={"model": EDIT, "video_url": CLIP, "prompt": "Let it snow"}
    ),
    Example(
        name="with_image",
        summary=_("Something of an image enters the video"),
        body={
            "model": EDIT,
            "video_url": CLIP,
            "prompt": "The car becomes <<<image_1>>>",
            "image_urls": ["https://example.com/car.png"],
            "quality": "1080p",
        },
    ),
    Example(
        name="with_element",
        summary=_("An element replaces somebody, without the sound"),
        body={
            "model": EDIT,
            "video_url": CLIP,
            "prompt": "The man becomes <<<element_1>>>",
            "keep_original_sound": False,
            "model_params": ELEMENT,
        },
    ),
)
