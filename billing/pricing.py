"""What a task costs: one look-up finds its price, its inputs are frozen on the task, and nothing else counts later.

    credits = rate x factor x max(seconds, minimum_seconds)      per second
    credits = rate x factor                                      per call

where the rate is an exact one of the organization or its user group or, without one, the cell's rate times a
multiplier (`billing.overrides` says which). Rounded half up to 4 decimals, once, at the end.

Where the length is known only from the media, `seconds` are the most there can be, and `settle` prices the measured
ones: their rounding is frozen with the other inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import QuerySet, Subquery
from django.utils import timezone

from accounts import organizations
from accounts.compiled import Compiled, Given
from accounts.models import Organization
from billing import overrides
from billing.amounts import SMALLEST
from billing.errors import PriceMissing
from billing.models import PriceCell, PriceVersion, Unit

ROUNDINGS = {
    "half_up": (Decimal(1), ROUND_HALF_UP),
    "up": (Decimal(1), ROUND_CEILING),
    "hundredth_up": (Decimal("0.01"), ROUND_CEILING),
}
"""How measured seconds are rounded before they are priced."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a quote: `quantity` units at `rate x factor` make `amount` credits."""

    label: str
    quantity: Decimal
    unit: str
    rate: Decimal
    factor: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell as somebody pays it: `rate` is theirs, in credits a `unit`, before the factor."""

    model: str
    cell: str
    label: str
    unit: str
    rate: Decimal
    factor: Decimal
    minimum_seconds: Decimal


@dataclass(frozen=True, kw_only=True)
class Price:
    """`inputs` is JSON-able and enough to compute `credits` again: `price(inputs) == credits`."""

    credits: Decimal
    lines: tuple[Line, ...]
    inputs: dict[str, Any]


def quote(
    model: str,
    cell: str,
    seconds: Decimal | int | None,
    organization: Organization,
    *,
    settled: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> Price:
    """Price one task of the organization now or `at` a moment, by one SQL statement.

    `seconds` is None for what costs a call.

    `settled` says what is `measured` in the end ("input" or "output") and its `rounding`; None: as requested.
    Raises PriceMissing when the price book in effect has no such cell.
    """
    found = find(model, cell, organization, at)
    if (seconds is None) != (found["unit"] == Unit.CALL):
        raise ValueError(f"{model} is priced per {found['unit']}, so its seconds cannot be {seconds}.")
    inputs = {
        "version": found["version_id"],
        "user_group": organization.user_group_id,
        "override": found["override"],
        "model": model,
        "cell": cell,
        "unit": found["unit"],
        "rate": spelled(found["rate"]),
        "factor": spelled(found["factor"]),
        "multiplier": spelled(found["multiplier"]),
        "exact_rate": None if found["exact_rate"] is None else spelled(found["exact_rate"]),
        "minimum_seconds": spelled(found["minimum_seconds"]),
        "seconds": None if seconds is None else spelled(Decimal(seconds)),
    } | dict(settled or {})
    made = _line(inputs, found["label"])
    return Price(credits=made.amount, lines=(made,), inputs=inputs)


def line(inputs: Mapping[str, Any], seconds: Decimal | None = None) -> Line:
    """The line that frozen inputs make, for the seconds they hold or for `seconds` measured later."""
    cells = PriceCell.objects.filter(version=inputs["version"], model=inputs["model"], cell=inputs["cell"])
    label = cells.values_list("label", flat=True).first()
    return _line(inputs, label or inputs["cell"], seconds)


def price(inputs: Mapping[str, Any], seconds: Decimal | int | None = None) -> Decimal:
    """The credits that frozen inputs make, for the seconds they hold or for `seconds` measured later."""
    amount = effective_rate(inputs) * Decimal(inputs["factor"]) * quantity(inputs, seconds)
    return amount.quantize(SMALLEST, ROUND_HALF_UP)


def cost(row: Row, seconds: Decimal | int | None) -> Decimal:
    """The credits of one task at a row of `table`; `seconds` is None for what costs a call."""
    inputs = {
        "unit": row.unit,
        "rate": spelled(row.rate),
        "factor": spelled(row.factor),
        "multiplier": "1",
        "exact_rate": None,
        "minimum_seconds": spelled(row.minimum_seconds),
    }
    return price(inputs, seconds)


def settle(inputs: Mapping[str, Any], measured: Decimal | None) -> Decimal:
    """What a finished task costs: its price, or that of its measured seconds where they decide; never more."""
    reserved, seconds = price(inputs), settled_seconds(inputs, measured)
    return reserved if seconds is None else min(reserved, price(inputs, seconds))


def settled_seconds(inputs: Mapping[str, Any], measured: Decimal | None) -> Decimal | None:
    """The measured seconds as they are priced; None where they do not decide."""
    return None if "measured" not in inputs or measured is None else rounded(measured, inputs["rounding"])


def rounded(seconds: Decimal, rounding: str) -> Decimal:
    step, mode = ROUNDINGS[rounding]
    return seconds.quantize(step, mode)


def quantity(inputs: Mapping[str, Any], seconds: Decimal | int | None = None) -> Decimal:
    """The units that are billed: 1 call, or the seconds but never fewer than the minimum."""
    if inputs["unit"] == Unit.CALL:
        return Decimal(1)
    measured = Decimal(inputs["seconds"]) if seconds is None else Decimal(seconds)
    return max(measured, Decimal(inputs["minimum_seconds"]))


def effective_rate(inputs: Mapping[str, Any]) -> Decimal:
    if inputs["exact_rate"] is not None:
        return Decimal(inputs["exact_rate"])
    return Decimal(inputs["rate"]) * Decimal(inputs["multiplier"])


def find(model: str, cell: str, organization: Organization, at: datetime | None = None) -> Mapping[str, Any]:
    """The columns of the cell of the version in effect; the `multiplier` and `exact_rate`, and the `override` of it."""
    found = CELL(model=model, cell=cell, at=at or timezone.now(), **overrides.of(organization))
    if not found:
        raise PriceMissing(f"The price book in effect has no cell {cell!r} of {model!r}.")
    return _overridden(found[0])


def table(organization: Organization | None, at: datetime | None = None) -> list[Row]:
    """Every cell as `find` prices it for the organization, by model and cell; without one, for the group `default`."""
    payer = organization or organizations.ordinary()
    cells = map(_overridden, CELLS(at=at or timezone.now(), **overrides.of(payer)))
    return [Row(rate=effective_rate(cell), **{name: cell[name] for name in SHOWN}) for cell in cells]


def cells_in_effect() -> QuerySet[PriceCell, Any]:
    """With `at` and what `overrides.of` gives."""
    begun = PriceVersion.objects.filter(withdrawn_at=None, effective_at__lte=Given("at")).order_by("-effective_at")
    return (
        PriceCell.objects.filter(version=Subquery(begun.values("pk")[:1]))
        .values("version_id", "model", "cell", "unit", "rate", "factor", "minimum_seconds", "label")
        .annotate(overrides=overrides.counting_now())
    )


CELL = Compiled(lambda: cells_in_effect().filter(model=Given("model"), cell=Given("cell")))
CELLS = Compiled(lambda: cells_in_effect().order_by("model", "cell"))
SHOWN = ("model", "cell", "label", "unit", "factor", "minimum_seconds")


def _overridden(found: Mapping[str, Any]) -> Mapping[str, Any]:
    multiplier, exact_rate, override = overrides.winner(found["overrides"])
    return {**found, "multiplier": multiplier, "exact_rate": exact_rate, "override": override}


def _line(inputs: Mapping[str, Any], label: str, seconds: Decimal | None = None) -> Line:
    return Line(
        label=label,
        quantity=quantity(inputs, seconds),
        unit=inputs["unit"],
        rate=effective_rate(inputs),
        factor=Decimal(inputs["factor"]),
        amount=price(inputs, seconds),
    )


def spelled(value: Decimal) -> str:
    """A Decimal as text without trailing zeros or exponent: 5.4, 10, 0.075."""
    return f"{value.normalize():f}"
