"""Every test of generations keeps its files in a folder of its own."""

from pathlib import Path

import pytest
import trustme
from pytest_django import Settings


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """The folder in which this test's files are kept."""
    folder = tmp_path / "storage"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> trustme.CA:
    """Signs certificates for receivers on the loopback, which may be called in this test."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings.SAFE_HTTP_CA_FILE = str(tmp_path / "ca.pem")
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.0/8", "::1/128"]
    return authority
