"""Every test of generations keeps its files in a folder of its own."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """The folder in which this test's files are kept."""
    folder = tmp_path / "storage"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder
