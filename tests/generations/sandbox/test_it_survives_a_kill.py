"""Killed without warning, the simulator knows afterwards everything it had answered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from generations.sandbox.__main__ import own_secret
from generations.sandbox.store import Store
from tests.generations.sandbox.bodies import KEY, NEW_TEXT, new_text
from tests.generations.simulator import RunningSimulator, wait_for


@pytest.fixture
def own_simulator(tmp_path: Path) -> Iterator[RunningSimulator]:
    running = RunningSimulator(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.mark.system
def test_a_kill_loses_no_task_no_log_and_no_fault(own_simulator: RunningSimulator) -> None:
    own_simulator.script("refuse 1302", external_id="late")
    own_simulator.advance(1000)
    for number in range(20):
        own_simulator.http.post(NEW_TEXT, json=new_text(str(number)), headers=KEY)
    before = own_simulator.see("requests")

    own_simulator.kill()
    own_simulator.start()

    assert own_simulator.see("requests") == before
    assert own_simulator.http.post(NEW_TEXT, json=new_text("late"), headers=KEY).json()["code"] == 1302
    wait_for(lambda: all(task["state"] == "succeeded" for task in own_simulator.see("tasks")["tasks"]))
    assert len(own_simulator.see("ledger")["charges"]) == 20


def test_what_a_provider_signs_with_outlives_a_reset_and_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    secret = store.secret("fal")
    store.reset()

    assert (store.secret("fal"), Store(tmp_path).secret("fal"), len(bytes.fromhex(secret))) == (secret, secret, 32)
    assert store.secret("other") != secret


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = own_secret(tmp_path / "new")

    assert (own_secret(tmp_path / "new"), len(first)) == (first, 32)
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o777 == 0o600
