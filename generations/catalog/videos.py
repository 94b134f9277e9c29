"""What the video families share: fields, the element list in its two places, images by number, canonical inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop as _

from generations.catalog.base import ElementKind, ElementRef, MediaKind, MediaRef, Spec
from generations.catalog.fields import Choice, Flag, ListOf, Object, Text, WebAddress, invalid
from generations.media import ImageRule

MOST_STABLE = _("Most stable, for production.")
STABLE = _("Stable: fields are added, never renamed or removed.")
ASPECT_RATIO = Choice(values=("16:9", "9:16", "1:1"), default="16:9", about="The shape of the video.")
KEEP_SOUND = Flag(default=True, about="Whether the sound of the input video is kept.")
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
