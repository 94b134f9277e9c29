"""Work is found again in the list of predictions, by what was sent; what cannot be seen is never an absence."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from generations.providers.base import Account, Incomplete, OutcomeUnknown, Trace
from generations.providers.replicate import Replicate
from generations.providers.replicate.listing import MOST_PAGES
from tests.generations.providers.requests import from_image, video

ACCOUNT = Account(base_url="https://replicate.example/v1", credentials={"api_key": "r8_secret"})
SENT_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLAN = Replicate().plan(video())
TRACE = Trace(reference="att_1", route=PLAN.route, sent_at=SENT_AT, mark=PLAN.mark)
Answer = Callable[[httpx.Request], httpx.Response]


def row(upstream_id: str, seconds: float = 1, **changes: Any) -> dict[str, Any]:
    """A prediction like ours, made so many seconds after our call."""
    made_at = (SENT_AT + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    plain = {
        "id": upstream_id,
        "model": "kwaivgi/kling-v3-video",
        "status": "processing",
        "created_at": made_at,
        "input": {**PLAN.mark["input"], "seed": 7},
        "output": None,
        "data_removed": False,
    }
    return plain | changes


def page(*rows: Any, following: Any = None) -> httpx.Response:
    return httpx.Response(200, json={"previous": None, "next": following, "results": list(rows)})


def find_at(answer: Answer, trace: Trace = TRACE) -> list[str]:
    found = Replicate(transport=httpx.MockTransport(answer)).find(ACCOUNT, trace)
    return [progress.upstream_id for progress in found]


def listed(*rows: Any) -> list[str]:
    return find_at(lambda request: page(*rows))


def is_incomplete(trace: Trace, *rows: Any) -> bool:
    """Whether what is found says that none of it being ours proves nothing."""
    adapter = Replicate(transport=httpx.MockTransport(lambda request: page(*rows)))
    return isinstance(adapter.find(ACCOUNT, trace), Incomplete)


def test_the_list_is_asked_with_our_key_and_says_how_the_work_stands() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://replicate.example/v1/predictions"
        assert (request.method, request.headers["authorization"]) == ("GET", "Bearer r8_secret")
        return page(row("a", status="succeeded", output="https://replicate.delivery/a.mp4"))

    (progress,) = Replicate(transport=httpx.MockTransport(answer)).find(ACCOUNT, TRACE)
    assert (progress.upstream_id, progress.state) == ("a", "succeeded")
    assert progress.outputs[0].url == "https://replicate.delivery/a.mp4"


def test_an_empty_list_is_a_certain_no() -> None:
    assert listed() == []


@pytest.mark.parametrize(
    "other",
    [
        {"model": "kwaivgi/kling-v3-omni-video"},
        {"model": None},
        {"input": {**PLAN.mark["input"], "prompt": "a heron over still waters"}},
        {"input": {**PLAN.mark["input"], "duration": 6}},
        {"input": {**PLAN.mark["input"], "generate_audio": True}},
        {"input": {name: value for name, value in PLAN.mark["input"].items() if name != "negative_prompt"}},
    ],
)
def test_what_differs_in_one_field_is_not_ours(other: dict[str, Any]) -> None:
    assert listed(row("b", **other)) == []
    assert listed(row("b", **other), row("a")) == ["a"]
    assert not is_incomplete(TRACE, row("b", **other), row("a"))


OTHER_PROMPT = {**PLAN.mark["input"], "prompt": "a heron over still waters"}


@pytest.mark.parametrize(
    "other",
    [
        {"input": {}},
        {"input": None},
        {"input": "x"},
        {"input": []},
        {"input": {}, "data_removed": True},
        {"input": OTHER_PROMPT, "data_removed": True},
        {"id": ""},
    ],
)
def test_what_cannot_be_compared_leaves_it_open(other: dict[str, Any]) -> None:
    spoilt = row("b") | other
    with pytest.raises(OutcomeUnknown):
        listed(spoilt)
    assert listed(spoilt, row("a")) == ["a"]
    assert is_incomplete(TRACE, spoilt, row("a"))
    assert listed(spoilt | {"model": "kwaivgi/kling-v3-motion-control"}) == []
    assert listed(spoilt | {"created_at": row("b", 601)["created_at"]}) == []


def test_a_row_that_shows_no_input_at_all_leaves_it_open() -> None:
    spoilt = row("b")
    del spoilt["input"]
    with pytest.raises(OutcomeUnknown):
        listed(spoilt)


def test_a_row_that_still_shows_our_input_is_ours_whatever_it_says_of_removal() -> None:
    assert listed(row("a", data_removed=True)) == ["a"]


def test_spaces_around_a_text_do_not_matter() -> None:
    assert listed(row("a", input={**PLAN.mark["input"], "prompt": f"\n {PLAN.mark['input']['prompt']} "})) == ["a"]
    mark = PLAN.mark | {"input": {**PLAN.mark["input"], "prompt": f"{PLAN.mark['input']['prompt']} \n"}}
    trace = Trace(reference="att_1", route=PLAN.route, sent_at=SENT_AT, mark=mark)
    assert find_at(lambda request: page(row("a")), trace) == ["a"]


def test_only_what_was_made_about_the_time_of_the_call_can_be_ours() -> None:
    assert listed(row("later", 601), row("last", 599), row("first", -119), row("earlier", -121)) == ["first", "last"]


def test_of_equals_the_one_nearest_to_the_call_comes_first() -> None:
    assert listed(row("c", 50), row("b", 2), row("a", -30)) == ["b", "a", "c"]


def test_pages_are_read_back_to_the_call_and_no_further() -> None:
    asked: list[str] = []
    pages = {
        "": page(row("x", 90, input={}), following="https://elsewhere.example/v1/predictions?cursor=two%3D"),
        "two=": page(row("a", 1), following="https://replicate.example/v1/predictions?cursor=three"),
        "three": page(row("old", -200), row("older", -300), following="https://replicate.example/?cursor=four"),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "replicate.example"
        asked.append(request.url.params.get("cursor", ""))
        return pages[asked[-1]]

    assert find_at(answer) == ["a"]
    assert asked == ["", "two=", "three"]


@pytest.mark.parametrize("following", ["", "https://replicate.example/v1/predictions", 7, ["x"], "http://[", {}])
def test_a_list_that_breaks_off_before_the_call_decides_nothing(following: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        find_at(lambda request: page(row("x", 90, input={}), following=following))


def test_a_list_without_end_decides_nothing() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        return page(row("x", 90, input={}), following=f"https://replicate.example/v1/predictions?cursor={len(asked)}")

    with pytest.raises(OutcomeUnknown):
        find_at(answer)
    assert len(asked) == MOST_PAGES


def test_a_page_that_fails_decides_nothing_whatever_the_first_one_showed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            return httpx.Response(503)
        return page(row("a"), following="https://replicate.example/v1/predictions?cursor=two")

    with pytest.raises(OutcomeUnknown):
        find_at(answer)


@pytest.mark.parametrize("made_at", [None, "", "yesterday", 7, {}])
def test_a_row_without_a_time_decides_nothing(made_at: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        listed(row("a", created_at=made_at))


@pytest.mark.parametrize(
    "made_at",
    ["2026-11-24T12:00:01.250", "2026-11-24T12:00:01.765994657Z", "2026-11-24T12:00:01Z", "2026-11-24T13:00:01+01:00"],
)
def test_a_time_may_be_as_exact_as_it_likes_and_is_universal_without_a_zone(made_at: str) -> None:
    assert listed(row("a", created_at=made_at)) == ["a"]


def test_a_list_that_cannot_be_read_in_time_decides_nothing() -> None:
    adapter = Replicate(transport=httpx.MockTransport(lambda request: page(row("a"))), list_seconds=0)

    with pytest.raises(OutcomeUnknown):
        adapter.find(ACCOUNT, TRACE)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"results": {}}'),
        (200, b'{"results": [1]}'),
        (200, b'{"results": [{"id": "a"'),
        (401, b'{"detail": "Unauthenticated"}'),
        (404, b'{"detail": "The requested resource could not be found."}'),
        (429, b'{"detail": "Request was throttled."}'),
        (500, b'{"results": []}'),
    ],
)
def test_a_failed_look_up_is_not_an_absence(status: int, body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        find_at(lambda request: httpx.Response(status, content=body))


def test_a_look_up_over_a_dead_wire_is_unknown() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late")

    with pytest.raises(OutcomeUnknown):
        find_at(fail)


@pytest.mark.parametrize("mark", [{}, {"model": "kwaivgi/kling-v3-video"}, {"model": "x", "input": {}}])
def test_without_a_mark_nothing_can_be_found(mark: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        find_at(lambda request: page(), Trace(reference="att_1", route=PLAN.route, sent_at=SENT_AT, mark=mark))


def test_media_of_another_task_tell_equal_prompts_apart() -> None:
    plans = [Replicate().plan(from_image(image_start=f"https://files.example/{name}.png")) for name in "ab"]
    traces = [Trace(reference="att_1", route=plan.route, sent_at=SENT_AT, mark=plan.mark) for plan in plans]
    rows = [row(name, input=plan.mark["input"]) for name, plan in zip("ab", plans, strict=True)]

    assert [find_at(lambda request: page(*rows), trace) for trace in traces] == [["a"], ["b"]]


REWRITTEN = {"start_image": "https://replicate.delivery/x.png"}


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        (REWRITTEN, True),
        ({"start_image": None}, True),
        (REWRITTEN | {"prompt": "another"}, False),
        (REWRITTEN | {"duration": 6}, False),
    ],
)
def test_media_addresses_may_have_been_rewritten(changes: dict[str, Any], is_open: bool) -> None:
    plan = Replicate().plan(from_image(image_start="https://files.example/a.png"))
    trace = Trace(reference="att_1", route=plan.route, sent_at=SENT_AT, mark=plan.mark)
    other, ours = row("b", input={**plan.mark["input"], **changes}), row("a", input=plan.mark["input"])

    assert is_incomplete(trace, other, ours) is is_open
    if is_open:
        with pytest.raises(OutcomeUnknown):
            find_at(lambda request: page(other), trace)
    else:
        assert find_at(lambda request: page(other), trace) == []
