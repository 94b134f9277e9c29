"""What a request must satisfy beyond its JSON Schema: sums, Unicode, and what only rows, the network or media know.

The schema of a model lists its rules under `x-rules`. An id is stable, so that a program may know a rule by it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from generations.media import ImageRule, VideoRule

MEGABYTE = 1024 * 1024
NAMES = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "mp4": "MP4", "mov": "MOV"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`needs` says what decides it: the request alone, our records, the network, or the pictures and films."""

    id: str
    rule: str
    needs: Literal["request", "records", "network", "media"]

    def shown(self) -> dict[str, str]:
        return asdict(self)


SHOTS_ADD_UP = Rule(
    id="shot_durations_add_up",
    rule="With shot_type customize, the durations of multi_prompt add up to duration exactly.",
    needs="request",
)
PROMPT_UNUSED = Rule(
    id="prompt_unused_with_own_shots",
    rule="With shot_type customize, prompt is ignored, whatever it is.",
    needs="request",
)
LENGTHS_AFTER_NFC = Rule(
    id="lengths_after_normalization",
    rule="element_name (1 to 20) and element_description (1 to 100) are counted in Unicode code points after NFC "
    "normalization; white space around them does not count.",
    needs="request",
)
TEXT_IS_UNICODE = Rule(
    id="text_is_unicode",
    rule="No string holds an unpaired surrogate.",
    needs="request",
)
ADDRESSES_ARE_PUBLIC = Rule(
    id="addresses_are_public",
    rule="callback_url and media addresses are public: no internal address, no user name or password, no odd spelling.",
    needs="network",
)
FILES_ARE_YOURS = Rule(
    id="files_are_yours",
    rule="A media address on this host is the link of a file of your own organization that still exists.",
    needs="records",
)
ELEMENTS_ARE_USABLE = Rule(
    id="elements_are_usable",
    rule="Each element exists in your organization and was not deleted.",
    needs="records",
)
ELEMENTS_FROM_IMAGES = Rule(
    id="elements_made_from_images",
    rule="Each element was made with reference_type image_refer.",
    needs="records",
)
ELEMENTS_FROM_VIDEO = Rule(
    id="elements_made_from_video",
    rule="The element was made with reference_type video_refer.",
    needs="records",
)
VOICE_IS_KNOWN = Rule(
    id="voice_is_known",
    rule="element_voice_id is a voice of GET /v1/voices.",
    needs="records",
)
QUOTE_HOLDS = Rule(
    id="quote_holds",
    rule="quote_id is a quote of your organization for this very body, not yet expired and not yet used.",
    needs="records",
)
FACE_IS_VISIBLE = Rule(
    id="face_is_visible",
    rule="A human face is clearly visible in the frontal image, or in the video.",
    needs="media",
)


def images_fit(rule: ImageRule) -> Rule:
    """What a model asks of every image."""
    return Rule(
        id="images_fit",
        rule=f"Images are {_either(rule.formats)}, at most {rule.max_bytes // MEGABYTE} MB, at least {rule.min_side} "
        f"pixels on each side, between 1:{1 / rule.min_ratio:g} and {rule.max_ratio:g}:1 in shape.",
        needs="media",
    )


def video_fits(rule: VideoRule, *, length: str = "") -> Rule:
    """What a model asks of its video. `length` says it in words where one number does not."""
    asked = [
        length or f"{rule.min_seconds:g} to {rule.max_seconds:g} seconds",
        f"at most {rule.max_bytes // MEGABYTE} MB",
        f"{rule.min_side} to {rule.max_side} pixels on each side",
        *([f"{' or '.join(rule.ratios)} in shape"] if rule.ratios else []),
        *([f"{rule.min_fps} to {rule.max_fps} frames a second"] if rule.min_fps else []),
    ]
    return Rule(id="video_fits", rule=f"The video is {_either(rule.formats)}, {', '.join(asked)}.", needs="media")


def _either(formats: Sequence[str]) -> str:
    *others, last = (NAMES[one] for one in formats)
    return f"{', '.join(others)} or {last}"
