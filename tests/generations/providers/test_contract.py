"""What every adapter owes the product, asked of each over real HTTP at its provider's face in the simulator."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from generations.providers import ADAPTERS
from generations.providers.base import (
    Accepted,
    Account,
    Adapter,
    CallbackRefused,
    Handle,
    InputRefused,
    OutcomeUnknown,
    Progress,
    ProviderError,
    ProviderRefused,
    Request,
    query_client,
)
from generations.sandbox import FACES
from tests.generations import wire
from tests.generations.providers.requests import video
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

DOCS = Path(__file__).parents[3] / "docs"
UNKNOWN_AFTER = ["bad-gateway", "reset-before-body", "hang-before-accept 0.2"]
UNKNOWN_THOUGH_MADE = [
    "bad-gateway-created",
    "internal-created",
    "reset-after-body",
    "close-after-body",
    "half-answer",
    "garbage",
    "no-id",
    "hang-after-accept 0.2",
]


@pytest.fixture(params=sorted(ADAPTERS))
def face(request: pytest.FixtureRequest, simulator: RunningSimulator) -> Iterator[RunningFace]:
    """Each provider, in turn."""
    yield simulator.face(request.param)


@pytest.fixture
def adapter(face: RunningFace) -> Adapter:
    return ADAPTERS[face.name]


def clip(words: str = "a heron") -> Request:
    return video("att_1", prompt=words, callback_url="http://127.0.0.1:9/hints/att_1/x")


def refusal(adapter: Adapter, account: Account, words: str = "a heron") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        adapter.submit(account, clip(words))
    return caught.value


def check(adapter: Adapter, face: RunningFace, accepted: Accepted) -> Progress | None:
    """As it is polled; None without a credible answer."""
    handle = Handle(upstream_id=accepted.upstream_id, route=accepted.route)

    async def ask() -> dict[str, Progress]:
        async with query_client() as client:
            return await adapter.check_many(client, face.account, [handle])

    try:
        return asyncio.run(ask()).get(accepted.upstream_id)
    except OutcomeUnknown:
        return None


def ended(adapter: Adapter, face: RunningFace, accepted: Accepted) -> Progress:
    face.simulator.advance(600)

    def standing() -> Progress | None:
        found = check(adapter, face, accepted)
        return found if found is not None and found.state != "running" else None

    found: Progress = wait_for(standing)
    return found


def test_every_adapter_has_a_face_to_be_tested_at() -> None:
    assert set(ADAPTERS) == {face.name for face in FACES}


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_the_documents_name_every_provider_and_its_face(name: str) -> None:
    (row,) = (line for line in (DOCS / "providers.md").read_text().splitlines() if line.startswith("| provider |"))
    assert f"`{name}`" in row
    assert f"\n| `{name}` |" in (DOCS / "sandbox.md").read_text()


def test_a_plain_clip_is_planned_made_and_found_again(adapter: Adapter, face: RunningFace) -> None:
    assert adapter.obstacle(clip()) == ""
    plan = adapter.plan(clip())
    accepted = adapter.submit(face.account, clip())
    assert accepted.route == plan.route
    assert adapter.poll_every >= 1
    (task,) = face.see("tasks")["tasks"]
    assert (task["id"], task["external_id"]) == (accepted.upstream_id, "att_1")

    made = ended(adapter, face, accepted)
    assert (made.state, made.known_word, made.verdict) == ("succeeded", True, None)
    answer = httpx.get(made.outputs[0].url, trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")


def test_a_model_that_nobody_knows_is_an_obstacle(adapter: Adapter) -> None:
    assert adapter.obstacle(video(model="nobody-knows")) == "does not make the model"


def test_a_wrong_key_is_the_accounts_trouble(adapter: Adapter, face: RunningFace) -> None:
    for key in ("", "wrong", "ключ"):
        error = refusal(adapter, Account(base_url=face.url, credentials={"api_key": key}))
        assert isinstance(error, ProviderRefused)
        assert error.scope == "account"
    assert face.see("tasks")["tasks"] == []


@pytest.mark.parametrize(("reason", "scope"), [("empty", "account"), ("fast", "soft"), ("full", "soft")])
def test_what_is_wrong_with_the_account_is_no_fault_of_the_customer(
    adapter: Adapter, face: RunningFace, reason: str, scope: str
) -> None:
    error = refusal(adapter, face.account, f"x [sim:refuse {reason}]")

    assert isinstance(error, ProviderRefused)
    assert error.scope == scope


def test_what_cannot_be_understood_is_the_customers(adapter: Adapter, face: RunningFace) -> None:
    error = refusal(adapter, face.account, "x [sim:refuse malformed]")

    assert isinstance(error, InputRefused)
    assert error.verdict.by_input
    assert face.name not in error.verdict.message.lower()


@pytest.mark.parametrize(
    ("fault", "tasks"), [*((fault, 0) for fault in UNKNOWN_AFTER), *((fault, 1) for fault in UNKNOWN_THOUGH_MADE)]
)
def test_a_lost_answer_is_unknown_and_the_create_is_sent_once(
    adapter: Adapter, face: RunningFace, fault: str, tasks: int
) -> None:
    assert isinstance(refusal(adapter, face.account, f"x [sim:{fault}]"), OutcomeUnknown)
    assert face.see("requests")["by_external_id"] == {"att_1": {"requests": 1, "tasks": tasks}}


def test_a_closed_port_is_a_certain_no(adapter: Adapter) -> None:
    canary = wire.Canary()
    canary.close()
    account = Account(base_url=f"http://127.0.0.1:{canary.port}", credentials={"api_key": "key"})

    error = refusal(adapter, account)
    assert isinstance(error, ProviderRefused)
    assert error.scope == "account"


@pytest.mark.parametrize("fault", ["poll-5xx", "poll-garbage", "absent", "wrong-ids"])
def test_a_poll_that_fails_decides_nothing(adapter: Adapter, face: RunningFace, fault: str) -> None:
    accepted = adapter.submit(face.account, clip())
    face.script(fault)

    assert check(adapter, face, accepted) is None
    standing = check(adapter, face, accepted)
    assert standing is not None
    assert standing.upstream_id == accepted.upstream_id


def test_an_unknown_word_means_running(adapter: Adapter, face: RunningFace) -> None:
    accepted = adapter.submit(face.account, clip("x [sim:unknown-status reviewing]"))
    face.simulator.do("settings", speed=1)

    def strange() -> Progress | None:
        found = check(adapter, face, accepted)
        return found if found is not None and found.state_word == "reviewing" else None

    standing = wait_for(strange)
    assert (standing.state, standing.known_word) == ("running", False)


@pytest.mark.parametrize(
    ("failure", "code", "by_input"),
    [("content", "content_policy_violation", True), ("internal", "service_error", False)],
)
def test_a_failure_says_whose_it_is(
    adapter: Adapter, face: RunningFace, failure: str, code: str, by_input: bool
) -> None:
    verdict = ended(adapter, face, adapter.submit(face.account, clip(f"x [sim:fail {failure}]"))).verdict

    assert verdict is not None
    assert (verdict.code, verdict.by_input) == (code, by_input)
    assert verdict.upstream_message not in verdict.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_callback_that_names_no_work_is_refused(adapter: Adapter, face: RunningFace, body: bytes) -> None:
    with pytest.raises(CallbackRefused):
        adapter.read_callback(face.account, {}, body, datetime.now(UTC))
