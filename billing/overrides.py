"""What a user group or an organization pays instead of the price book's rate. The only code that writes overrides.

Of those in effect one prices a task, the first of these that there is:

    the organization's exact rate for the model      replaces the cell's rate
    the organization's multiplier                    multiplies it
    the group's exact rate for the model
    the group's multiplier

A sandbox twin has its live organization's. Rows are added and never changed: a row without a value ends what was
before, and one that has not begun can be withdrawn.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, transaction
from django.db.models import CharField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, JSONObject, Now
from django.utils import timezone

from accounts import audit_log
from accounts.compiled import Given
from accounts.models import Organization, UserGroup
from billing.errors import PriceConflict
from billing.models import PriceCell, PriceOverride

Payer = Organization | UserGroup
KINDS = ("organization_rate", "organization_multiplier", "user_group_rate", "user_group_multiplier")
"""In the order in which they win."""


def set_multiplier(
    payer: Payer, multiplier: Decimal | None, *, reason: str, effective_at: datetime | None = None
) -> PriceOverride:
    """From then on (now, unless it says otherwise) the payer pays so much of every rate; None: no multiplier."""
    return _add(payer, effective_at, model="", multiplier=multiplier, reason=reason)


def set_rate(
    payer: Payer, model: str, rate: Decimal | None, *, reason: str, effective_at: datetime | None = None
) -> PriceOverride:
    """From then on the payer pays this rate for the model, before a cell's factor; None: no exact rate."""
    if not PriceCell.objects.filter(model=model).exists():
        raise PriceConflict(f"The price book has no model {model!r}.")
    return _add(payer, effective_at, model=model, rate=rate, reason=reason)


@transaction.atomic
def withdraw(override: PriceOverride, reason: str) -> None:
    """Let one that has not begun count for nothing. Raises PriceConflict."""
    coming = PriceOverride.objects.filter(pk=override.pk, withdrawn_at=None, effective_at__gt=Now())
    if not coming.update(withdrawn_at=Now(), withdrawn_reason=reason):
        raise PriceConflict("It is in effect or was withdrawn already. Add another row to change what is paid.")
    override.refresh_from_db()
    _record("withdrawn", override, {"withdrawn_at": [None, override.withdrawn_at]}, reason)


def coming(organization: Organization, after: datetime) -> QuerySet[PriceOverride]:
    """Those that will begin to count for the organization."""
    payer = of(organization)
    theirs = Q(organization=payer["organization_id"]) | Q(user_group=payer["user_group_id"])
    return PriceOverride.objects.filter(theirs, withdrawn_at=None, effective_at__gt=after)


def in_effect(like: PriceOverride) -> PriceOverride | None:
    """The one that now counts for the same payer and model."""
    same = {"user_group": like.user_group_id, "organization": like.organization_id, "model": like.model}
    begun = PriceOverride.objects.filter(**same, withdrawn_at=None, effective_at__lte=timezone.now())
    return begun.order_by("-effective_at").first()


def winner(counting: Iterable[Mapping[str, Any]]) -> tuple[Decimal, Decimal | None, dict[str, Any] | None]:
    """The multiplier, the exact rate if any, and which override says so, of what `counting_now` found."""
    by_kind = {_kind(row): row for row in counting if row["value"] is not None}
    for kind in KINDS:
        if kind in by_kind:
            of, what = kind.rsplit("_", 1)
            value, source = Decimal(by_kind[kind]["value"]), {"of": of, "id": by_kind[kind]["id"]}
            return (value, None, source) if what == "multiplier" else (Decimal(1), value, source)
    return Decimal(1), None, None


def counting_now() -> ArraySubquery:
    """For a compiled query of price cells, given `at` and what `of` says: the youngest row in effect of each kind.

    One subquery, because PostgreSQL needs longer to plan a second one than to sort the few rows of this one.
    """
    payer = Q(organization_id=Given("organization_id")) | Q(user_group_id=Given("user_group_id"))
    begun = PriceOverride.objects.filter(
        payer, model__in=[Value(""), OuterRef("model")], withdrawn_at=None, effective_at__lte=Given("at")
    )
    each = ("organization_id", "user_group_id", "model")
    youngest = begun.order_by(*each, "-effective_at").distinct(*each)
    value = Coalesce(Cast("rate", CharField()), Cast("multiplier", CharField()))
    return ArraySubquery(youngest.values(said=JSONObject(id="pk", group="user_group_id", model="model", value=value)))


def of(organization: Organization) -> dict[str, Any]:
    """What a query with `counting_now` is given for the organization."""
    payer = organization.sandbox_of_id or organization.pk
    return {"organization_id": payer, "user_group_id": organization.user_group_id}


def _kind(row: Mapping[str, Any]) -> str:
    return f"{'organization' if row['group'] is None else 'user_group'}_{'rate' if row['model'] else 'multiplier'}"


def _add(payer: Payer, effective_at: datetime | None, **values: Any) -> PriceOverride:
    now = timezone.now()
    if effective_at is not None and effective_at < now:
        raise PriceConflict("This lies in the past: what was paid then is not changed.")
    if isinstance(payer, Organization) and payer.is_sandbox:
        raise PriceConflict("A sandbox twin pays what its live organization pays.")
    whose = {"organization" if isinstance(payer, Organization) else "user_group": payer}
    made = PriceOverride(**whose, effective_at=effective_at or now, created_at=now, **values)
    before = in_effect(made)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            changes = {"pays": [before and before.what, made.what], "effective_at": [None, made.effective_at]}
            _record("added", made, changes, made.reason)
    except IntegrityError as error:
        raise PriceConflict("There is one already that begins at that moment: withdraw it first.") from error
    return made


def _record(verb: str, override: PriceOverride, changes: audit_log.Changes, reason: str) -> None:
    audit_log.record(
        action=f"price_override.{verb}",
        target=override,
        organization=override.organization,
        changes=changes,
        reason=reason,
    )
