"""fal's answers in our words. What cannot be read is never guessed: it stays unknown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from generations.providers.base import Cost, OutcomeUnknown, Output, Progress
from generations.providers.fal import verdicts
from generations.providers.wire import decimal, text

QUEUED, RUNNING, COMPLETED = "IN_QUEUE", "IN_PROGRESS", "COMPLETED"
UNITS = "x-fal-billable-units"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer; `body` is empty when it was no JSON object."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def complaint(self) -> verdicts.Complaint:
        return verdicts.complaint(self.status, self.body, self.headers)

    def unknown(self, what: str) -> OutcomeUnknown:
        return OutcomeUnknown(f"{what}: HTTP {self.status} {self.complaint.message[:200]}".strip())


def read(response: httpx.Response) -> Answer:
    """Never raises."""
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        found = None
    return Answer(status=response.status_code, body=found if isinstance(found, dict) else {}, headers=response.headers)


def accepted(answer: Answer) -> tuple[str, str]:
    """`(request id, state word)` of an accepted create. OutcomeUnknown without an id."""
    request_id = text(answer.body.get("request_id"))
    if not request_id:
        raise OutcomeUnknown("accepted without an id")
    return request_id, text(answer.body.get("status"))


def standing(request_id: str, answer: Answer) -> Progress | None:
    """What the status says; None = completed, and the result says how. OutcomeUnknown when it says nothing."""
    word = text(answer.body.get("status"))
    if not answer.is_success or not word:
        raise answer.unknown("no status")
    if text(answer.body.get("request_id")) not in ("", request_id):
        raise OutcomeUnknown("the answer is about another request")
    if word != COMPLETED:
        return _running(request_id, word)
    if answer.body.get("error") or answer.body.get("error_type"):
        return failed(request_id, answer.complaint)
    return None


def waits(answer: Answer) -> bool:
    """Whether a status says that the request still stands in the queue."""
    return answer.is_success and text(answer.body.get("status")) == QUEUED


def never_ran(request_id: str, answer: Answer) -> bool:
    """Whether a status says that the request was cancelled before a machine had begun with it.

    It has to be said: a time of none or of zero, and no line written by a machine. Silence about the time is no word.
    """
    body, metrics = answer.body, answer.body.get("metrics")
    cancelled = text(body.get("status")) == COMPLETED and answer.complaint.type == verdicts.CANCELLED
    ours = text(body.get("request_id")) in ("", request_id)
    if not (answer.is_success and cancelled and ours) or body.get("logs"):
        return False
    if not isinstance(metrics, dict) or "inference_time" not in metrics:
        return False
    return metrics["inference_time"] is None or decimal(metrics["inference_time"]) == 0


def result(request_id: str, answer: Answer) -> Progress | None:
    """What the result of a completed request says; None = it is not to be had here. OutcomeUnknown: we are refused."""
    if answer.is_success:
        return _succeeded(request_id, answer.body, _cost(answer))
    if verdicts.is_verdict(answer.status, answer.complaint):
        return failed(request_id, answer.complaint, _cost(answer))
    if 300 <= answer.status < 400 or answer.status in verdicts.UNDECIDED:
        raise answer.unknown("no result")
    return None


def ended(item: Mapping[str, Any]) -> Progress:
    """An entry of the list of ended requests. Without what came of it, it counts as running: the queue may say more."""
    request_id, status, output = text(item.get("request_id")), item.get("status_code"), item.get("json_output")
    code = status if isinstance(status, int) else 0
    if code >= 400:
        return failed(request_id, verdicts.complaint(code, output))
    if 200 <= code < 300 and isinstance(output, dict):
        return _succeeded(request_id, output, None)
    return _running(request_id, COMPLETED)


def sent_at(item: Mapping[str, Any]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text(item.get("sent_at")))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def holds(found: Any, mark: Any) -> bool:
    """Whether `found` has everything that `mark` has; it may have more, such as defaults that were filled in."""
    if isinstance(mark, Mapping):
        return isinstance(found, Mapping) and all(name in found and holds(found[name], mark[name]) for name in mark)
    if isinstance(mark, list):
        return isinstance(found, list) and len(found) == len(mark) and all(map(holds, found, mark))
    return bool(found == mark and isinstance(found, bool) == isinstance(mark, bool))


def failed(request_id: str, said: verdicts.Complaint, cost: Cost | None = None) -> Progress:
    return Progress(
        upstream_id=request_id,
        state="failed",
        state_word=f"{COMPLETED} {said.type}".strip(),
        known_word=True,
        verdict=verdicts.failure(said),
        cost=cost,
    )


def _running(request_id: str, word: str) -> Progress:
    known = word in (QUEUED, RUNNING, COMPLETED)
    return Progress(upstream_id=request_id, state="running", state_word=word, known_word=known, queued=word == QUEUED)


def _succeeded(request_id: str, body: Mapping[str, Any], cost: Cost | None) -> Progress:
    """A success without its video is not believed yet: it counts as an unknown word."""
    video = body.get("video")
    url = text(video.get("url")) if isinstance(video, dict) else ""
    if not url:
        return Progress(upstream_id=request_id, state="running", state_word=COMPLETED, known_word=False)
    return Progress(
        upstream_id=request_id,
        state="succeeded",
        state_word=COMPLETED,
        known_word=True,
        outputs=(Output(url=url, upstream_id=request_id, duration_seconds=None),),
        cost=cost,
    )


def _cost(answer: Answer) -> Cost | None:
    units = decimal(answer.headers.get(UNITS))
    return None if units is None else Cost(amount=units, unit="unit", currency="")
