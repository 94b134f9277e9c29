"""Elements as cards: each with the pictures that it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from accounts.models import Organization
from evolink_saas.console import pictures
from evolink_saas.console.pictures import Picture
from generations import elements
from generations.models import Element

PAGE_SIZE = 24
FIRST_ROLES = ("frontal_image", "video")


@dataclass(frozen=True, kw_only=True)
class Card:
    """`main` is the subject from the front, or its video; None where the files are gone."""

    element: Element
    main: Picture | None
    others: list[Picture]


def page(organization: Organization, cursor: str) -> tuple[list[Card], str | None]:
    """Newest first, after `cursor`; one that cannot be a cursor begins anew."""
    found, after = elements.page(organization, PAGE_SIZE, elements.number(cursor))
    return cards(organization, found), after


def cards(organization: Organization, found: Sequence[Element]) -> list[Card]:
    prefetch_related_objects(found, "sources__file", "voice")
    return [_card(organization, element) for element in found]


def _card(organization: Organization, element: Element) -> Card:
    sources = sorted(element.sources.all(), key=lambda source: source.role)
    living = {source.role: pictures.of(organization, source.file) for source in sources}
    shown = {role: picture for role, picture in living.items() if not picture.is_gone}
    main = next((shown[role] for role in FIRST_ROLES if role in shown), None)
    return Card(element=element, main=main, others=[picture for picture in shown.values() if picture is not main])
