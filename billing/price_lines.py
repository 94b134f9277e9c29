"""How a price comes about, line by line, so that a person can follow it.

    1080p without sound                    2 seconds x  5.4 x 1.333     what was asked for, at the price book's rate
    Billed as 3 seconds, the minimum       1 second  x  5.4 x 1.333     only where the minimum is more
    User group partners: rate x 0.9        3 seconds x -0.54 x 1.333    only where the organization has another rate

The amounts add up to the price exactly: each is what the lines up to here make, rounded, less what the lines before it
make, rounded. So a line may differ from its own product by the last digit.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing import pricing
from billing.amounts import SMALLEST, ZERO
from billing.models import Unit
from billing.pricing import Line, spelled


def explain(
    inputs: Mapping[str, Any],
    label: str,
    *,
    user_group: str,
    seconds: Decimal | None = None,
    asked: Decimal | None = None,
) -> list[Line]:
    """The lines that frozen inputs make, for the seconds they hold or for `seconds` measured later.

    `label` is the cell's, `user_group` the name of the one that the price was found for. `asked` are the seconds of the
    request where more were frozen, because no shorter video is made.
    """
    factor, total, before = Decimal(inputs["factor"]), Decimal(0), ZERO
    lines = []
    for text, quantity, rate in _steps(inputs, label, user_group, seconds, asked):
        total += quantity * rate * factor
        up_to_here = total.quantize(SMALLEST, ROUND_HALF_UP)
        amount, before = up_to_here - before, up_to_here
        lines.append(Line(label=text, quantity=quantity, unit=inputs["unit"], rate=rate, factor=factor, amount=amount))
    return lines


def _steps(
    inputs: Mapping[str, Any], label: str, user_group: str, seconds: Decimal | None, asked: Decimal | None
) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Label, quantity and rate of each line."""
    base, rate, billed = Decimal(inputs["rate"]), pricing.effective_rate(inputs), pricing.quantity(inputs, seconds)
    begun = billed if inputs["unit"] == Unit.CALL else min(billed, _wished(inputs, seconds, asked))
    yield label, begun, base
    if billed > begun:
        yield f"Billed as {spelled(billed)} seconds, the minimum", billed - begun, base
    if rate != base:
        yield _reason(inputs, user_group), billed, rate - base


def _wished(inputs: Mapping[str, Any], seconds: Decimal | None, asked: Decimal | None) -> Decimal:
    if asked is not None:
        return asked
    return Decimal(inputs["seconds"]) if seconds is None else seconds


def _reason(inputs: Mapping[str, Any], user_group: str) -> str:
    """Why the rate is not the price book's."""
    override = inputs.get("override")  # what was priced before overrides were recorded is the group's
    whose = "Your own price" if override and override["of"] == "organization" else f"User group {user_group}"
    if inputs["exact_rate"] is None:
        return f"{whose}: rate x {inputs['multiplier']}"
    return f"{whose}: {inputs['exact_rate']} a {inputs['unit']} instead of {inputs['rate']}"
