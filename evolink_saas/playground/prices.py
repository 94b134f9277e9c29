"""What a model costs, as a tag beside its form, and what the form as it stands would cost.

While something is missing in the form, its price is that of an example with what the form says already: a price
depends on the settings and hardly ever on a prompt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.errors import ApiError, InvalidRequest, Unavailable
from accounts.models import Membership, Organization
from billing.models import Unit
from billing.pricing import Line
from generations import published_prices, quotes, validation
from generations.catalog.base import Spec


@dataclass(frozen=True, kw_only=True)
class Tag:
    """The least that a unit of the model costs this organization; `varies`: other settings cost more."""

    credits: Decimal
    is_per_call: bool
    varies: bool


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A price, or none, and what is still wrong with the form."""

    credits: Decimal | None = None
    lines: tuple[Line, ...] = ()
    is_maximum: bool = False
    error: ApiError | None = None


def tag(organization: Organization, spec: Spec) -> Tag | None:
    """None while the price book in force does not have the model."""
    models = {found.spec.id: found for found in published_prices.prices(organization).models}
    cells = models[spec.id].cells
    if not cells:
        return None
    costs = [cell.rate * cell.factor for cell in cells]
    return Tag(credits=min(costs), is_per_call=cells[0].unit == Unit.CALL, varies=min(costs) < max(costs))


def of(organization: Organization, by: Membership, spec: Spec, body: Mapping[str, Any]) -> Shown:
    """What this body costs now. Nothing is written and nothing promised."""
    try:
        return _shown(organization, validation.check(organization, by, body), None)
    except InvalidRequest as error:
        wrong = error
    except ApiError as error:
        return Shown(error=error)
    for whole in _completed(spec, body):
        try:
            return _shown(organization, validation.read(whole), wrong)
        except InvalidRequest:
            continue
        except Unavailable as unavailable:
            return Shown(error=unavailable)
    return Shown(error=wrong)


def _shown(organization: Organization, asked: validation.Asked, error: ApiError | None) -> Shown:
    found = quotes.priced(organization, asked)
    return Shown(credits=found.price.credits, lines=tuple(found.lines), is_maximum=found.is_maximum, error=error)


def _completed(spec: Spec, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The body with what is missing taken from each example in turn."""
    yield dict(body)
    for example in spec.examples:
        params = {**example.body.get("model_params", {}), **body.get("model_params", {})}
        yield {**example.body, **body, **({"model_params": params} if params else {})}
