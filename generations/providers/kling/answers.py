"""Kling's answers in our words. What cannot be read is never guessed: it stays unknown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from generations.providers.base import Cost, OfferedVoice, OutcomeUnknown, Output, Progress, State
from generations.providers.kling import verdicts
from generations.providers.wire import decimal, text

STATES: dict[str, State] = {
    "submitted": "running",
    "processing": "running",
    "succeed": "succeeded",  # legacy
    "succeeded": "succeeded",  # new
    "failed": "failed",
}
ENDED = ("succeed", "succeeded", "failed")


@dataclass(frozen=True)
class Envelope:
    """`{"code", "message", "data"}` of any answer; code is None when the body is not such an object."""

    status: int
    code: int | None
    message: str
    data: Any

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300 and self.code == 0


def read(response: httpx.Response) -> Envelope:
    """Never raises. Relays send the code as text, so `"0"` is 0."""
    try:
        found = json.loads(response.content)
        code = int(found["code"])
        message = found.get("message")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Envelope(response.status_code, None, text(response.text[:200]), None)
    return Envelope(response.status_code, code, text(message), found.get("data"))


def accepted(envelope: Envelope, reference: str) -> tuple[str, str]:
    """`(upstream id, state word)` of an accepted create. OutcomeUnknown without an id, or about another reference."""
    data = envelope.data if isinstance(envelope.data, dict) else {}
    upstream_id = text(data.get("id")) or text(data.get("task_id"))
    if not upstream_id:
        raise OutcomeUnknown("accepted without an id")
    if reference_of(data) not in ("", reference):
        raise OutcomeUnknown("the answer is about another reference")
    return upstream_id, text(data.get("status")) or text(data.get("task_status"))


def reference_of(row: Mapping[str, Any]) -> str:
    """Our reference as either generation echoes it, empty when it does not."""
    info = row.get("task_info")
    legacy = info.get("external_task_id") if isinstance(info, dict) else None
    return text(row.get("external_id") or legacy)


def progress(row: Mapping[str, Any]) -> Progress:
    """One task of either generation. A success without its result is not believed yet: it counts as an unknown word."""
    word = text(row.get("status")) or text(row.get("task_status"))
    outputs, element_id = _outputs(row), _element_id(row)
    state = STATES.get(word)
    known = state is not None and not (state == "succeeded" and not outputs and not element_id)
    reason = text(row.get("message") or row.get("task_status_msg"))
    return Progress(
        upstream_id=text(row.get("id")) or text(row.get("task_id")),
        state=state if state is not None and known else "running",
        state_word=word,
        known_word=known,
        outputs=outputs,
        element_id=element_id,
        verdict=verdicts.failure(reason) if state == "failed" else None,
        cost=_cost(row) if word in ENDED else None,
    )


def voices(row: Mapping[str, Any]) -> list[OfferedVoice]:
    """The voices of one row; those without an id or a name, or that were deleted, are none."""
    told = [(text(voice.get("voice_id")), text(voice.get("voice_name")), voice) for voice in _results(row, "voice")]
    return [
        OfferedVoice(voice_id=voice_id, name=name)
        for voice_id, name, voice in told
        if voice_id and name and voice.get("status") != "deleted"
    ]


def has_failed(data: Any) -> bool:
    """Whether an accepted deletion says that it failed."""
    return isinstance(data, dict) and data.get("task_status") == "failed"


def rows_of(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _results(row: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The result objects of one kind: `outputs[type=kind]` (new) or `task_result.<kind>s` (legacy)."""
    result = row.get("task_result")
    legacy = rows_of(result.get(f"{kind}s")) if isinstance(result, dict) else []
    return [output for output in rows_of(row.get("outputs")) if output.get("type") == kind] + legacy


def _outputs(row: Mapping[str, Any]) -> tuple[Output, ...]:
    """The videos; one that is only there with a watermark is better than none."""
    found = ((text(video.get("url")), text(video.get("watermark_url")), video) for video in _results(row, "video"))
    return tuple(
        Output(
            url=url or watermarked,
            watermarked_url=watermarked,
            upstream_id=text(video.get("id")),
            duration_seconds=decimal(video.get("duration")),
        )
        for url, watermarked, video in found
        if url or watermarked
    )


def _element_id(row: Mapping[str, Any]) -> str | None:
    """Elements carry a 64-bit number in the legacy generation and text in the new one: text here."""
    ids = [text(element.get("element_id")) for element in _results(row, "element")]
    return next((element_id for element_id in ids if element_id), None)


def _cost(row: Mapping[str, Any]) -> Cost | None:
    """What Kling booked: units where a pack paid, else cash in the currency of the first entry."""
    booked = [_new_cost(entry) for entry in rows_of(row.get("billing"))] + [_legacy_cost(row)]
    costs = [cost for cost in booked if cost is not None]
    if not costs:
        return None
    first = next((cost for cost in costs if cost.unit == "unit"), costs[0])
    same = [cost.amount for cost in costs if (cost.unit, cost.currency) == (first.unit, first.currency)]
    return Cost(amount=sum(same, Decimal(0)), unit=first.unit, currency=first.currency)


def _new_cost(entry: Mapping[str, Any]) -> Cost | None:
    amount = decimal(entry.get("amount"))
    if amount is None:
        return None
    if entry.get("charge_type") == "unit":
        return Cost(amount=amount, unit="unit", currency="")
    return Cost(amount=amount, unit="cash", currency=text(entry.get("currency")))


def _legacy_cost(row: Mapping[str, Any]) -> Cost | None:
    units = decimal(row.get("final_unit_deduction"))
    if units is not None:
        return Cost(amount=units, unit="unit", currency="")
    balance = row.get("final_balance_deduction")
    cash = decimal(balance.get("quota")) if isinstance(balance, dict) else None
    return None if cash is None else Cost(amount=cash, unit="cash", currency="USD")
