"""The kill and fault tests at their large sizes: `make chaos`, or `make chaos ONLY=kills`.

Every part is a test run with larger numbers. What has passed stands in var/chaos.json and is not run again; remove
the file to start anew. A part that fails ends it all, with its log on the screen.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from evolink_saas.processes import ROOT
from tests.system.faults import FAULTS

PASSED = ROOT / "var" / "chaos.json"
Sizes = Mapping[str, object]
Part = tuple[str, str, Sizes]  # name, test, sizes

TOTAL_FAULT_TASKS = 20_000


def parts() -> list[Part]:
    """All of them, small enough to be repeated after an interruption."""
    each = TOTAL_FAULT_TASKS // len(FAULTS)
    kills: Sizes = {"CHAOS_KILLS": 100, "CHAOS_TASKS": 1000}
    return [
        *((f"kills-{number}", "test_kill_9.py -k under_load", {**kills, "CHAOS_SEED": number}) for number in range(10)),
        ("replaced", "test_kill_9.py -k replaced", {"CHAOS_ROUNDS": 100}),
        ("web", "test_web_killed.py", {"CHAOS_ROUNDS": 100}),
        ("stops", "test_database_away.py", {"CHAOS_STOPS": 20}),
        *(
            (f"faults-{name}", "test_upstream_faults.py -k every", {"CHAOS_FAULT": name, "CHAOS_FAULT_TASKS": each})
            for name in dict.fromkeys(fault.split()[0] for fault in FAULTS)
        ),
        ("failover", "test_failover.py", {"CHAOS_TASKS": 500}),
        ("wallet", "test_at_once.py -k callers", {"CHAOS_ROUNDS": 300}),
        ("keys", "test_at_once.py -k idempotency", {"CHAOS_KEYS": 500}),
        ("fuzz", "test_live_fuzz.py", {"FUZZ_LIVE_CASES": 10_000}),
    ]


def main(only: str = "") -> int:
    passed: dict[str, float] = json.loads(PASSED.read_text()) if PASSED.exists() else {}
    wanted = [part for part in parts() if part[0].startswith(only)]
    for number, (name, test, sizes) in enumerate(wanted, 1):
        sys.stdout.write(f"{number} of {len(wanted)}: {name}{' has passed already' if name in passed else ''}\n")
        sys.stdout.flush()
        if name in passed:
            continue
        started = time.monotonic()
        if not run(test, sizes):
            return 1
        passed[name] = round(time.monotonic() - started, 1)
        PASSED.parent.mkdir(parents=True, exist_ok=True)
        PASSED.write_text(json.dumps(passed, indent=1))
    return 0


def run(test: str, sizes: Sizes) -> bool:
    file, *options = test.split()
    command = [sys.executable, "-m", "pytest", "-s", "-x", str(Path(__file__).parent / file), *options]
    environment = os.environ | {name: str(size) for name, size in sizes.items()}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
