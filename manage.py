#!/usr/bin/env python
"""Run one of the project's commands: `python manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line

from evolink_saas import environment, postgres


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evolink_saas.settings")
    environment.load()
    try:
        postgres.provide()
    except postgres.PostgresProblem as problem:
        sys.exit(str(problem))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
