"""The operators and the gateway of the admin's tests, and the year of those of the reports."""

from tests.admin.conftest import desk, finished, lived_in, operator, task
from tests.reports.conftest import year

__all__ = ["desk", "finished", "lived_in", "operator", "task", "year"]
