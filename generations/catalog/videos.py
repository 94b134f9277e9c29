"""What the video families share: fields, the element list in its two places, images by number, canonical inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

from generations.catalog import shots
from generations.catalog.base import ElementKind, ElementRef, MediaKind, MediaRef, Spec
from generations.catalog.fields import NOT_BLANK, Choice, Flag, ListOf, Object, Text, WebAddress, invalid
from generations.media import ImageRule

MEGABYTE = 1024 * 1024
STABLE = "Stable: fields are added, never renamed or removed."
WITH_PROMPT = {"required": ["prompt"], "properties": {"prompt": {"pattern": NOT_BLANK}}}
ELEMENTS_ONCE = {"not": {**shots.model_params_are(("element_list",)), "required": ["model_params", "element_list"]}}
ASPECT_RATIO = Choice(values=("16:9", "9:16", "1:1"), default="16:9", about="The shape of the video.")
KEEP_SOUND = Flag(default=True, about="Whether the sound of the input video is kept.")
NAMED_ELEMENTS = "<<<element_N>>> in a prompt names the N-th entry of element_list, which must exist."
NAMED_MEDIA = (
    "<<<image_N>>> in a prompt names the N-th image, counted over image_start, image_end and image_urls, "
    "<<<video_1>>> the video; each must exist."
)
NO_ELEMENTS = "A prompt cannot name elements such as <<<element_1>>>."
USABLE_ELEMENTS = "Each element must be a usable element of your organization."
IMAGE_RULE = "Images are JPEG or PNG, at most 10 MB, at least 300 pixels a side, between 1:2.5 and 2.5:1 in shape."
PLAIN: dict[str, Any] = {
    "prompt": "",
    "negative_prompt": "",
    "duration_seconds": None,
    "quality": "720p",
    "sound": False,
    "aspect_ratio": None,
    "multi_shot": False,
    "shot_type": None,
    "shots": [],
    "element_ids": [],
    "watermark": False,
}


def inputs(**given: Any) -> dict[str, Any]:
    """The canonical inputs of a clip: what every clip has, and what only this one says."""
    return PLAIN | given


def quality(*values: str) -> Choice:
    return Choice(values=values, upper_case=True, default=values[0], about="The resolution of the video.")


def prompt(longest: int = 2500, *, required: bool = False) -> Text:
    about = "What happens in the video."
    if required:
        return Text(max_length=longest, blank=False, required=True, about=about)
    return Text(max_length=longest, default="", about=about)


def image_urls(most: int, about: str, *, least: int = 0, required: bool = False) -> ListOf:
    return ListOf(item=WebAddress(), min_items=least, max_items=most, required=required, about=about)


def element_list(most: int) -> ListOf:
    about = "The id of an element."
    return ListOf(
        item=Object(fields={"element_id": Text(max_length=64, blank=False, required=True, about=about)}),
        max_items=most,
        about="Your elements that the video shows; <<<element_1>>> in a prompt names the first.",
    )


def element_list_at_root(most: int) -> ListOf:
    return ListOf(item=element_list(most).item, max_items=most, about="Another place for model_params.element_list.")


def at_most_elements(most: int) -> dict[str, Any]:
    """JSON Schema: no more elements than these, in either place."""
    few = {"element_list": {"maxItems": most}}
    return {"properties": few | {"model_params": {"properties": few}}}


def element_path(root: Mapping[str, Any]) -> str:
    return "model_params.element_list" if root.get("element_list") is None else "element_list"


def elements(
    root: Mapping[str, Any], params: Mapping[str, Any], kind: ElementKind | None = None
) -> tuple[ElementRef, ...]:
    """The elements of a request, wherever it lists them."""
    inner, alias = params.get("element_list"), root.get("element_list")
    if inner is not None and alias is not None:
        raise invalid("element_list", "element_list and model_params.element_list cannot be used together.")
    path = element_path(root)
    return tuple(
        ElementRef(param=f"{path}[{position}].element_id", element_id=entry["element_id"], kind=kind)
        for position, entry in enumerate(alias or inner or [])
    )


def numbered(most: int, rule: ImageRule | None = None) -> dict[str, MediaKind]:
    """The roles `image_1` to `image_<most>`, all under one rule."""
    return {f"image_{number}": MediaKind(rule=rule or ImageRule()) for number in range(1, most + 1)}


def images(spec: Spec, urls: Sequence[str] | None) -> tuple[MediaRef, ...]:
    """The entries of `image_urls`, each in the role of its number."""
    return tuple(
        spec.media_ref(f"image_{position + 1}", f"image_urls[{position}]", url)
        for position, url in enumerate(urls or [])
    )
