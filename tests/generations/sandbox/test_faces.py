"""What the core does for every provider, seen through a toy one; and what every face must bring."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from generations.sandbox import FACES
from generations.sandbox.face import Face, reference_in
from generations.sandbox.faults import FAILURES
from generations.sandbox.refusals import REASONS
from generations.sandbox.store import API_KEY
from tests.generations import wire
from tests.generations.sandbox.bodies import KEY, NEW_TEXT, new_text
from tests.generations.sandbox.toy import WHSEC
from tests.generations.simulator import RunningFace, RunningSimulator, wait_for
from tests.plain_http import http

TOY_KEY = {"x-toy-key": API_KEY}
AWAY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def toy_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    running = RunningSimulator(tmp_path_factory.mktemp("toy"), module="tests.generations.sandbox.toy")
    running.start()
    yield running
    running.kill()


@pytest.fixture
def toy(toy_process: RunningSimulator) -> RunningFace:
    toy_process.do("reset")
    return toy_process.face("toy")


def make(toy: RunningFace, words: str = "a heron", *, to: str = AWAY, reference: str = "att_1") -> httpx.Response:
    address = f"{toy.url}/make/small?tell={to}/{reference}/toy"
    return http.post(address, json={"words": words}, headers=TOY_KEY)


def look(toy: RunningFace, task_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = http.get(f"{toy.url}/works/{task_id}", headers=TOY_KEY).json()
    return answer


def stop(toy: RunningFace, task_id: str) -> int:
    return http.post(f"{toy.url}/works/{task_id}/stop", headers=TOY_KEY).status_code


def sent(toy: RunningFace, count: int) -> list[tuple[str, str]]:
    def enough() -> list[tuple[str, str]]:
        log = [(row["state"], row["outcome"]) for row in toy.see("callbacks")["callbacks"]]
        return log if len(log) >= count else []

    found: list[tuple[str, str]] = wait_for(enough)
    return found


def headers(head: bytes) -> dict[str, str]:
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in lines}


# --- every face


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
def test_a_face_has_a_code_for_every_reason_and_words_for_every_failure(face: Face) -> None:
    assert set(face.codes) == set(REASONS)
    assert set(face.failures) == set(FAILURES)
    assert face.new_account("new").provider == face.name


def test_faces_keep_apart() -> None:
    assert len({face.name for face in FACES}) == len({face.prefix for face in FACES}) == len(FACES)
    assert [face.name for face in FACES if not face.prefix] == ["kling"]
    assert all(face.prefix.startswith("/") for face in FACES if face.prefix)


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        ("https://gateway.example/hooks/fal/att_1/abc", "att_1"),
        ("https://gateway.example/att_0/att_1", "att_1"),
        ("https://gateway.example/hooks?x=att_1", ""),
        ("", ""),
    ],
)
def test_our_reference_is_found_in_a_callback_address(url: str, reference: str) -> None:
    assert reference_in(url) == reference


# --- creates


def test_a_create_is_kept_and_logged_under_its_provider(toy: RunningFace) -> None:
    made = make(toy)
    (task,) = toy.see("tasks")["tasks"]
    (request,) = toy.see("requests")["requests"]

    assert (made.status_code, made.json()) == (202, {"id": task["id"]})
    assert (task["provider"], task["path"], task["external_id"]) == ("toy", "/toy/make/small", "att_1")
    assert (request["provider"], request["external_id"], request["answer"]) == ("toy", "att_1", "accepted")
    assert toy.simulator.see("tasks", provider="kling")["tasks"] == []


def test_creates_are_counted_by_our_reference_over_all_providers(toy: RunningFace) -> None:
    toy.simulator.http.post(NEW_TEXT, json=new_text("att_1"), headers=KEY)
    toy.script("refuse")
    make(toy)
    make(toy, reference="att_2")

    assert toy.simulator.creates() == {
        "att_1": {"requests": 2, "tasks": 1},
        "att_2": {"requests": 1, "tasks": 1},
    }
    assert set(toy.see("requests")["by_external_id"]) == {"att_1", "att_2"}
    assert [row["external_id"] for row in toy.see("requests")["requests"]] == ["att_1", "att_2"]


def test_a_script_for_one_provider_leaves_the_others_alone(toy: RunningFace) -> None:
    toy.script("refuse 418")
    kling = toy.simulator.http.post(NEW_TEXT, json=new_text(), headers=KEY)

    assert (kling.json()["code"], make(toy).status_code) == (0, 418)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("refuse", 429),
        ("refuse empty", 402),
        ("refuse malformed", 422),
        ("refuse 451", 451),
        ("internal-created", 500),
        ("bad-gateway", 502),
    ],
)
def test_a_fault_is_answered_in_the_provider_s_own_codes(toy: RunningFace, fault: str, status: int) -> None:
    assert make(toy, f"x [sim:{fault}]").status_code == status
    assert len(toy.see("tasks")["tasks"]) == (fault == "internal-created")


def test_an_answer_without_an_id_and_a_broken_one_look_like_the_healthy_one(toy: RunningFace) -> None:
    without, broken = make(toy, "x [sim:no-id]"), make(toy, "x [sim:garbage]")

    assert (without.status_code, without.json(), broken.status_code) == (202, {}, 202)
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert len(toy.see("tasks")["tasks"]) == 2


def test_half_an_answer_breaks_the_connection_and_makes_the_task(toy: RunningFace) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        make(toy, "x [sim:half-answer]")

    assert [row["answer"] for row in toy.see("requests")["requests"]] == ["half-answer"]
    assert len(toy.see("tasks")["tasks"]) == 1


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"{", "body"), (b"null", "body"), (b"[]", "body"), (b'{"words": 1}', "words"), (b'{"words": "x", "y": 1}', "y")],
)
def test_a_bad_body_is_refused_with_the_field(toy: RunningFace, body: bytes, where: str) -> None:
    answer = http.post(f"{toy.url}/make/small", content=body, headers=TOY_KEY)

    assert (answer.status_code, answer.json()["where"]) == (422, where)
    assert [row["answer"] for row in toy.see("requests")["requests"]] == ["refused 422"]
    assert toy.see("tasks")["tasks"] == []


@pytest.mark.parametrize("path", ["/toy/nothing", "/toy/works/1", "/toy/make/small"])
def test_what_does_not_exist_is_refused_in_the_provider_s_language(toy: RunningFace, path: str) -> None:
    answer = toy.simulator.http.get(path, headers=TOY_KEY)

    assert (answer.status_code, answer.json()) == (404, {"no": "no", "where": ""})


def test_a_key_is_good_at_its_own_provider_only(toy: RunningFace) -> None:
    toy.simulator.do("accounts", provider="toy", api_key="toys")
    at_kling = toy.simulator.http.post(NEW_TEXT, json=new_text(), headers={"Authorization": "Bearer toys"})
    other = toy.simulator.http.get(f"/toy/works/{make(toy).json()['id']}", headers={"x-toy-key": "toys"})

    assert at_kling.json()["code"] == 1002
    assert other.status_code == 404


def test_creates_faster_than_the_rate_are_refused_until_time_has_passed(toy: RunningFace) -> None:
    codes = [make(toy).status_code for _ in range(21)]
    toy.simulator.advance(10)
    after = make(toy).status_code

    assert (codes, after) == ([202] * 20 + [429], 202)


def test_the_rate_can_be_switched_off(toy: RunningFace) -> None:
    toy.simulator.do("settings", rate_limits=False)

    assert [make(toy).status_code for _ in range(21)] == [202] * 21


def test_an_empty_balance_is_refused(toy: RunningFace) -> None:
    toy.change_account(units=1.5)

    assert [make(toy).status_code for _ in range(2)] == [202, 402]


# --- queue, cancel, retention


def test_a_create_beyond_the_slots_waits_for_one(toy: RunningFace) -> None:
    toy.simulator.do("settings", speed=1)
    ids = [make(toy).json()["id"] for _ in range(4)]
    words = []
    for seconds in (20, 105, 20, 110):
        toy.simulator.advance(seconds)
        words.append([look(toy, task_id)["is"] for task_id in ids])

    assert words == [
        ["busy", "busy", "waiting", "waiting"],
        ["done", "done", "waiting", "waiting"],
        ["done", "done", "busy", "busy"],
        ["done", "done", "done", "done"],
    ]


def test_those_who_wait_come_in_order(toy: RunningFace) -> None:
    toy.simulator.do("settings", speed=1)
    toy.change_account(slots=1)
    ids = [make(toy).json()["id"] for _ in range(3)]
    places = [look(toy, task_id)["place"] for task_id in ids]
    toy.simulator.advance(600)
    ended = [look(toy, task_id)["is"] for task_id in ids]
    starts = [task["start_at"] for task in sorted(toy.see("tasks")["tasks"], key=lambda task: ids.index(task["id"]))]

    assert places == [0, 1, 2]
    assert ended == ["done"] * 3
    assert [round(later - earlier) for earlier, later in pairwise(starts)] == [120, 120]


def test_more_slots_let_more_in(toy: RunningFace) -> None:
    toy.change_account(slots=0)
    ids = [make(toy).json()["id"] for _ in range(3)]
    toy.simulator.advance(600)
    before = [look(toy, task_id)["is"] for task_id in ids]
    toy.change_account(slots=3)
    toy.simulator.advance(600)

    assert before == ["waiting"] * 3
    assert [look(toy, task_id)["is"] for task_id in ids] == ["done"] * 3


def test_who_is_stopped_while_waiting_costs_nothing_and_lets_the_next_one_in(toy: RunningFace) -> None:
    toy.simulator.do("settings", speed=1)
    toy.change_account(slots=1)
    first, second, third = (make(toy).json()["id"] for _ in range(3))

    assert [stop(toy, second), stop(toy, first), stop(toy, first)] == [204, 204, 409]
    toy.simulator.advance(600)
    assert [look(toy, task_id)["is"] for task_id in (first, second, third)] == ["stopped", "stopped", "done"]
    assert [charge["task_id"] for charge in toy.see("ledger")["charges"]] == [third]


def test_who_is_stopped_at_work_is_billed_as_the_face_says(toy: RunningFace) -> None:
    toy.simulator.do("settings", speed=1)
    task_id = make(toy).json()["id"]
    toy.simulator.advance(60)

    assert (look(toy, task_id)["is"], stop(toy, task_id)) == ("busy", 204)
    toy.simulator.advance(600)
    assert look(toy, task_id)["is"] == "stopped"
    assert toy.see("ledger")["milliunits"] == 500


def test_a_cancel_may_be_ignored(toy: RunningFace) -> None:
    task_id = make(toy, "x [sim:cancel-ignored]").json()["id"]

    assert stop(toy, task_id) == 204
    toy.simulator.advance(600)
    assert (look(toy, task_id)["is"], toy.see("ledger")["milliunits"]) == ("done", 1000)


def test_answer_and_file_are_forgotten_each_in_its_time(toy: RunningFace) -> None:
    task_id = make(toy).json()["id"]
    toy.simulator.advance(600)
    file = look(toy, task_id)["file"]
    seen = []
    for seconds in (0, 3600, 3600):
        toy.simulator.advance(seconds)
        known = http.get(f"{toy.url}/works/{task_id}", headers=TOY_KEY).status_code
        seen.append((known, toy.simulator.http.get(file).status_code))

    assert seen == [(200, 200), (404, 200), (404, 404)]


def test_a_failure_has_the_provider_s_words(toy: RunningFace) -> None:
    ids = [make(toy, f"x [sim:fail {words}]").json()["id"] for words in ("content", "these words")]
    toy.simulator.advance(600)

    assert [look(toy, task_id)["why"] for task_id in ids] == ["bad content", "these words"]
    assert [task["failure"] for task in toy.see("tasks")["tasks"]] == ["content", "these words"]


def test_an_unknown_word_stands_for_being_at_work(toy: RunningFace) -> None:
    toy.simulator.do("settings", speed=1)
    task_id = make(toy, "x [sim:unknown-status pondering]").json()["id"]
    words = []
    for seconds in (0, 20, 200):
        toy.simulator.advance(seconds)
        words.append(look(toy, task_id)["is"])

    assert words == ["waiting", "pondering", "done"]


# --- callbacks


def test_a_face_says_what_is_told_and_how_it_is_signed(toy: RunningFace) -> None:
    with wire.peer() as receiver:
        task_id = make(toy, to=receiver.url).json()["id"]
        toy.simulator.advance(600)

        assert sent(toy, 1) == [("succeeded", "200")]
        (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    told = Webhook(WHSEC).verify(body, headers(head))
    assert (told["id"], told["is"], head.split()[1]) == (task_id, "done", b"/att_1/toy")


def test_a_forged_signature_does_not_verify(toy: RunningFace) -> None:
    with wire.peer() as receiver:
        make(toy, "x [sim:callback-bad-signature]", to=receiver.url)
        toy.simulator.advance(600)
        sent(toy, 1)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(WHSEC).verify(body, headers(head))


def test_a_callback_that_was_not_taken_is_tried_again(toy: RunningFace) -> None:
    make(toy)
    toy.simulator.advance(600)

    assert sent(toy, 3) == [("succeeded", "ConnectError")] * 3


def test_a_cancel_is_told(toy: RunningFace) -> None:
    with wire.peer() as receiver:
        stop(toy, make(toy, to=receiver.url).json()["id"])

        assert sent(toy, 1) == [("cancelled", "200")]


@pytest.mark.parametrize("image", [None, f"{AWAY}/x.png"])
def test_the_early_callback_of_a_provider_that_tells_of_ends_only_is_its_end(
    toy: RunningFace, image: str | None
) -> None:
    with wire.peer() as receiver:
        address = f"{toy.url}/make/small?tell={receiver.url}/att_1/toy"
        body = {"words": "x [sim:callback-early] [sim:hang-after-accept]"} | ({"image": image} if image else {})
        with pytest.raises(httpx.ReadTimeout):
            http.post(address, json=body, headers=TOY_KEY, timeout=2)

        (request,) = receiver.requests
    assert json.loads(request.partition(b"\r\n\r\n")[2])["is"] == "done"
    assert sent(toy, 1) == [("succeeded", "200")]
