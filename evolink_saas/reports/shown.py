"""What a report's page is made of, and the words that all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.safestring import SafeString

from accounts import ids
from accounts.models import Organization
from evolink_saas.reports.asked import GROUPS, Asked
from evolink_saas.reports.behind import narrower
from evolink_saas.reports.tables import Cell, Column, Table

NOBODY = {"model": "no model", "account": "no provider account", "user_group": "no user group"}
"""What stands for an empty name: movements without a task, or without a provider cost behind them."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure that stands out; `note` is a smaller line below it."""

    title: str
    figure: SafeString | str
    note: SafeString | str = ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """`tables` by the name that an export calls them."""

    summary: str
    cards: tuple[Card, ...] = ()
    charts: tuple[tuple[str, SafeString], ...] = ()
    tables: dict[str, Table] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def days(asked: Asked) -> str:
    return f"{asked.first} to {asked.last}, {asked.days:,} day{'s' * (asked.days != 1)} (UTC)"


def summary(asked: Asked, organizations: Mapping[UUID, Organization] | None = None) -> str:
    """What the page is about, in a line."""
    parts = [days(asked)]
    if asked.wallet_id:
        parts.append(f"organization {Organization.objects.get(pk=asked.wallet_id)}")
    parts += [f"{GROUPS[name].lower()} {value}" for name, value in asked.narrowed.items()]
    return " · ".join(parts)


def group_columns(asked: Asked) -> tuple[Column, ...]:
    return tuple(Column(name=name, title=GROUPS[name], unit="text") for name in asked.by)


def group_cells(
    asked: Asked,
    group: tuple[Any, ...],
    organizations: Mapping[UUID, Organization],
    path: str,
    words: Mapping[str, str],
) -> tuple[Cell, ...]:
    """What a row is about, each linked to the same report of it alone."""
    cells = []
    for name, value in zip(asked.by, group, strict=True):
        alone = partial(narrower, path, asked, name, linked(name, value), words) if value else ""
        cells.append(Cell(value=told(name, value, organizations), leads_to=alone))
    return tuple(cells)


def told(name: str, value: Any, organizations: Mapping[UUID, Organization]) -> str:
    """A group as people read it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m}" if name == "month" else f"{value:%Y-%m-%d}"
    if name == "organization":
        return str(organizations.get(value, value))
    return str(value or NOBODY[name])


def linked(name: str, value: Any) -> Any:
    """A group as a question has it."""
    return ids.encode(Organization.PREFIX, value) if name == "organization" else value
