"""A cancel at fal: tried while a request waits, believed when it is said that nothing ran, and quick."""

import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from generations.providers.base import OutcomeUnknown
from generations.providers.fal import Fal
from tests.generations.providers.test_fal_progress import (
    ACCOUNT,
    DONE,
    GONE,
    HANDLE,
    REQUEST,
    Wire,
    check,
    says,
    verdict_of,
)

QUEUED = says(202, {"status": "IN_QUEUE", "queue_position": 1})
WISHED = {"status": "COMPLETED", "error": "Cancelled", "error_type": "client_cancelled"}


def cancelled_after(seconds: Any, **more: Any) -> httpx.Response:
    return says(200, WISHED | {"metrics": {"inference_time": seconds}} | more)


def cancel(status: Sequence[httpx.Response], answer: httpx.Response) -> tuple[bool, list[str]]:
    wire = Wire(status=status, cancel=answer)
    return Fal(transport=httpx.MockTransport(wire)).cancel(ACCOUNT, HANDLE), wire.paths()


WISH = says(202, {"status": "CANCELLATION_REQUESTED"})


@pytest.mark.parametrize(
    "after",
    [
        cancelled_after(None),
        cancelled_after(0),
        cancelled_after(0.0, logs=None),
        cancelled_after(None, logs=[], request_id="r-1"),
    ],
)
def test_a_request_that_never_began_is_certainly_cancelled(after: httpx.Response) -> None:
    status = f"GET queue.example{REQUEST}/status"

    assert cancel([QUEUED, after], WISH) == (True, [status, f"PUT queue.example{REQUEST}/cancel", status])


@pytest.mark.parametrize(
    "after",
    [
        says(200, WISHED),
        says(200, WISHED | {"metrics": None}),
        says(200, WISHED | {"metrics": {}}),
        says(200, WISHED | {"metrics": {"queue_time": 3}}),
        says(200, WISHED | {"metrics": []}),
        cancelled_after(0.4),
        cancelled_after("soon"),
        cancelled_after(False),
        cancelled_after(None, logs=[{"message": "Loading the model"}]),
        cancelled_after(None, request_id="r-2"),
        cancelled_after(None, error_type="client_disconnected"),
    ],
)
def test_a_cancel_is_not_believed_unless_the_status_says_that_nothing_ran(after: httpx.Response) -> None:
    assert cancel([QUEUED, after], WISH)[0] is False


def test_the_lines_of_a_machine_are_asked_for() -> None:
    wire = Wire(status=[QUEUED, cancelled_after(None)], cancel=WISH)
    Fal(transport=httpx.MockTransport(wire)).cancel(ACCOUNT, HANDLE)

    assert [request.url.query for request in wire.asked] == [b"logs=0", b"", b"logs=1"]


def test_a_cancelled_request_is_no_failure_of_the_service() -> None:
    """Also where the answer to our wish was lost: the next poll tells it apart."""
    verdict = verdict_of(check(Wire(status=cancelled_after(None))))

    assert (verdict.code, verdict.by_input, verdict.retryable) == ("request_cancelled", False, True)
    assert verdict.message == "The generation was cancelled before it was finished."


def test_a_cancel_waits_a_few_seconds_at_most() -> None:
    wire = Wire(status=[QUEUED, cancelled_after(None)], cancel=WISH)
    assert Fal(transport=httpx.MockTransport(wire)).cancel(ACCOUNT, HANDLE)

    waits = [request.extensions["timeout"] for request in wire.asked]
    assert len(waits) == 3
    assert all(0 < wait["read"] <= 5 and 0 < wait["connect"] <= 1 for wait in waits)


def test_the_calls_of_a_cancel_share_their_time() -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        time.sleep(0.06)
        return wire(request)

    wire = Wire(status=[QUEUED, cancelled_after(None)], cancel=WISH)
    with pytest.raises(OutcomeUnknown):
        Fal(transport=httpx.MockTransport(slow), cancel_seconds=0.1).cancel(ACCOUNT, HANDLE)
    first, second = wire.asked
    assert second.extensions["timeout"]["read"] < first.extensions["timeout"]["read"] <= 0.1


@pytest.mark.parametrize(
    "after",
    [
        QUEUED,
        says(202, {"status": "IN_PROGRESS"}),
        says(*DONE),
        says(404, {"status": "NOT_FOUND"}),
        says(500, b""),
        says(200, {"status": "COMPLETED", "error_type": "startup_timeout"}),
    ],
)
def test_a_cancel_that_came_too_late_or_is_not_seen_is_none(after: httpx.Response) -> None:
    assert cancel([QUEUED, after], WISH)[0] is False


@pytest.mark.parametrize(
    "before", [says(202, {"status": "IN_PROGRESS"}), says(*DONE), GONE, says(500, {"status": "IN_QUEUE"})]
)
def test_work_that_runs_is_left_to_run(before: httpx.Response) -> None:
    cancelled, paths = cancel([before], WISH)

    assert cancelled is False
    assert len(paths) == 1


@pytest.mark.parametrize(
    "refusal", [says(400, {"status": "ALREADY_COMPLETED"}), says(404, {"status": "NOT_FOUND"}), says(500, b"")]
)
def test_a_refused_cancel_is_none(refusal: httpx.Response) -> None:
    assert cancel([QUEUED, says(202, {"status": "IN_PROGRESS"})], refusal)[0] is False
