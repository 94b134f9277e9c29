"""What every adapter owes the product, asked of each over real HTTP at its provider's face in the simulator.

What differs between providers that keep the same contract stands in `contracts.py`; a new adapter is a line there.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from generations.providers import ADAPTERS
from generations.providers.base import (
    Account,
    Charge,
    Handle,
    InputRefused,
    OutcomeUnknown,
    Progress,
    ProviderRefused,
    Request,
    TellsCharges,
    Trace,
    VideoRequest,
)
from generations.sandbox import FACES
from tests.generations import wire
from tests.generations.providers.catalogue import BODIES, NOBODY, request_of
from tests.generations.providers.contracts import CONTRACTS, KEY, SECRET, Asked, clip
from tests.generations.providers.requests import video
from tests.generations.simulator import wait_for
from tests.plain_http import http

DOCS = Path(__file__).parents[3] / "docs"


# --- that nobody is missing


def test_every_adapter_has_its_contract_and_its_face() -> None:
    assert set(CONTRACTS) == set(ADAPTERS)
    assert {face.name for face in FACES} == set(ADAPTERS)


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_the_documents_name_every_provider_and_its_face(name: str) -> None:
    (row,) = (line for line in (DOCS / "providers.md").read_text().splitlines() if line.startswith("| provider |"))
    assert f"`{name}`" in row
    assert f"\n| `{name}` |" in (DOCS / "sandbox.md").read_text()


# --- what it makes


def test_a_clip_is_made_and_its_link_downloads_a_film(asked: Asked) -> None:
    plan = asked.adapter.plan(clip())
    accepted = asked.adapter.submit(asked.account, clip())
    assert accepted.route == plan.route
    (task,) = asked.tasks
    assert (task["id"], task["external_id"]) == (accepted.upstream_id, "att_1")

    running = asked.standing(accepted)
    assert running is not None
    assert (running.state, running.known_word, running.outputs, running.verdict) == ("running", True, (), None)
    done = asked.ended(accepted)
    assert (done.state, done.known_word, done.queued, done.verdict) == ("succeeded", True, False, None)
    film = http.get(done.outputs[0].link(watermark=False))
    assert (film.status_code, film.headers["content-type"], film.content[4:8]) == (200, "video/mp4", b"ftyp")


def test_a_model_that_nobody_knows_is_an_obstacle(asked: Asked) -> None:
    assert asked.adapter.obstacle(clip(model="nobody-knows")) == "does not make the model"


def test_what_has_no_obstacle_is_taken_and_made_as_it_was_asked(asked: Asked) -> None:
    """All valid requests of all models: no draft or request may raise, and the face refuses what it does not know."""
    asked.face.simulator.do("settings", media="off", rate_limits=False)
    taken: dict[str, Request] = {}
    models = set()
    for number, body in enumerate(BODIES.values()):
        request = request_of(body, f"att_{number}")
        assert isinstance(asked.adapter.obstacle(request_of(body, "", with_links=False)), str)
        if asked.adapter.obstacle(request) == "":
            accepted = asked.adapter.submit(asked.account, request)
            assert accepted.route == asked.adapter.plan(request).route
            taken[accepted.upstream_id] = request
            models.add(body["model"])

    assert models == asked.contract.makes
    bodies = {row["task_id"]: row["body"] for row in asked.face.see("requests")["requests"]}
    plans = {task["id"]: task["plan"] for task in asked.tasks}
    wrong = {
        str(request): plans[upstream_id]
        for upstream_id, request in taken.items()
        if isinstance(request, VideoRequest)
        and not (as_asked(plans[upstream_id], request) and holds_all_media(bodies[upstream_id], request))
    }
    assert wrong == {}


def as_asked(plan: dict[str, Any], request: VideoRequest) -> bool:
    """Whether a provider that fills in its own defaults understood all that changes the bill."""
    follows = request.duration_seconds is None
    has_choice = "turbo" not in request.model and request.video_use is None
    return (
        plan["resolution"] == request.quality
        and (follows or plan["seconds"] == request.duration_seconds)
        and (not has_choice or plan["sound"] == request.sound)
    )


def holds_all_media(body: str, request: VideoRequest) -> bool:
    """Whether every image and video was sent, and of every element at least one file."""
    links = [request.image_start, request.image_end, *request.images, request.video]
    elements = [(element.frontal_image, element.video) for element in request.elements]
    return all(link in body for link in links if link) and all(
        any(link and link in body for link in files) for files in elements
    )


@pytest.mark.parametrize("element_id", ["", "811234567890123456"])
def test_an_element_is_an_obstacle_or_can_be_planned(asked: Asked, element_id: str) -> None:
    for body in BODIES.values():
        request = request_of(body, "att_1", element_id=element_id)
        if asked.adapter.obstacle(request) == "":
            plan = asked.adapter.plan(request)
            assert plan.route and len(plan.route) <= 80
            assert json.loads(json.dumps(plan.mark)) == plan.mark


def test_a_body_says_every_billable_field(asked: Asked) -> None:
    asked.adapter.submit(asked.account, clip())
    (create,) = asked.face.see("requests")["requests"]

    assert asked.contract.billable <= set(names_in(json.loads(create["body"])))


def names_in(value: Any) -> Iterator[str]:
    """The names of all fields, however deep."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(inner)


