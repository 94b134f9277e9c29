"""What every test stands on: a real PostgreSQL database, migrated by its owner and used by the run-time role."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from evolink_saas import roles
from generations import estimates, published_prices, standing
from tests import database

pytest_plugins = [
    "tests.cast",
    "tests.generations.simulator",
    "tests.generations.gateway",
    "tests.generations.kie",
    "tests.generations.receivers",
    "tests.generations.two_accounts",
    "tests.stripe_peer.fixtures",
]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The owner creates and drops the test database: the run-time role may not."""
    roles.log_in(connection, settings.DATABASE_OWNER_URL)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the tests themselves run as the run-time role."""
    with django_db_blocker.unblock():
        database.remember(database.SEEDS)
        roles.log_in(connection, settings.DATABASE_URL)
    database.empty_after_transactional_tests()
    yield
    with django_db_blocker.unblock():
        roles.log_in(connection, settings.DATABASE_OWNER_URL)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """What a process keeps for a short time would be another test's."""
    estimates.medians.forget()
    published_prices.public.forget()
    standing.report.forget()
