"""`manage.py worker`: the background work of this host. Several hosts may run it on one database."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from evolink_saas import supervisor


class Command(BaseCommand):
    help = "Run the background work until SIGTERM or Ctrl-C; the second one does not wait for jobs at work."

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=["database"], databases=["default"])  # refuses a simulator account that serves live keys
        stop = supervisor.Stop()
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        supervisor.run(stop)