# --- what it says of a create


def test_a_create_that_cannot_be_understood_is_the_customers_mistake(asked: Asked) -> None:
    error = asked.refusal(clip("x [sim:refuse malformed]"))

    assert isinstance(error, InputRefused)
    assert error.verdict.by_input
    assert asked.face.name not in error.verdict.message.lower()


@pytest.mark.parametrize(("reason", "scope"), [("empty", "account"), ("fast", "soft"), ("full", "soft")])
def test_what_is_wrong_with_the_account_is_nobodys_mistake(asked: Asked, reason: str, scope: str) -> None:
    error = asked.refusal(clip(f"x [sim:refuse {reason}]"))

    assert isinstance(error, ProviderRefused)
    assert error.scope == scope
    assert asked.tasks == []


@pytest.mark.parametrize("key", ["", "wrong-key", "ключ"])
def test_a_wrong_key_is_the_accounts_trouble(asked: Asked, key: str) -> None:
    error = asked.refusal(clip(), replace(asked.account, credentials={**asked.account.credentials, "api_key": key}))

    assert isinstance(error, ProviderRefused)
    assert error.scope == "account"
    assert not key or key not in f"{error!r} {error} {error.__cause__!r}"
    assert asked.tasks == []


@pytest.mark.parametrize(
    ("fault", "tasks"),
    [
        ("bad-gateway", 0),
        ("reset-before-body", 0),
        ("hang-before-accept 0.2", 0),
        ("bad-gateway-created", 1),
        ("internal-created", 1),
        ("hang-after-accept 0.2", 1),
        ("reset-after-body", 1),
        ("close-after-body", 1),
        ("half-answer", 1),
        ("garbage", 1),
        ("no-id", 1),
    ],
)
def test_an_answer_that_got_lost_is_unknown_and_the_create_is_sent_once(asked: Asked, fault: str, tasks: int) -> None:
    assert type(asked.refusal(clip(f"x [sim:{fault}]"))) is OutcomeUnknown
    assert asked.face.see("requests")["by_external_id"] == {"att_1": {"requests": 1, "tasks": tasks}}


def test_a_closed_port_is_a_certain_no(asked: Asked) -> None:
    canary = wire.Canary()
    canary.close()
    error = asked.refusal(clip(), replace(asked.account, base_url=f"http://127.0.0.1:{canary.port}"))

    assert isinstance(error, ProviderRefused)
    assert error.scope == "account"


def test_credentials_are_not_in_the_repr(asked: Asked) -> None:
    known = asked.contract.listener(asked)

    assert KEY not in repr(known) and SECRET not in repr(known)
    assert not any(key in repr(known) for key in known.callback_keys.values())


# --- how work stands


def test_an_id_that_it_does_not_know_is_absent(asked: Asked) -> None:
    accepted = asked.adapter.submit(asked.account, clip())

    found = asked.check(accepted.upstream_id, "1", "../x?y", route=accepted.route)
    assert set(found) == {accepted.upstream_id}


@pytest.mark.parametrize("fault", ["poll-5xx", "poll-garbage", "absent", "wrong-ids"])
def test_a_poll_that_fails_decides_nothing(asked: Asked, fault: str) -> None:
    accepted = asked.adapter.submit(asked.account, clip())
    asked.face.script(fault)
    assert asked.standing(accepted) is None

    found = wait_for(lambda: asked.standing(accepted))
    assert found.upstream_id == accepted.upstream_id
    assert found.state != "failed"


def test_an_unknown_word_means_running(asked: Asked) -> None:
    accepted = asked.adapter.submit(asked.account, clip("x [sim:unknown-status reviewing]"))
    asked.face.simulator.do("settings", speed=1)

    def strange() -> Progress | None:
        found = asked.standing(accepted)
        return found if found is not None and found.state_word == "reviewing" else None

    found = wait_for(strange)
    assert (found.state, found.known_word) == ("running", False)


