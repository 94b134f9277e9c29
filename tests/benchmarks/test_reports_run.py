"""The benchmarks of statements, usage and reports themselves work, at a size that says nothing about speed."""

import subprocess
import sys

import pytest

from evolink_saas.processes import ROOT
from tests.benchmarks import figures


@pytest.mark.alone  # they share one database
@pytest.mark.system
@pytest.mark.parametrize(
    ("words", "rows_measured"),
    [(["tests.benchmarks.reports", "--transfers", "8000"], 11), (["tests.benchmarks.year", "--tasks", "1000"], 14)],
    ids=["reports", "year"],
)
def test_everything_is_measured(words: list[str], rows_measured: int) -> None:
    document = figures.DOCUMENT.read_text()
    command = [sys.executable, "-m", *words, "--times", "1", "--no-write"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if " ms | " in line]
    assert len(rows) == rows_measured
    assert figures.DOCUMENT.read_text() == document
