"""Replicate's answers in our words. What cannot be read is never guessed: it stays unknown."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from generations.providers.base import OutcomeUnknown, Output, Progress, State
from generations.providers.replicate import verdicts
from generations.providers.wire import decimal, text

# `starting` is no queue of ours to leave: the model may boot already, and that is billed.
STATES: dict[str, State] = {
    "starting": "running",
    "processing": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
    "aborted": "failed",
}


def read(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of any answer, empty when the body is none. Never raises."""
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def message(response: httpx.Response) -> str:
    """The words of a refusal: `{"title", "detail", "status"}`, or whatever stands there."""
    problem = read(response)
    return text(problem.get("detail")) or text(problem.get("title")) or text(response.text[:200])


def prediction(response: httpx.Response) -> dict[str, Any]:
    """The prediction of a query or an accepted create. OutcomeUnknown for anything else."""
    row = read(response)
    if not response.is_success or not text(row.get("id")):
        raise OutcomeUnknown(f"HTTP {response.status_code}: {message(response)[:200]}")
    return row


def in_own_words(response: httpx.Response) -> bool:
    """Whether Replicate itself refuses: its problems are JSON with a `detail` or `title`, a proxy's page is not."""
    problem = read(response)
    return any(isinstance(problem.get(name), str) and problem[name].strip() for name in ("detail", "title"))


def is_absence(response: httpx.Response) -> bool:
    """Whether Replicate itself says that it has no such prediction; a proxy's 404 is none of its words."""
    return response.status_code == 404 and bool(text(read(response).get("detail")))


def progress(row: Mapping[str, Any]) -> Progress:
    """One prediction. A success without its output is not believed: it was removed, or is still to come.

    Replicate removes output and input after an hour (`data_removed`), which is no failure. Its metrics are seconds, not
    money, so no cost is known.
    """
    word = text(row.get("status"))
    outputs = _outputs(row)
    state = STATES.get(word)
    known = state is not None and not (state == "succeeded" and not outputs)
    return Progress(
        upstream_id=text(row.get("id")),
        state=state if state is not None and known else "running",
        state_word=f"{word}, data removed" if word and row.get("data_removed") is True and not known else word,
        known_word=known,
        outputs=outputs,
        verdict=verdicts.failure(word, text(row.get("error"))) if state == "failed" else None,
    )


def _outputs(row: Mapping[str, Any]) -> tuple[Output, ...]:
    """One address; some models answer with a list of one."""
    output = row.get("output")
    metrics = row.get("metrics")
    seconds = metrics.get("video_output_duration_seconds") if isinstance(metrics, dict) else None
    urls = [text(url) for url in (output if isinstance(output, list) else [output]) if isinstance(url, str)]
    return tuple(
        Output(url=url, upstream_id=text(row.get("id")), duration_seconds=decimal(seconds)) for url in urls[:1] if url
    )


def created_at(row: Mapping[str, Any]) -> datetime:
    """When it was made. OutcomeUnknown where nobody can tell."""
    try:
        moment = datetime.fromisoformat(text(row.get("created_at")))
    except ValueError as error:
        raise OutcomeUnknown("a prediction without a time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
