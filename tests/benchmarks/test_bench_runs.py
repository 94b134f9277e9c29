"""`make bench` itself works: every row is measured, at a size that says nothing about speed.

They share one database, and so run one after the other.
"""

import subprocess
import sys

import pytest

from evolink_saas.processes import ROOT
from tests.benchmarks import figures

pytestmark = [pytest.mark.system, pytest.mark.alone]
TINY = (
    "--rounds 1 --seconds 0.3 --cycles 3 --connections 2 --processes 2"
    " --running 80 --ending 5 --polled-seconds 8 --tasks 20 --no-write"
)


def test_every_row_is_measured() -> None:
    document = figures.DOCUMENT.read_text()
    command = [sys.executable, "-m", "tests.benchmarks", *TINY.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ")[0].strip("| ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows == [
        "What",
        "---",
        "POST a generation",
        "GET a task",
        "reserve + capture, many wallets",
        "reserve + capture, one wallet",
        "What",
        "---",
        "a round of a healthy account, p50 / p95 (80 running at 4 accounts, one of them hanging, 5 end a second)",
        "from the end upstream until it is seen, p50 / p95",
        "the worker's memory over the run",
        "What",
        "---",
        "memory of the worker after 20 tasks / after 20",
    ]
    assert figures.DOCUMENT.read_text() == document


@pytest.mark.parametrize(
    ("words", "rows_measured"),
    [(["tests.benchmarks.reports", "--transfers", "8000"], 11), (["tests.benchmarks.year", "--tasks", "1000"], 14)],
    ids=["reports", "year"],
)
def test_every_page_is_measured(words: list[str], rows_measured: int) -> None:
    document = figures.DOCUMENT.read_text()
    command = [sys.executable, "-m", *words, "--times", "1", "--no-write"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if " ms | " in line]
    assert len(rows) == rows_measured
    assert figures.DOCUMENT.read_text() == document
