"""Prices by a length that only the media knows: what is reserved at the request, and what is measured for the charge.

The catalogue says how (`Settlement`); the price's frozen inputs repeat it, so that a charge can be computed again.
"""

from collections.abc import Mapping
from decimal import Decimal

from billing import pricing
from generations.catalog.base import Parsed, Settlement, Spec
from generations.models import StoredFile, Task


def reserved_seconds(spec: Spec, parsed: Parsed, uploads: Mapping[str, StoredFile]) -> Decimal | int | None:
    """The seconds to reserve credits for: those of our own upload where the video is one, else the most there can be.

    `uploads` are those that the request names, by address.
    """
    most = parsed.price.seconds
    length = None if spec.settlement is None else _length(spec.settlement, parsed, uploads)
    if spec.settlement is None or length is None or most is None:
        return most
    return min(pricing.rounded(length, spec.settlement.reserves), Decimal(most))


def is_open(spec: Spec, parsed: Parsed, uploads: Mapping[str, StoredFile]) -> bool:
    """Whether the charge may be less than what is reserved: it follows an output, or an input nobody has measured."""
    settled = spec.settlement
    return settled is not None and (settled.measures == "output" or _length(settled, parsed, uploads) is None)


def frozen(spec: Spec) -> dict[str, str]:
    """What the price's inputs have to say about it; nothing for a length that is asked for."""
    if spec.settlement is None:
        return {}
    return {"measured": spec.settlement.measures, "rounding": spec.settlement.charges}


def measured_seconds(task: Task, result: StoredFile | None) -> Decimal | None:
    """The seconds that count in the end: of the input where it decides (frozen by its probe), else of the result."""
    if task.price.get("measured") == "input":
        return task.measured_seconds
    return result.duration_seconds if result else None


def _length(settlement: Settlement, parsed: Parsed, uploads: Mapping[str, StoredFile]) -> Decimal | None:
    videos = [medium.url for medium in parsed.media if medium.role in settlement.roles]
    return next((uploads[url].duration_seconds for url in videos if url in uploads), None)
