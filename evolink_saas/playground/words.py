"""The playground's words: labels, help, choices, families of models, and what its scripts say."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from evolink_saas.console.wording import Words
from evolink_saas.playground.fields import FormField
from generations.catalog.base import Spec
from generations.media import ImageRule, VideoRule

MEGABYTE = 1024 * 1024
FORMATS = {"jpeg": "JPG/JPEG", "png": "PNG", "webp": "WebP", "mp4": "MP4", "mov": "MOV"}


@dataclass(frozen=True)
class Label:
    label: Words
    help: Words = ""


LABELS: dict[str, Label] = {
    "prompt": Label(lazy("Prompt"), lazy("What happens in the video.")),
    "negative_prompt": Label(lazy("Not in the video"), lazy("What the video should not show.")),
    "image_start": Label(lazy("First frame"), lazy("The video starts with this image.")),
    "image_end": Label(lazy("Last frame"), lazy("The video ends with this image; only with a first frame.")),
    "image_urls": Label(lazy("Images"), lazy("In the prompt, <<<image_1>>> is the first of them.")),
    "video_url": Label(lazy("Video")),
    "video_urls": Label(lazy("Video")),
    "frontal_image": Label(lazy("Frontal view"), lazy("The subject from the front, its face clearly visible.")),
    "refer_images": Label(lazy("Other angles"), lazy("Profiles, the back, other expressions.")),
    "element_name": Label(lazy("Name")),
    "element_description": Label(lazy("Description"), lazy("Who or what this is, in a few words.")),
    "element_voice_id": Label(lazy("Voice"), lazy("The voice with which the element speaks.")),
    "reference_type": Label(lazy("Made from")),
    "element_list": Label(lazy("Elements"), lazy("In the prompt, <<<element_1>>> is the first of them.")),
    "duration": Label(lazy("Length")),
    "quality": Label(lazy("Quality")),
    "sound": Label(lazy("Sound")),
    "aspect_ratio": Label(lazy("Shape")),
    "multi_shot": Label(lazy("Several shots")),
    "shot_type": Label(lazy("Who plans the shots")),
    "multi_prompt": Label(lazy("Shots"), lazy("Each shot with its own prompt; their seconds make the length.")),
    "character_orientation": Label(
        lazy("The character faces"), lazy("As in the image (the video may be shorter) or as in the video.")
    ),
    "keep_sound": Label(lazy("Keep the sound of the video")),
    "keep_original_sound": Label(lazy("Keep the sound of the video")),
    "watermark_info": Label(lazy("Watermark")),
    "callback_url": Label(lazy("Callback address"), lazy("An https address that is told when the task has ended.")),
    "metadata": Label(lazy("Metadata"), lazy("Your own words for the task, one name=value a line.")),
}
CHOICES: dict[str, Words] = {
    "image_refer": lazy("Images"),
    "video_refer": lazy("A video"),
    "customize": lazy("You"),
    "intelligence": lazy("The model"),
    "image": lazy("As in the image"),
    "video": lazy("As in the video"),
}
CAPABILITIES: dict[str, Words] = {
    "text_to_video": lazy("text to video"),
    "image_to_video": lazy("image to video"),
    "end_frame": lazy("last frame"),
    "elements": lazy("elements"),
    "negative_prompt": lazy("negative prompt"),
    "multi_shot": lazy("several shots"),
    "sound": lazy("sound"),
    "4k": "4K",
    "watermark": lazy("watermark"),
    "motion_control": lazy("motion control"),
    "keep_sound": lazy("keeps the sound"),
    "image_references": lazy("image references"),
    "reference_to_video": lazy("follows references"),
    "video_edit": lazy("video edit"),
    "custom_element": lazy("element"),
    "element_from_images": lazy("from images"),
    "element_from_video": lazy("from a video"),
    "voice": lazy("voice"),
}


def label(one: FormField) -> Words:
    known = LABELS.get(one.word)
    return known.label if known else one.word.replace("_", " ").capitalize()


def help_of(one: FormField) -> Words:
    known = LABELS.get(one.word)
    return known.help if known else one.field.about


def choice(value: str) -> Words:
    return CHOICES.get(value, value)


def capabilities(spec: Spec) -> list[Words]:
    return [CAPABILITIES.get(one, one.replace("_", " ")) for one in spec.capabilities]


def media_asks(rule: ImageRule | VideoRule) -> str:
    """`JPG/JPEG or PNG, up to 10 MB`, and of a video how long it may be."""
    given: dict[str, Any] = {
        "formats": ", ".join(FORMATS.get(one, one.upper()) for one in rule.formats),
        "size": rule.max_bytes // MEGABYTE,
    }
    if isinstance(rule, ImageRule):
        side = {"side": rule.min_side}
        return _("%(formats)s, up to %(size)d MB, at least %(side)d pixels a side") % (given | side)
    seconds = {"least": f"{rule.min_seconds:g}", "most": f"{rule.max_seconds:g}"}
    return _("%(formats)s, up to %(size)d MB, %(least)s to %(most)s seconds") % (given | seconds)


def for_scripts() -> dict[str, str]:
    """What the page's own scripts say. {names} in braces are filled in by them."""
    return {
        "remove": _("Remove {name}"),
        "wrong_type": _("This must be {formats}; {name} is something else."),
        "too_big": _("This must not exceed {most} MB; {name} has {size} MB."),
        "too_small": _("Both sides must have at least {side} pixels; {name} has {width} x {height}."),
        "too_large_sides": _("Both sides must have at most {side} pixels; {name} has {width} x {height}."),
        "wrong_shape": _(
            "The width divided by the height must lie between {least} and {most}; {name} has {width} x {height}."
        ),
        "wrong_length": _("The video must last {least} to {most} seconds; {name} lasts {seconds}."),
        "too_many": _("At most {most} files fit here."),
        "unreadable": _("{name} cannot be read; is it damaged?"),
        "upload_failed": _("The upload did not succeed. Please try again."),
        "no_answer": _("No answer came. Look at the history before you try again: nothing is bought twice."),
        "signed_out": _("You are not signed in any more. Reload the page."),
        "shot": _("Shot {number}"),
        "shots_add_up": _("{sum} of {duration} seconds"),
        "get_credits": _("Get credits"),
        "element": _("Element {number}"),
    }
