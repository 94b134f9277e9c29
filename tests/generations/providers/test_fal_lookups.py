"""Lost work is looked up at fal in the list of what has ended: by what was sent, and not for long."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from generations.providers.base import OutcomeUnknown, Progress, Trace
from generations.providers.fal import Fal, ended
from generations.providers.fal.ended import CLOCKS_APART
from tests.generations.providers.test_fal_progress import ACCOUNT, ROUTE, Wire, entry, page, says
from tests.generations.providers.test_fal_refusals import named

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MARK = {"prompt": "x", "duration": "5", "elements": [{"video_url": "https://files.example/a"}], "generate_audio": False}
TRACE = Trace(reference="att_1", route=ROUTE, sent_at=NOW, mark=MARK)


def sent(request_id: str, seconds: float = 1, **changes: Any) -> dict[str, Any]:
    """An ended request with our body, as the list shows it: with what fal filled in."""
    filled = MARK | {"cfg_scale": 0.5, "elements": [{"video_url": "https://files.example/a", "voice_id": None}]}
    moment = (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return entry(request_id, sent_at=moment, json_input=filled) | changes


def find(*pages: httpx.Response, trace: Trace = TRACE) -> tuple[list[Progress], Wire]:
    wire = Wire(items=list(pages))
    return Fal(transport=httpx.MockTransport(wire)).find(ACCOUNT, trace), wire


def test_lost_work_is_found_by_what_was_sent() -> None:
    found, wire = find(page(entry("other", sent_at=NOW.isoformat()), sent("r-1")))

    assert [(one.upstream_id, one.state) for one in found] == [("r-1", "succeeded")]
    assert dict(wire.asked[0].url.params) == {
        "endpoint_id": "fal-ai/kling-video/v3/pro/text-to-video",
        "expand": "payloads",
        "limit": "100",
        "start": "2026-11-20T11:50:00+00:00",
    }


def test_the_likeliest_comes_first_from_whatever_page() -> None:
    pages = (
        page(sent("late", 300), cursor="a b&c"),
        page(sent("failed", 2, status_code=422, json_output=named("image_too_small")), cursor="d"),
        page(sent("first", 1), sent("unsaid", 9, json_output=None)),
    )
    found, wire = find(*pages)

    assert [(one.upstream_id, one.state) for one in found] == [
        ("first", "succeeded"),
        ("failed", "failed"),
        ("unsaid", "running"),
        ("late", "succeeded"),
    ]
    assert [request.url.params.get("cursor") for request in wire.asked] == [None, "a b&c", "d"]


BEYOND = CLOCKS_APART.total_seconds() + 1


@pytest.mark.parametrize(
    "item",
    [
        sent("r", -BEYOND),
        sent("r", BEYOND),
        sent("r", sent_at=None),
        sent("r", sent_at="yesterday"),
        sent("", 1),
        sent("r", json_input=None),
        sent("r", json_input=MARK | {"duration": 5}),
        sent("r", json_input=MARK | {"generate_audio": 0}),
        sent("r", json_input=MARK | {"elements": []}),
        sent("r", json_input={"prompt": "x", "duration": "5"}),
    ],
)
def test_work_that_does_not_look_like_ours_is_left_out(item: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        find(page(item))


def test_a_time_without_a_zone_is_that_of_fal() -> None:
    found, _ = find(page(sent("r-1", sent_at="2026-11-20T12:00:01.5")))
    assert [one.upstream_id for one in found] == ["r-1"]


def test_an_absence_proves_nothing() -> None:
    assert Fal.absence_is_certain is False
    with pytest.raises(OutcomeUnknown):
        find(page())
    with pytest.raises(OutcomeUnknown):
        find(page(sent("r-1")), trace=Trace(reference="att_1", route=ROUTE, sent_at=NOW))


@pytest.mark.parametrize("broken", [says(500, b""), says(401, {"detail": "No"}), says(200, {}), says(200, b"{")])
def test_a_page_that_cannot_be_read_leaves_it_unknown(broken: httpx.Response) -> None:
    with pytest.raises(OutcomeUnknown):
        find(page(sent("r-1"), cursor="next"), broken)


def test_a_list_without_an_end_is_left_at_some_page() -> None:
    wire = Wire(items=page(sent("r-1"), cursor="again"))
    with pytest.raises(OutcomeUnknown, match="too long"):
        Fal(transport=httpx.MockTransport(wire)).find(ACCOUNT, TRACE)

    assert len(wire.asked) == 50


def test_a_list_that_is_slow_is_left_in_time() -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        time.sleep(0.05)
        return page(sent("r-1"), cursor="again")

    asked: list[httpx.Request] = []
    with pytest.raises(OutcomeUnknown, match="too long"):
        Fal(transport=httpx.MockTransport(slow), list_seconds=0.12).find(ACCOUNT, TRACE)
    assert 1 <= len(asked) <= 3


def test_reading_the_list_takes_a_minute_at_most() -> None:
    _, wire = find(page(sent("r-1")))
    waits = wire.asked[0].extensions["timeout"]

    assert ended.LIST_SECONDS + waits["connect"] + waits["read"] + waits["write"] <= 60


def test_the_end_of_the_list_is_not_cut_off_since_a_request_may_wait_for_long() -> None:
    assert "end" not in find(page(sent("r-1")))[1].asked[0].url.params