@pytest.mark.parametrize(
    ("failure", "code", "by_input"),
    [
        ("content", "content_policy_violation", True),
        ("internal", "service_error", False),
        ("words that nobody has read before", "service_error", False),
    ],
)
def test_a_failure_says_whose_it_is(asked: Asked, failure: str, code: str, by_input: bool) -> None:
    done = asked.ended(asked.adapter.submit(asked.account, clip(f"x [sim:fail {failure}]")))

    assert (done.state, done.outputs) == ("failed", ())
    assert done.verdict is not None
    assert (done.verdict.code, done.verdict.by_input) == (code, by_input)
    assert done.verdict.upstream_message not in done.verdict.message
    assert asked.face.name not in done.verdict.message.lower()


@pytest.mark.parametrize("words", ["a heron", "a heron [sim:cancel-ignored]"])
def test_a_cancel_is_never_a_lie(asked: Asked, words: str) -> None:
    """Of three, some may wait: what it says it stopped is stopped and costs nothing, and the rest is made."""
    requests = [video(f"att_{number}", prompt=words, callback_url=NOBODY) for number in range(3)]
    accepted = [asked.adapter.submit(asked.account, request) for request in requests]
    handles = [Handle(upstream_id=one.upstream_id, route=one.route) for one in accepted]
    stopped = {handle.upstream_id for handle in handles if asked.adapter.cancel(asked.account, handle)}

    for one in accepted:
        asked.face.simulator.do("finish", task_id=one.upstream_id)
    states = wait_for(lambda: ends(asked))
    charged = {charge["task_id"] for charge in asked.face.see("ledger")["charges"]}
    assert {key for key, state in states.items() if state == "cancelled"} == stopped
    assert {key for key, state in states.items() if state == "succeeded"} == charged == states.keys() - stopped


def ends(asked: Asked) -> dict[str, str]:
    """By id, how all of its work ended; empty before."""
    states = {task["id"]: task["state"] for task in asked.tasks}
    return {} if {"submitted", "processing"} & set(states.values()) else states


# --- what it charged


def test_what_was_charged_is_told_work_by_work_where_the_provider_tells_it(asked: Asked) -> None:
    """Each success once, at the cost that its own answer tells, and nothing of another time."""
    api = asked.adapter
    assert isinstance(api, TellsCharges) == asked.contract.tells_charges
    if not isinstance(api, TellsCharges):
        return
    begun = datetime.now(UTC) - timedelta(minutes=1)
    words = ("a heron", "another", "x [sim:fail content]")
    requests = [video(f"att_{number}", prompt=prompt, callback_url=NOBODY) for number, prompt in enumerate(words)]
    *made, failed = (asked.ended(asked.adapter.submit(asked.account, request)) for request in requests)
    now = datetime.now(UTC) + timedelta(minutes=1)

    told = charges_of(api, asked.account, begun, now)
    assert {charge.upstream_id: charge.cost for charge in told} == {one.upstream_id: one.cost for one in made}
    assert len(told) == 2 and failed.upstream_id not in {charge.upstream_id for charge in told}
    assert all(charge.model for charge in told)
    assert charges_of(api, asked.account, begun - timedelta(days=1), begun) == []


def charges_of(api: TellsCharges, account: Account, since: datetime, until: datetime) -> list[Charge]:
    found: list[Charge] = []
    cursor, is_first = "", True
    while cursor or is_first:
        page = api.charges(account, since, until, cursor)
        found += page.charges
        cursor, is_first = page.next_cursor, False
    return found


# --- what got lost


def lose(asked: Asked, fault: str) -> Trace:
    """A create whose answer got lost, and what it left behind."""
    request = clip("a heron over still water")
    plan = asked.adapter.plan(request)
    mark = json.loads(json.dumps(plan.mark))
    trace = Trace(reference="att_1", route=plan.route, sent_at=datetime.now(UTC), mark=mark)
    asked.face.script(fault)
    asked.refusal(request)
    return trace


def test_a_create_whose_answer_got_lost_is_found_and_no_other(asked: Asked) -> None:
    other = asked.adapter.submit(asked.account, video("att_2", prompt="another", callback_url=NOBODY))
    trace = lose(asked, "reset-after-body")
    (lost,) = (task["id"] for task in asked.tasks if task["id"] != other.upstream_id)
    assert asked.looked_up(trace) == ([lost] if asked.contract.finds == "at once" else None)

    for upstream_id in (lost, other.upstream_id):
        asked.face.simulator.do("finish", task_id=upstream_id)
    if asked.contract.finds == "never":
        assert asked.looked_up(trace) is None
    else:
        assert wait_for(lambda: asked.looked_up(trace)) == [lost]


def test_that_nothing_was_created_is_said_only_where_it_is_certain(asked: Asked) -> None:
    trace = lose(asked, "reset-before-body")
    assert asked.looked_up(trace) == ([] if asked.contract.denies else None)

    asked.face.script("poll-5xx", "poll-garbage")
    assert [asked.looked_up(trace) for _ in range(2)] == [None, None]
