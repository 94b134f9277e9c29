"""Kling's own books, `POST /account/billing/package` and `/balance`: a line for each piece of work, with its task id.

`data.result.detail[]` has `task_id`, `model_name`, `deduction_amount`, and `currency` where cash was paid. Where
`next_cursor` and `has_more` stand is told in two ways; both are read. What cannot be read is never left out: a
reconciliation that misses a line would accuse the wrong side.
"""

from collections.abc import Mapping
from typing import Any

from generations.providers.base import Charge, Cost, OutcomeUnknown
from generations.providers.kling.answers import Envelope
from generations.providers.wire import decimal, text

IN_UNITS = "package"


def page(envelope: Envelope, ledger: str) -> tuple[tuple[Charge, ...], str]:
    """The lines, and Kling's cursor for more of them; empty when that was all. Raises OutcomeUnknown."""
    data = envelope.data
    result = data.get("result") if isinstance(data, dict) else None
    detail = result.get("detail") if isinstance(result, dict) else None
    if not (envelope.is_success and isinstance(data, dict) and isinstance(result, dict) and isinstance(detail, list)):
        raise OutcomeUnknown(f"HTTP {envelope.status}, code {envelope.code}: {envelope.message[:200]}")
    cursor, has_more = (_first(name, data, result) for name in ("next_cursor", "has_more"))
    onward = text(cursor) if has_more else ""
    if has_more and not onward:
        raise OutcomeUnknown("the ledger goes on, and does not say where")
    return tuple(_charge(line, ledger) for line in detail), onward


def _charge(line: Any, ledger: str) -> Charge:
    if not isinstance(line, Mapping):
        raise OutcomeUnknown("a line of the ledger cannot be read")
    upstream_id, amount = text(line.get("task_id")), decimal(line.get("deduction_amount"))
    if not upstream_id or amount is None:
        raise OutcomeUnknown("a line of the ledger has no task or no amount")
    in_units = ledger == IN_UNITS
    currency = "" if in_units else text(line.get("currency"))
    cost = Cost(amount=amount, unit="unit" if in_units else "cash", currency=currency)
    return Charge(upstream_id=upstream_id, cost=cost, model=text(line.get("model_name")))


def _first(name: str, *places: Mapping[str, Any]) -> Any:
    return next((place[name] for place in places if place.get(name) is not None), None)
