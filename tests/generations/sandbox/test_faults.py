"""Faults are asked for by words, by script and by rates, and befall exactly what they should."""

import time
from pathlib import Path

import httpx
import pytest

from generations.sandbox import faults
from generations.sandbox.kling import wire
from tests.generations.sandbox.bodies import KEY, NEW_TEXT, TEXT, legacy, new_text
from tests.generations.simulator import RunningSimulator


def create(simulator: RunningSimulator, reference: str, prompt: str = "a heron") -> httpx.Response:
    return simulator.http.post(NEW_TEXT, json=new_text(reference, prompt), headers=KEY)


def query(simulator: RunningSimulator, reference: str) -> httpx.Response:
    return simulator.http.get(f"/tasks?external_task_ids={reference}", headers=KEY)


def test_a_script_serves_its_creates_in_order_then_all_is_well(simulator: RunningSimulator) -> None:
    simulator.script("refuse 1302", "refuse 1303", times=2)
    codes = [create(simulator, name).json()["code"] for name in "abcde"]

    assert codes == [1302, 1302, 1303, 1303, 0]


@pytest.mark.parametrize(
    ("match", "codes"),
    [
        ({"path": TEXT}, [0, 1302]),
        ({"path": NEW_TEXT}, [1302, 0]),
        ({"external_id": "b"}, [0, 1302]),
        ({"text": "heron"}, [1302, 0]),
        ({"account": "somebody"}, [0, 0]),
    ],
)
def test_a_script_befalls_only_what_matches(
    simulator: RunningSimulator, match: dict[str, str], codes: list[int]
) -> None:
    simulator.do("script", faults=["refuse 1302"], match=match)
    other = simulator.http.post(TEXT, json=legacy("b", prompt="a crane"), headers=KEY)

    assert [create(simulator, "a").json()["code"], other.json()["code"]] == codes


def test_a_script_for_queries_waits_for_a_query(simulator: RunningSimulator) -> None:
    simulator.script("poll-5xx", times=2)
    create(simulator, "a")

    assert [query(simulator, "a").status_code for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize("body", [{"faults": ["no-such"]}, {"faults": ["refuse"], "times": "x"}, {}])
def test_a_script_nobody_understands_is_refused(simulator: RunningSimulator, body: dict[str, object]) -> None:
    assert simulator.http.post("/__sim/script", json=body).status_code == 400


def test_rates_draw_the_same_faults_from_the_same_seed(simulator: RunningSimulator) -> None:
    def drawn() -> list[int]:
        simulator.do("reset")
        simulator.do("settings", rates={"refuse 1301": 0.5}, seed=7)
        return [create(simulator, str(number)).json()["code"] for number in range(20)]

    codes = drawn()
    assert set(codes) == {0, 1301}
    assert drawn() == codes


def test_the_words_of_a_shot_and_of_a_negative_prompt_count(simulator: RunningSimulator) -> None:
    shot = {"index": 1, "prompt": "x [sim:refuse 1301]", "duration": "5"}
    shots = legacy("a", multi_shot=True, shot_type="customize", multi_prompt=[shot])
    negative = legacy("b", negative_prompt="[sim:refuse 1300]")

    assert simulator.http.post(TEXT, json=shots, headers=KEY).json()["code"] == 1301
    assert simulator.http.post(TEXT, json=negative, headers=KEY).json()["code"] == 1300


@pytest.mark.parametrize(
    ("fault", "parsed"),
    [
        ("slow", ("slow", "60")),
        ("slow 5", ("slow", "5")),
        ("slow very", ("slow", "60")),
        ("slow 1e9", ("slow", "60")),
        ("fail content", ("fail", "content")),
        ("nothing", None),
    ],
)
def test_an_argument_that_is_no_number_means_the_usual_one(fault: str, parsed: tuple[str, str] | None) -> None:
    assert faults.parse(fault) == parsed


@pytest.mark.parametrize(("word", "text"), [*wire.FAILURES.items(), ("Some new words", "Some new words")])
def test_a_task_fails_with_kling_s_words(simulator: RunningSimulator, word: str, text: str) -> None:
    create(simulator, "a", f"x [sim:fail {word}]")
    simulator.advance(600)
    (row,) = query(simulator, "a").json()["data"]

    assert (row["status"], row["message"], row["outputs"], row["billing"]) == ("failed", text, [], [])


def test_a_late_success_comes_a_day_later(simulator: RunningSimulator) -> None:
    create(simulator, "a", "x [sim:late-success]")
    simulator.advance(7200)
    before = query(simulator, "a").json()["data"][0]["status"]
    simulator.advance(86400)
    after = query(simulator, "a").json()["data"][0]["status"]

    assert (before, after) == ("processing", "succeeded")


def test_one_task_can_be_finished_by_hand(simulator: RunningSimulator) -> None:
    for name in "ab":
        create(simulator, name, "x [sim:late-success]")
    simulator.do("finish", external_id="a")

    assert query(simulator, "a").json()["data"][0]["status"] == "succeeded"
    assert query(simulator, "b").json()["data"][0]["status"] != "succeeded"


def test_an_absent_task_comes_back(simulator: RunningSimulator) -> None:
    create(simulator, "a", "x [sim:absent 2]")

    assert [len(query(simulator, "a").json()["data"]) for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(("fault", "status"), [("result-403", 403), ("result-404", 404)])
def test_a_result_may_be_refused_for_a_while(simulator: RunningSimulator, fault: str, status: int) -> None:
    create(simulator, "a", f"x [sim:{fault} 2]")
    simulator.advance(600)
    url = query(simulator, "a").json()["data"][0]["outputs"][0]["url"]

    assert [simulator.http.get(url).status_code for _ in range(3)] == [status, status, 200]


def test_a_slow_create_answers_in_the_end(simulator: RunningSimulator) -> None:
    began = time.monotonic()

    assert create(simulator, "a", "x [sim:slow-create 0.3]").json()["code"] == 0
    assert time.monotonic() - began >= 0.3


def test_every_create_is_logged_with_what_became_of_it(simulator: RunningSimulator) -> None:
    create(simulator, "a")
    create(simulator, "b", "x [sim:bad-gateway]")
    create(simulator, "c", "x [sim:bad-gateway-created]")
    simulator.http.post(NEW_TEXT, json={"options": {"external_task_id": "d"}}, headers=KEY)
    log = simulator.see("requests")["requests"]

    assert [(row["external_id"], row["answer"], row["task_id"] is not None) for row in log] == [
        ("a", "accepted", True),
        ("b", "bad-gateway", False),
        ("c", "bad-gateway-created", True),
        ("d", "refused 1201", False),
    ]


def test_every_fault_is_in_the_documents() -> None:
    text = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()

    assert [name for name in faults.FAULTS if f"`{name}`" not in text] == []
