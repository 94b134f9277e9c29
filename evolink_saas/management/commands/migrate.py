"""`migrate` as the owner role, then the run-time role's rights; Django's own command does the rest."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from evolink_saas import roles


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with roles.as_owner(connection):
            super().handle(*args, **options)
            roles.grant(connection)
