"""What a user group or an organization pays instead of the price book's rate. The only code that writes overrides.

Of those in effect one prices a task, the first of these that there is:

    the organization's exact rate for the model      replaces the cell's rate
    the organization's multiplier                    multiplies it
    the group's exact rate for the model
    the group's multiplier

A sandbox twin has its live organization's. Rows are added and never changed: a row without a value ends what was
before, and one that has not begun can be withdrawn.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, JSONObject, Now
from django.utils import timezone

from accounts import audit_log
from accounts.compiled import Given
from accounts.models import Organization, UserGroup
from billing.errors import PriceConflict
from billing.models import PriceCell, PriceOverride

Payer = Organization | UserGroup
KINDS = ("organization_rate", "organization_multiplier", "user_group_rate", "user_group_multiplier")
"""In the order in which they win; as `annotations` names what is in effect of each."""


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


def winner(found: Mapping[str, Any]) -> tuple[Decimal, Decimal | None, dict[str, Any] | None]:
    """The multiplier, the exact rate if any, and which override says so, of a row with `annotations`."""
    for kind in KINDS:
        override = found[kind]
        if override is not None and override["value"] is not None:
            of, what = kind.rsplit("_", 1)
            value = Decimal(override["value"])
            source = {"of": of, "id": override["id"]}
            return (value, None, source) if what == "multiplier" else (Decimal(1), value, source)
    return Decimal(1), None, None


def annotations() -> dict[str, Subquery]:
    """For a compiled query of price cells: the override of each kind in effect at `at` for `organization_id` and
    `user_group_id`, as `{"id", "value"}`; the value is None where it ended what was before.
    """
    found = {}
    for kind in KINDS:
        of, what = kind.rsplit("_", 1)
        model = OuterRef("model") if what == "rate" else ""
        rows = PriceOverride.objects.filter(
            **{f"{of}_id": Given(f"{of}_id")}, model=model, withdrawn_at=None, effective_at__lte=Given("at")
        )
        said = JSONObject(id=F("pk"), value=Cast(what, CharField()))
        found[kind] = Subquery(rows.order_by("-effective_at").values(said=said)[:1])
    return found


def of(organization: Organization) -> dict[str, Any]:
    """What a query with `annotations` is given for the organization."""
    payer = organization.sandbox_of_id or organization.pk
    return {"organization_id": payer, "user_group_id": organization.user_group_id}


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
