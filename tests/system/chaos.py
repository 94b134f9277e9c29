"""The kill and fault tests at their large sizes: `make chaos`, or `make chaos ONLY=kills SEED=7`.

Every part is a test run with larger numbers. What has passed stands in var/chaos.json, with what was counted, and is
not run again with the same sizes and seed; remove the file to start anew. After each part the table in docs/figures.md
is written anew from all that has passed. A part that fails ends it all, with its log on the screen. `--scale 0.02`
tries the parts at a fraction of their sizes, to see how long they take, and writes nothing but its own record.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolink_saas.processes import ROOT
from tests.benchmarks import figures
from tests.system.faults import FAULTS
from tests.system.tally import Tally, cells

TITLES = ("Part", "Parts done", "Counted", "Took", "Lost / books wrong / made twice", "At work again, p50 / max")
TOTAL_FAULT_TASKS = 20_000
Sizes = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One run of a test. `words` are settings that are no sizes."""

    name: str
    test: str
    sizes: Sizes
    seed: int
    words: Mapping[str, str]

    @property
    def group(self) -> str:
        return self.name.partition("-")[0]

    def environment(self) -> dict[str, str]:
        sizes = {name: str(size) for name, size in self.sizes.items()}
        return {**sizes, **self.words, "CHAOS_SEED": str(self.seed)}


def parts(seed: int = 0, scale: float = 1) -> list[Part]:
    """All of them, each small enough to be repeated after an interruption."""
    kills, ends = {"CHAOS_KILLS": 100, "CHAOS_TASKS": 1000}, {"RACE_TASKS": 500}
    faults = dict.fromkeys(fault.split()[0] for fault in FAULTS)
    each = -(-TOTAL_FAULT_TASKS // len(faults))
    wanted: list[tuple[str, str, Sizes, Mapping[str, str]]] = [
        *((f"kills-{number}", "test_kill_9.py -k under_load", kills, {}) for number in range(10)),
        *((f"replaced-{number}", "test_kill_9.py -k replaced", {"CHAOS_ROUNDS": 25}, {}) for number in range(4)),
        *((f"web-{number}", "test_web_killed.py", {"CHAOS_ROUNDS": 25}, {}) for number in range(4)),
        ("stops", "test_database_away.py", {"CHAOS_STOPS": 20}, {}),
        *(
            (f"faults-{name}", "test_upstream_faults.py -k every", {"CHAOS_FAULT_TASKS": each}, {"CHAOS_FAULT": name})
            for name in faults
        ),
        ("late", "test_upstream_faults.py -k after_the_refund", {"CHAOS_LATE": 500}, {}),
        ("words", "test_upstream_faults.py -k unknown_word", {"CHAOS_LATE": 500}, {}),
        ("wallet", "test_at_once.py -k callers", {"CHAOS_ROUNDS": 313}, {}),
        ("keys", "test_at_once.py -k idempotency", {"CHAOS_KEYS": 500}, {}),
        *((f"ends-{number}", "../generations/test_races.py -k against", ends, {}) for number in range(10)),
        ("callbacks", "../generations/test_callbacks.py", {}, {}),
        ("fuzz", "test_live_fuzz.py", {"FUZZ_LIVE_CASES": 10_800}, {}),
        ("failover", "test_failover.py", {"CHAOS_TASKS": 500}, {}),
    ]
    return [
        Part(
            name=name,
            test=test,
            sizes={size: max(1, round(large * scale)) for size, large in sizes.items()},
            seed=100 * seed + number,
            words=words,
        )
        for number, (name, test, sizes, words) in enumerate(wanted)
    ]


def main() -> int:
    options = arguments().parse_args()
    whole = options.scale == 1
    record = ROOT / "var" / ("chaos.json" if whole else f"chaos-{options.scale:g}.json")
    passed: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    every = parts(options.seed, options.scale)
    wanted = [part for part in every if part.name.startswith(options.only)]
    for number, part in enumerate(wanted, 1):
        asked = part.environment()
        say(f"{number} of {len(wanted)}: {part.name}, {' '.join('='.join(pair) for pair in asked.items())}")
        if passed.get(part.name, {}).get("asked") == asked:
            say("  has passed already")
            continue
        started = time.monotonic()
        counted = run(part)
        if counted is None:
            say(f"{part.name} failed; with SEED={options.seed} it begins in the same way again")
            return 1
        seconds = time.monotonic() - started
        passed[part.name] = {"asked": asked, "seconds": round(seconds, 1), "counted": counted}
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(passed, indent=1))
        say(f"  passed in {seconds:.0f} s: {json.dumps(counted)[:300]}")
        if whole:
            figures.write("chaos", table(every, passed), f"seed {options.seed}", "make chaos")
    sys.stdout.write(table(every, passed))
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.system.chaos", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="the parts whose names begin so")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn by chance (0)")
    parser.add_argument("--scale", type=float, default=1, help="of all sizes (1)")
    return parser


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(part: Part) -> list[dict[str, Any]] | None:
    """What the tests of the part counted; None when one failed."""
    file, *options = part.test.split()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-x", str(Path(__file__).parent / file), *options]
    with tempfile.NamedTemporaryFile(prefix="chaos-notes-") as notes:
        environment = os.environ | part.environment() | {"CHAOS_NOTES": notes.name}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            return None
        return [json.loads(line) for line in Path(notes.name).read_text().splitlines()]


def table(every: Iterable[Part], passed: Mapping[str, Any]) -> str:
    """One row for each group of parts of which something has passed with these sizes and this seed."""
    groups: dict[str, list[Part]] = defaultdict(list)
    for part in every:
        groups[part.group].append(part)
    rows = []
    for group, members in groups.items():
        done = [passed[part.name] for part in members if passed.get(part.name, {}).get("asked") == part.environment()]
        if done:
            tally = Tally.of(run["counted"] for run in done)
            took = sum(run["seconds"] for run in done)
            rows.append((group, f"{len(done)} of {len(members)}", *cells(tally, took)))
    return figures.grid(TITLES, rows)


if __name__ == "__main__":
    sys.exit(main())
