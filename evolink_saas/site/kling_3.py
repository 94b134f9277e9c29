"""What the page of Kling 3.0 shows, put together of what the catalogue, the price book, the settings and the records of
our own work say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts.models import Organization
from accounts.organizations import MOST_RETENTION_HOURS
from billing import dollars
from evolink_saas.site import calculator, examples, offers, wording
from evolink_saas.site.calculator import Calculator
from evolink_saas.site.examples import Example
from evolink_saas.site.offers import Offer, Offers, Table, Variant
from generations import standing, status_page
from generations.catalog import kling_o3, kling_v3, shots
from generations.catalog.base import Spec
from generations.catalog.fields import Choice
from generations.status_page import Row

FAMILY = (kling_v3.TEXT_TO_VIDEO, kling_v3.IMAGE_TO_VIDEO)
SISTER = kling_o3.TEXT_TO_VIDEO
"""The questions compare 3.0 with the models of this one's family."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One shot of the film in the page's head: the catalogue's own storyboard."""

    number: int
    prompt: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    shortest: int
    longest: int
    qualities: tuple[str, ...]
    shapes: tuple[str, ...]
    most_shots: int
    minutes: int


@dataclass(frozen=True, kw_only=True)
class Page:
    offers: tuple[Offer, ...]
    tables: tuple[Table, ...]
    user_group: str
    is_own: bool
    calculator: Calculator
    examples: tuple[Example, ...]
    everything: tuple[Offer, ...]
    rows: tuple[Row, ...]
    promise: str
    storyboard: tuple[Shot, ...]
    limits: Limits
    sister: Offer
    free_credits: Decimal
    free_days: int
    free_seconds: int
    credits_per_dollar: Decimal
    retention_hours: int
    most_retention_hours: int

    @property
    def main(self) -> Offer:
        return self.offers[0]

    @property
    def cheapest(self) -> Variant | None:
        return self.main.cheapest

    @property
    def saving(self) -> int:
        """The least that we are below the maker's price, over all variants."""
        return min((one.saving for one in self.main.variants if one.official is not None), default=0)


def of(organization: Organization | None, asked: Mapping[str, str]) -> Page:
    found = offers.read(organization)
    family = found.of(FAMILY)
    told = status_page.page(standing.report())
    return Page(
        offers=family,
        tables=offers.tables(family),
        user_group=found.user_group,
        is_own=found.is_own,
        calculator=calculator.of(family[0], asked),
        examples=examples.of(FAMILY[0]),
        everything=found.all,
        rows=tuple(row for row in told.rows if row.standing.model in {spec.id for spec in FAMILY}),
        promise=told.promise,
        storyboard=_storyboard(kling_v3.STORYBOARD["multi_prompt"]),
        limits=_limits(FAMILY[0], family[0]),
        sister=_only(found, SISTER),
        free_credits=settings.SIGN_UP_CREDITS,
        free_days=settings.SIGN_UP_CREDITS_EXPIRE_DAYS,
        free_seconds=_seconds_for(settings.SIGN_UP_CREDITS, family[0]),
        credits_per_dollar=dollars.CREDITS_PER_DOLLAR,
        retention_hours=Organization._meta.get_field("result_retention_hours").default,
        most_retention_hours=MOST_RETENTION_HOURS,
    )


def _storyboard(told: Any) -> tuple[Shot, ...]:
    return tuple(Shot(number=one["index"], prompt=one["prompt"], seconds=int(one["duration"])) for one in told)


def _limits(spec: Spec, offer: Offer) -> Limits:
    return Limits(
        shortest=int(offer.minimum_seconds),
        longest=calculator.lengths(spec).longest,
        qualities=tuple(map(wording.quality, _values(spec, "quality"))),
        shapes=_values(spec, "aspect_ratio"),
        most_shots=shots.MOST_SHOTS,
        minutes=round(spec.estimated_seconds / 60),
    )


def _values(spec: Spec, name: str) -> tuple[str, ...]:
    """What a field may be."""
    field = spec.root.fields.get(name)
    return field.values if isinstance(field, Choice) else ()


def _seconds_for(credits: Decimal, offer: Offer) -> int:
    """How many seconds of the cheapest variant these credits pay, whole ones and none below the minimum."""
    cheapest = offer.cheapest
    if cheapest is None or not cheapest.credits:
        return 0
    seconds = int(credits / cheapest.credits)
    return seconds if seconds >= cheapest.row.minimum_seconds else 0


def _only(found: Offers, spec: Spec) -> Offer:
    return found.of([spec])[0]
