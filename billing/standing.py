"""What an organization reads of its own books: what is left and what was used."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import ApiKey, Organization
from billing import budgets, caps
from billing.amounts import ZERO
from billing.models import CreditLot


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`remaining` can be spent now; `used` was captured and not refunded."""

    remaining: Decimal
    used: Decimal


def of_organization(organization: Organization, now: datetime) -> Standing:
    """Lots past their expiry count for nothing, whether or not they were swept already."""
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    sums = CreditLot.objects.filter(wallet_id=organization.pk).aggregate(
        remaining=Coalesce(Sum("remaining", filter=alive), ZERO),
        used=Coalesce(Sum(F("captured") - F("refunded")), ZERO),
    )
    return Standing(**sums)


def of_key(api_key: ApiKey, organization: Standing, now: datetime) -> Standing:
    """What the keys of this key's budget used; the least that its limits, the cap and the organization leave."""
    windows = budgets.windows(api_key.budget, budgets.day_of(now))
    limits = budgets.left(api_key.budget, windows)
    cap = caps.left(api_key.organization, now)
    limits += [] if cap is None else [cap]
    return Standing(remaining=min([organization.remaining, *limits]), used=windows.total.captured)
