"""The benchmark of statements and usage itself works, at a size that says nothing about speed."""

import subprocess
import sys

import pytest

from evolink_saas.processes import ROOT
from tests.benchmarks import figures


@pytest.mark.system
def test_every_report_is_measured() -> None:
    document = figures.DOCUMENT.read_text()
    command = [sys.executable, "-m", "tests.benchmarks.reports", "--transfers", "8000", "--times", "1", "--no-write"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if " ms | " in line]
    assert len(rows) == 11
    assert figures.DOCUMENT.read_text() == document
