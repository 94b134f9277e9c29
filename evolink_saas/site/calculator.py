"""What a video costs, worked out for whoever types seconds, quality and sound: on the server here, and on the page by
`static/site/calculator.js` from the same cells. Both multiply exactly and round once, so they agree to the last digit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing import dollars, pricing
from billing.amounts import SMALLEST
from billing.pricing import spelled
from evolink_saas.site import wording
from evolink_saas.site.offers import Offer, Variant
from generations.catalog.base import Spec
from generations.catalog.fields import NumberChoice, WholeNumber
from generations.media import VideoRule

USUAL_SECONDS = 5  # where the model has no length of its own


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """What a request may ask for, in seconds: from the shortest to the longest in steps, and what most ask for."""

    shortest: int
    longest: int
    usual: int
    step: int = 1

    def fit(self, seconds: int) -> bool:
        return self.shortest <= seconds <= self.longest and (seconds - self.shortest) % self.step == 0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One option of a select."""

    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Result:
    """`billed_seconds` are those asked for, but never fewer than the minimum; `official_usd` is the maker's price."""

    variant: Variant
    billed_seconds: Decimal | None
    credits: Decimal
    usd: Decimal
    official_usd: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Calculator:
    """`kind` names the second select: sound, source (is there an input video), or none."""

    lengths: Lengths
    seconds: int
    qualities: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    kind: str
    is_wrong: bool
    result: Result | None
    cells: dict[str, Any]


def of(offer: Offer, asked: Mapping[str, str]) -> Calculator:
    """The calculator of a model, filled in with what was asked, else with the model's defaults."""
    allowed = lengths(offer.spec)
    seconds = _number(asked.get("seconds", str(allowed.usual)))
    qualities = _choose(_parts(offer, 0), asked.get("quality", ""))
    kinds = _choose(_parts(offer, 1), asked.get("sound", asked.get("source", "")))
    quality, kind = _chosen(qualities), _chosen(kinds)
    variant = offer.find(f"{quality}_{kind}" if kind else quality)
    fits = seconds is not None and allowed.fit(seconds)
    return Calculator(
        lengths=allowed,
        seconds=allowed.usual if seconds is None else seconds,
        qualities=tuple(_option(value, quality, wording.quality(value)) for value in qualities),
        kinds=tuple(_option(value, kind, str(wording.SOURCES.get(value, value))) for value in kinds),
        kind="" if len(kinds) < 2 else "sound" if set(kinds) <= {"on", "off"} else "source",
        is_wrong=not fits,
        result=cost(variant, seconds) if fits and variant is not None else None,
        cells=data(offer),
    )


def cost(variant: Variant, seconds: int | None) -> Result:
    credits = pricing.cost(variant.row, None if variant.is_per_call else seconds)
    billed = None if variant.is_per_call else max(Decimal(seconds or 0), variant.row.minimum_seconds)
    official = None if variant.official is None else variant.official * (billed or 1)
    return Result(
        variant=variant,
        billed_seconds=billed,
        credits=credits,
        usd=dollars.usd(credits),
        official_usd=None if official is None else official.quantize(SMALLEST, ROUND_HALF_UP),
    )


def lengths(spec: Spec) -> Lengths:
    """By the model's field or, where it has none, by the video that goes in."""
    match spec.root.fields.get("duration"):
        case WholeNumber() as field:
            return Lengths(shortest=field.minimum, longest=field.maximum, usual=field.default)
        case NumberChoice() as field:
            first, last = field.values[0], field.values[-1]
            step = (last - first) // max(1, len(field.values) - 1)
            return Lengths(shortest=first, longest=last, usual=field.default, step=step)
    rules = [kind.rule for kind in spec.media.values() if isinstance(kind.rule, VideoRule)]
    shortest = max(1, math.ceil(min((rule.min_seconds for rule in rules), default=1)))
    longest = math.floor(max((rule.max_seconds for rule in rules), default=USUAL_SECONDS))
    return Lengths(shortest=shortest, longest=longest, usual=min(max(USUAL_SECONDS, shortest), longest))


def data(offer: Offer) -> dict[str, Any]:
    """For the page's script: every cell in exact decimals, as text."""
    cells = {
        one.row.cell: {
            "unit": one.row.unit,
            "rate": spelled(one.row.rate),
            "factor": spelled(one.row.factor),
            "minimum": spelled(one.row.minimum_seconds),
            "official": None if one.official is None else spelled(one.official),
        }
        for one in offer.variants
    }
    return {"cells": cells, "creditsPerDollar": spelled(dollars.CREDITS_PER_DOLLAR)}


def _parts(offer: Offer, place: int) -> dict[str, None]:
    """The different first or second parts of the cells' names, in the order of their price."""
    return dict.fromkeys(one.row.cell.partition("_")[2 * place] for one in offer.variants)


def _choose(values: dict[str, None], asked: str) -> dict[str, bool]:
    """Which value is chosen: what was asked for, else the first."""
    chosen = asked if asked in values else next(iter(values), "")
    return {value: value == chosen for value in values}


def _chosen(values: dict[str, bool]) -> str:
    return next((value for value, is_chosen in values.items() if is_chosen), "")


def _option(value: str, chosen: str, words: str) -> Choice:
    return Choice(value=value, words=words, is_chosen=value == chosen)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
