"""`make bench` itself works: every row is measured, at a size that says nothing about speed."""

import os
import subprocess
import sys

import pytest

from evolink_saas.processes import ROOT
from tests.benchmarks import figures

pytestmark = pytest.mark.system
TINY = (
    "--rounds 1 --seconds 0.3 --cycles 3 --connections 2 --processes 2"
    " --running 80 --ending 5 --polled-seconds 8 --tasks 20"
)


def bench(*words: str) -> list[str]:
    """What it wrote, line by line; in a database of this test's own, and without a touch of the document."""
    document = figures.DOCUMENT.read_text()
    environment = os.environ | {"BENCHMARK_SUFFIX": f"_{os.getpid()}"}
    command = [sys.executable, "-m", *words, "--no-write"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert figures.DOCUMENT.read_text() == document
    return done.stdout.splitlines()


def test_every_row_is_measured() -> None:
    rows = [
        line.split(" | ")[0].strip("| ") for line in bench("tests.benchmarks", *TINY.split()) if line.startswith("| ")
    ]
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


@pytest.mark.parametrize(
    ("words", "pages"),
    [(["tests.benchmarks.reports", "--transfers", "8000"], 11), (["tests.benchmarks.year", "--tasks", "1000"], 15)],
    ids=["reports", "year"],
)
def test_every_page_is_measured(words: list[str], pages: int) -> None:
    assert sum(" ms | " in line for line in bench(*words, "--times", "1")) == pages
