"""Models, their variants and what they can do, in the reader's words."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evolink_saas.console.wording import Words

CAPABILITIES: dict[str, Words] = {
    "text_to_video": _("text to video"),
    "image_to_video": _("image to video"),
    "reference_to_video": _("reference to video"),
    "video_edit": _("video edit"),
    "motion_control": _("motion control"),
    "custom_element": _("reusable character"),
    "element_from_images": _("from images"),
    "element_from_video": _("from a video"),
    "multi_shot": _("several shots"),
    "sound": _("sound"),
    "4k": _("4K"),
    "end_frame": _("last frame"),
    "elements": _("elements"),
    "image_references": _("reference images"),
    "negative_prompt": _("negative prompt"),
    "watermark": _("optional watermark"),
    "keep_sound": _("keeps the sound"),
    "voice": _("voice"),
}
VARIANTS: dict[str, Words] = {
    "": "%(quality)s",
    "off": _("%(quality)s without sound"),
    "on": _("%(quality)s with sound"),
    "video": _("%(quality)s with an input video"),
}
SOURCES: dict[str, Words] = {
    "off": _("without sound"),
    "on": _("with sound"),
    "": _("without an input video"),
    "video": _("with an input video"),
}
CALL = _("One call")
MEASURED: dict[str, Words] = {
    "request": _("The seconds you ask for are charged."),
    "input": _(
        "The seconds of your video are charged; they are measured, and what was reserved beyond them comes back."
    ),
    "output": _(
        "The seconds of the result are charged; they are measured, and what was reserved beyond them comes back."
    ),
}


def capability(name: str) -> str:
    return str(CAPABILITIES[name])


def quality(word: str) -> str:
    """`720p`, `4K`"""
    return word.replace("k", "K")


def variant(cell: str, label: str) -> str:
    """A cell in words; one of another kind is called as the price book calls it."""
    size, _separator, kind = cell.partition("_")
    if cell == "call":
        return str(CALL)
    return str(VARIANTS[kind]) % {"quality": quality(size)} if kind in VARIANTS else label


def sentence(marked: str) -> str:
    """A sentence of the catalogue."""
    return gettext(marked)
