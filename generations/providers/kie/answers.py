"""kie.ai's answers in our words. What cannot be read is never guessed: it stays unknown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from generations.providers.base import Cost, OutcomeUnknown, Output, Progress, State
from generations.providers.kie import verdicts
from generations.providers.wire import decimal, text

# Tasks were seen to stay `waiting` until they succeeded, so that no word says for certain that nothing has begun.
STATES: dict[str, State] = {
    "waiting": "running",
    "queuing": "running",
    "generating": "running",
    "success": "succeeded",
    "fail": "failed",
}
DOLLARS_PER_CREDIT = Decimal("0.005")
SUCCESS = 200


@dataclass(frozen=True)
class Envelope:
    """`{"code", "msg", "data"}` of any answer; code is None when the body is not such an object."""

    status: int
    code: int | None
    message: str
    data: Mapping[str, Any]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300 and self.code == SUCCESS


def read(response: httpx.Response) -> Envelope:
    """Never raises. A code may be spelled as text."""
    try:
        found = json.loads(response.content)
        code, data = int(found["code"]), found.get("data")
        message = text(found.get("msg")) or text(found.get("message"))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return Envelope(response.status_code, None, text(response.text[:200]), {})
    return Envelope(response.status_code, code, message, data if isinstance(data, dict) else {})


def accepted(envelope: Envelope) -> str:
    """The id of an accepted create. Raises OutcomeUnknown without one."""
    upstream_id = text(envelope.data.get("taskId"))
    if not upstream_id:
        raise OutcomeUnknown("accepted without an id")
    return upstream_id


def progress(envelope: Envelope, upstream_id: str) -> Progress:
    """The task that was asked about. Raises OutcomeUnknown for an answer that is no task, or another one.

    A success without its result is not believed yet: it counts as an unknown word.
    """
    if not envelope.is_success:
        raise OutcomeUnknown(f"HTTP {envelope.status}, code {envelope.code}: {envelope.message[:200]}")
    row = envelope.data
    if text(row.get("taskId")) != upstream_id:
        raise OutcomeUnknown("the answer is about another task")
    word = text(row.get("state"))
    state, outputs = STATES.get(word), _outputs(row)
    known = state is not None and not (state == "succeeded" and not outputs)
    return Progress(
        upstream_id=upstream_id,
        state=state if state is not None and known else "running",
        state_word=word,
        known_word=known,
        outputs=outputs,
        verdict=verdicts.failure(text(row.get("failCode")), text(row.get("failMsg"))) if state == "failed" else None,
        cost=_cost(row) if state in ("succeeded", "failed") else None,
    )


def _outputs(row: Mapping[str, Any]) -> tuple[Output, ...]:
    """The files named by `resultJson`, which is JSON written as text."""
    found = row.get("resultJson")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            return ()
    urls = found.get("resultUrls") if isinstance(found, dict) else None
    named = [text(url) for url in urls] if isinstance(urls, list) else []
    return tuple(Output(url=url, upstream_id="", duration_seconds=None) for url in named if url)


def _cost(row: Mapping[str, Any]) -> Cost | None:
    """Credits are bought at a fixed price, so they are dollars here."""
    credits = decimal(row.get("creditsConsumed"))
    return None if credits is None else Cost(amount=credits * DOLLARS_PER_CREDIT, unit="cash", currency="USD")
