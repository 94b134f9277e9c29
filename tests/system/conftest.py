"""One site for all tests of this folder; each test finds it well, and a failed one shows what the processes said."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.system.site import Site, site_in

SHOWN_BYTES = 20_000


@pytest.fixture(scope="package")
def running_site(django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="evolink-site-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        with django_db_blocker.unblock(), site_in(Path(folder)) as running:
            yield running


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    running_site.be_well()
    yield running_site
    sys.stderr.write(running_site.log.read_text()[-SHOWN_BYTES:])
