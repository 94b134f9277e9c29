"""The runner of the large sizes itself: every part runs something, and its table says what was counted."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from evolink_saas.processes import ROOT
from tests.system import chaos, faults
from tests.system.tally import Tally, cells


def test_the_parts_together_have_the_sizes_that_were_promised() -> None:
    sizes: Counter[str] = Counter()
    for part in chaos.parts():
        sizes.update({f"{part.group} {name}": size for name, size in part.sizes.items()})
    assert sizes["kills CHAOS_KILLS"] == 1000
    assert sizes["kills CHAOS_TASKS"] == 10_000
    assert sizes["replaced CHAOS_ROUNDS"] == sizes["web CHAOS_ROUNDS"] == 100
    assert sizes["faults CHAOS_FAULT_TASKS"] >= 20_000
    assert sizes["wallet CHAOS_ROUNDS"] * 64 >= 20_000
    assert sizes["ends RACE_TASKS"] == 5000
    told = {part.words["CHAOS_FAULT"] for part in chaos.parts() if part.group == "faults"}
    assert told == {fault.split()[0] for fault in faults.FAULTS}


def test_names_and_seeds_are_given_once_and_another_seed_changes_every_part() -> None:
    first, second = chaos.parts(seed=0), chaos.parts(seed=1)
    assert len({part.name for part in first}) == len(first)
    assert len({part.seed for part in first + second}) == 2 * len(first)


def test_what_the_parts_counted_is_added_up_in_one_row() -> None:
    every = chaos.parts()
    counted = [{"kills": 2, "pauses": [1.0, 3.0]}, {"lost": 0}, {"tasks": 20, "lost": 0, "wrong": 0, "twice": 0}]
    passed = {
        name: {"asked": part.environment(), "seconds": 30, "counted": counted}
        for name, part in ((part.name, part) for part in every)
        if name in ("kills-0", "kills-1")
    }
    *_, row = chaos.table(every, passed).splitlines()
    assert row == "| kills | 2 of 10 | 40 tasks, 4 kills | 1.0 min | 0 / 0 / 0 | 2.0 s / 3.0 s |"
    assert len(chaos.table(chaos.parts(seed=1), passed).splitlines()) == 2  # nothing has passed with that seed


def test_a_loss_would_show() -> None:
    tally = Tally.of([[{"lost": 1}, {"tasks": 9, "lost": 2, "wrong": 1, "twice": 0}], [{"tasks": 1, "wrong": 4}]])
    assert cells(tally, 60) == ("10 tasks", "1.0 min", "3 / 5 / 0", "")


@pytest.mark.system
def test_every_part_runs_exactly_the_tests_it_means() -> None:
    tests = {part.test for part in chaos.parts()}
    paths = {test.split()[0]: (Path(chaos.__file__).parent / test.split()[0]).resolve() for test in tests}
    command = [sys.executable, "-m", "pytest", "--collect-only", *map(str, paths.values())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    collected = [line.partition("::") for line in done.stdout.splitlines()]
    for test in tests:
        file, *options = test.split()
        word = options[1] if options else ""
        assert options in ([], ["-k", word])
        assert [name for path, _, name in collected if ROOT / path == paths[file] and word in name], test
