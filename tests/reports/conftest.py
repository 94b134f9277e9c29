"""A small made-up year in the test database, and an operator who may read the reports."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from billing import price_book
from evolink_saas.year import growing
from evolink_saas.year.growing import Plan
from tests import database

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


grown: list[Plan] = []
"""The year that this process has grown and remembered, if any."""


@pytest.fixture
def year(transactional_db: None) -> Plan:
    """Some hundred tasks of three live organizations and a sandbox over 100 days; its last ones are not rolled up."""
    if grown:
        database.restore(database.YEAR)
    else:
        price_book.load(price_book.FILE.read_text(), effective_at=END - timedelta(days=200))
        plan = Plan(tasks=400, end=END, days=100, organizations=3, seed=7)
        growing.grow(plan, lambda done, what: None)
        database.remember(database.YEAR)
        grown.append(plan)
    return grown[0]


@pytest.fixture
def reader(transactional_db: None) -> Client:
    """An operator with the permission to read reports and the lists behind them, and no other."""
    user = User.objects.create_user("rita@gateway.example", is_staff=True)
    names = ("view_reports", "view_transfer", "view_providercost", "view_task", "view_creditlot")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client
