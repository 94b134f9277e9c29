"""Kill switches: an operator stops a model, a provider account or an organization, and says about until when.

A new request for what is switched off is refused with the operator's public message; tasks that wait go on waiting,
and work that a provider has goes on. An expected end that has passed lifts nothing: an operator does. Rows are kept.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, transaction
from django.db.models import Case, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.errors import Unavailable
from accounts.models import Organization
from generations import catalog
from generations.models import KillSwitch, ProviderAccount
from generations.providers import ADAPTERS

RETRY_SECONDS = 300  # where nobody knows the end
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 60, 3600


class SwitchRefused(Exception):
    """An operator's switch that cannot be set as it is, with the reason."""


@dataclass(frozen=True)
class Notice:
    """What customers may read about a model that is switched off."""

    message: str
    expected_end_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Switched:
    """A kill switch as routing meets it. `of`: model, organization or account; `reason` is for operators."""

    of: str
    reason: str
    message: str
    expected_end_at: datetime | None


def set_on(
    *,
    model: str = "",
    account: ProviderAccount | None = None,
    organization: Organization | None = None,
    reason: str,
    message: str,
    expected_end_at: datetime | None = None,
) -> KillSwitch:
    """Switch one of the three off. Raises SwitchRefused when it is off already, or the message names a provider."""
    if name := _named(message):
        raise SwitchRefused(f"Customers read the message, and it must not name {name}.")
    if [bool(model), account is not None, organization is not None].count(True) != 1:
        raise SwitchRefused("Switch off one thing: a model, an account or an organization.")
    try:
        with transaction.atomic():
            return KillSwitch.objects.create(
                model=model,
                account=account,
                organization=organization,
                reason=reason,
                message=message,
                expected_end_at=expected_end_at,
            )
    except IntegrityError as error:
        raise SwitchRefused("It is switched off already; lift that switch first.") from error


def lift(switch: KillSwitch, reason: str) -> bool:
    """Let it work again; False when it had been lifted already."""
    rows = KillSwitch.objects.filter(pk=switch.pk, lifted_at__isnull=True)
    return bool(rows.update(lifted_at=timezone.now(), lifted_reason=reason[:300]))


def in_force() -> QuerySet[KillSwitch]:
    return KillSwitch.objects.filter(lifted_at__isnull=True)


def of_request(model: Any, organization_id: Any) -> ArraySubquery:
    """For any query: the switches of a model and an organization, in the form that `read` reads."""
    return _found(in_force().filter(Q(model=model) & ~Q(model="") | Q(organization=organization_id)))


def of_account() -> ArraySubquery:
    """For a query of provider accounts: the switch of each."""
    return _found(in_force().filter(account=OuterRef("pk")))


def read(rows: Iterable[Mapping[str, Any]]) -> Switched | None:
    """The first of those that a query found."""
    for row in rows:
        end = row["expected_end_at"]
        return Switched(**{**row, "expected_end_at": datetime.fromisoformat(end) if end else None})
    return None


def refusal(switched: Switched) -> Unavailable:
    """What a new request is answered."""
    seconds = RETRY_SECONDS
    if switched.expected_end_at is not None:
        left = int((switched.expected_end_at - timezone.now()).total_seconds())
        seconds = min(max(left, MIN_RETRY_SECONDS), MAX_RETRY_SECONDS)
    return Unavailable("maintenance", switched.message, retry_after_seconds=seconds)


def notices() -> dict[str, Notice]:
    """By model id, what customers should know: it is switched off, or every account that could make it is."""
    found = {row.model: row for row in in_force().exclude(model="")}
    off = {row.account_id: row for row in in_force().filter(account__isnull=False)}
    accounts = ProviderAccount.objects.filter(serves=ProviderAccount.Serves.LIVE, enabled=True, draining=False)
    known = [account for account in accounts if account.provider in ADAPTERS and not account.is_barred] if off else []
    for spec in catalog.SPECS:
        able = [account for account in known if account.offers(spec.id)]
        if spec.id not in found and able and all(account.pk in off for account in able):
            found[spec.id] = _soonest([off[account.pk] for account in able])
    return {model: Notice(row.message, row.expected_end_at) for model, row in found.items()}


def _soonest(rows: list[KillSwitch]) -> KillSwitch:
    return min(rows, key=lambda row: (row.expected_end_at is None, row.expected_end_at or row.set_at))


def _found(rows: QuerySet[KillSwitch]) -> ArraySubquery:
    of = Case(
        When(account__isnull=False, then=Value("account")),
        When(organization__isnull=False, then=Value("organization")),
        default=Value("model"),
    )
    shown = JSONObject(of=of, reason="reason", message="message", expected_end_at="expected_end_at")
    return ArraySubquery(rows.order_by("-model", "pk").values(row=shown))


def _named(message: str) -> str | None:
    """A provider or account that the message names; a word that our own models begin with is none."""
    ours = {spec.id.partition("-")[0] for spec in catalog.SPECS}
    names = {*ADAPTERS, *ProviderAccount.objects.values_list("name", flat=True)} - ours
    return next((name for name in sorted(names) if re.search(rf"\b{re.escape(name)}\b", message, re.IGNORECASE)), None)
