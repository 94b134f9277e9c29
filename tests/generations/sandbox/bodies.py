"""Bodies of both generations as a customer of Kling writes them, and the headers to send them with."""

from typing import Any

from generations.sandbox.store import API_KEY

KEY = {"Authorization": f"Bearer {API_KEY}"}
NEW_TEXT = "/text-to-video/kling-3.0"
NEW_IMAGE = "/image-to-video/kling-3.0"
TEXT = "/v1/videos/text2video"
IMAGE = "/v1/videos/image2video"
ELEMENTS = "/v1/general/advanced-custom-elements"
NOWHERE = "http://127.0.0.1:9/x.png"


def new_text(external_id: str = "", prompt: str = "a heron", **settings: Any) -> dict[str, Any]:
    return {"prompt": prompt, "settings": settings, "options": {"external_task_id": external_id}}


def new_image(*contents: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"contents": list(contents), "settings": settings}


def frame(part: str = "first_frame", url: str = NOWHERE) -> dict[str, Any]:
    return {"type": part, "url": url}


def legacy(external_id: str = "", **fields: Any) -> dict[str, Any]:
    return {"model_name": "kling-v3", "prompt": "a heron", "external_task_id": external_id} | fields


def element(external_id: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "element_name": "Ada",
        "element_description": "a woman",
        "reference_type": "image_refer",
        "element_image_list": {"frontal_image": NOWHERE, "refer_images": [{"image_url": NOWHERE}]},
        "external_task_id": external_id,
    } | fields


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in body.items() if field != name}
