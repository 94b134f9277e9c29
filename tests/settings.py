"""The settings of the tests: the product's own, with a database of this checkout where the environment names none."""

import os

from evolink_saas import environment, postgres

os.environ.setdefault("DEBUG", "on")
environment.load()
postgres.provide()

from evolink_saas.settings import *  # noqa: E402, F403

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]  # noqa: F405
PASSWORD_HASHERS = ["tests.passwords.QuickArgon2"]
