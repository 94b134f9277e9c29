"""The adapter against the simulated fal over real HTTP: every way in which a create can go wrong, and what is found."""

import asyncio

import pytest

from generations.providers.base import (
    Accepted,
    Account,
    Handle,
    InputRefused,
    OutcomeUnknown,
    Plan,
    Progress,
    ProviderError,
    ProviderRefused,
    Trace,
    query_client,
)
from generations.providers.fal import Fal
from tests.generations.fal import fal_at
from tests.generations.providers.requests import from_image, trace, video
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for

HINT = "http://127.0.0.1:9/hints/attempt-1/token"
SENT_WITH = {"callback_url": HINT.replace("attempt-1", "att_1")}


@pytest.fixture
def fal(simulator: RunningSimulator) -> RunningFace:
    return simulator.face("fal")


@pytest.fixture
def account(fal: RunningFace) -> Account:
    return fal_at(fal)


def submit_error(account: Account, prompt: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        Fal().submit(account, video(prompt=prompt, **SENT_WITH))
    return caught.value


def left_behind(plan: Plan) -> Trace:
    plain = trace("att_1", plan.route)
    return Trace(reference=plain.reference, route=plan.route, sent_at=plain.sent_at, mark=plan.mark)


def check(account: Account, accepted: Accepted) -> Progress:
    handle = Handle(upstream_id=accepted.upstream_id, route=accepted.route)

    async def ask() -> dict[str, Progress]:
        async with query_client() as client:
            return await Fal().check_many(client, account, [handle])

    return asyncio.run(ask())[accepted.upstream_id]


def finished(account: Account, accepted: Accepted) -> Progress:
    def ended() -> Progress | None:
        standing = check(account, accepted)
        return None if standing.state == "running" else standing

    found: Progress = wait_for(ended, seconds=20)
    return found


@pytest.mark.parametrize(
    ("fault", "tasks"),
    [
        ("bad-gateway", 0),
        ("refuse internal", 0),
        ("hang-before-accept 0.2", 0),
        ("reset-before-body", 0),
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
def test_a_lost_answer_is_settled_once_the_work_has_ended(
    fal: RunningFace, account: Account, fault: str, tasks: int
) -> None:
    request = video(prompt=f"x [sim:{fault}]", **SENT_WITH)
    error = submit_error(account, request.prompt)
    assert isinstance(error, OutcomeUnknown)
    assert fal.simulator.creates() == {"att_1": {"requests": 1, "tasks": tasks}}

    lost = left_behind(Fal().plan(request))
    fal.simulator.do("settings", speed=400)
    if not tasks:
        with pytest.raises(OutcomeUnknown):
            Fal().find(account, lost)
        return
    wait_for(lambda: fal.see("tasks")["tasks"][0]["state"] == "succeeded")
    (found,) = Fal().find(account, lost)
    assert (found.upstream_id, found.state) == (fal.see("tasks")["tasks"][0]["id"], "succeeded")


@pytest.mark.parametrize(
    ("fault", "scope"),
    [("refuse empty", "account"), ("refuse fast", "soft"), ("refuse unknown", "model"), ("refuse 401", "account")],
)
def test_what_is_the_services_own_trouble_is_no_input_refusal(
    fal: RunningFace, account: Account, fault: str, scope: str
) -> None:
    error = submit_error(account, f"x [sim:{fault}]")

    assert isinstance(error, ProviderRefused)
    assert error.scope == scope
    assert fal.see("tasks")["tasks"] == []


def test_a_wrong_key_is_the_accounts_trouble(fal: RunningFace) -> None:
    for key in ("", "wrong", "ключ"):
        error = submit_error(Account(base_url=fal.url, credentials={"api_key": key}), "x")
        assert isinstance(error, ProviderRefused)
        assert error.scope == "account"


def test_refused_content_is_the_customers(account: Account) -> None:
    error = submit_error(account, "x [sim:refuse 422]")

    assert isinstance(error, InputRefused)
    assert error.verdict.code == "content_policy_violation"


def test_work_goes_from_the_queue_to_its_result(fal: RunningFace, account: Account) -> None:
    fal.change_account(slots=0)
    accepted = Fal().submit(account, video(**SENT_WITH))
    assert accepted.queued
    assert check(account, accepted).queued
    fal.change_account(slots=1)
    standing = finished(account, accepted)
    assert (standing.state, standing.outputs[0].url[-4:]) == ("succeeded", ".mp4")


@pytest.mark.parametrize(
    ("fault", "code", "by_input"),
    [
        ("content", "content_policy_violation", True),
        ("image", "image_dimension_mismatch", True),
        ("format", "image_processing_error", True),
        ("download", "media_unreachable", False),
        ("large", "invalid_parameters", True),
        ("face", "face_not_found", True),
        ("video", "video_probe_failed", True),
        ("timeout", "generation_timeout", False),
        ("internal", "service_error", False),
        ("Failure to pass the risk control system", "content_policy_violation", True),
        ("Kling did not answer", "service_error", False),
    ],
)
def test_each_failure_of_the_simulator_has_its_verdict(
    fal: RunningFace, account: Account, fault: str, code: str, by_input: bool
) -> None:
    fal.simulator.do("settings", speed=400)
    standing = finished(account, Fal().submit(account, video(prompt=f"x [sim:fail {fault}]")))

    assert standing.verdict is not None
    assert (standing.state, standing.verdict.code, standing.verdict.by_input) == ("failed", code, by_input)


def test_only_what_waits_is_cancelled(fal: RunningFace, account: Account) -> None:
    fal.simulator.do("settings", speed=1)
    fal.change_account(slots=1)
    running, waiting = (Fal().submit(account, request) for request in (video(), from_image()))
    fal.simulator.advance(15)
    wait_for(lambda: check(account, running).state_word == "IN_PROGRESS")

    handles = [Handle(upstream_id=one.upstream_id, route=one.route) for one in (running, waiting)]
    assert [Fal().cancel(account, handle) for handle in handles] == [False, True]
    assert [Fal().cancel(account, handle) for handle in handles] == [False, False]
    withdrawn = check(account, waiting).verdict
    assert withdrawn is not None
    assert withdrawn.code == "request_cancelled"
    assert sorted(row["state"] for row in fal.see("tasks")["tasks"]) == ["cancelled", "processing"]


def test_a_cancel_that_fal_ignores_is_none(fal: RunningFace, account: Account) -> None:
    fal.change_account(slots=0)
    accepted = Fal().submit(account, video(prompt="x [sim:cancel-ignored]"))

    assert Fal().cancel(account, Handle(upstream_id=accepted.upstream_id, route=accepted.route)) is False
    assert check(account, accepted).queued


@pytest.mark.parametrize("fault", ["poll-5xx 1", "poll-garbage 1", "wrong-ids 1"])
def test_a_failed_query_decides_nothing(account: Account, fault: str) -> None:
    accepted = Fal().submit(account, video(prompt=f"x [sim:{fault}]"))

    with pytest.raises(OutcomeUnknown):
        check(account, accepted)
    assert check(account, accepted).state == "running"
