"""`manage.py up`: everything in the foreground, for development; `make run` calls it.

Migrates, loads the prices, makes the demo organization, starts the simulated upstream, the web server and the worker,
shows one log, and ends its start with what a newcomer needs. Ctrl-C stops everything.
"""

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections
from dotenv import dotenv_values
from rich.console import Console
from rich.text import Text

from evolink_saas import demo, ports, postgres, stack
from evolink_saas.processes import AlreadyRunning, Family
from evolink_saas.stack import PartFailed, Stack

COLORS = {"up": "bold green", "web": "cyan", "worker": "magenta", "simulator": "yellow"}
TASK = {"model": "kling-v3-text-to-video", "prompt": "A paper boat on a quiet lake at dawn", "duration": 5}
READY = """
Ready.

  Site       {EVOLINK_URL}/
  Console    {EVOLINK_URL}/console/        {EVOLINK_OWNER_EMAIL}  {EVOLINK_OWNER_PASSWORD}
  API        {EVOLINK_URL}        docs: {EVOLINK_URL}/docs
  Admin      {EVOLINK_URL}/admin/        {EVOLINK_ADMIN_EMAIL}  {EVOLINK_ADMIN_PASSWORD}
  Key        {EVOLINK_API_KEY}
  Sandbox    {EVOLINK_SANDBOX_KEY}

Try it:

  curl -s {EVOLINK_URL}/v1/videos/generations -H 'Authorization: Bearer {EVOLINK_API_KEY}' {json}

{file} keeps these values. Ctrl-C stops everything.
"""


class Command(BaseCommand):
    help = "Start everything in the foreground, for development. EVOLINK_PORT is the web server's port (8000)."

    def handle(self, *args: Any, **options: Any) -> None:
        stack.die_of_signals()
        self.console = Console(highlight=False, soft_wrap=True)
        try:
            with Family(Path(settings.VAR_DIR) / "run" / "up.json") as family:
                if not ports.is_free(settings.EVOLINK_PORT):
                    self.refuse(f"Port {settings.EVOLINK_PORT} is in use; choose another: EVOLINK_PORT=8001 make run")
                self.prepare()
                try:
                    self.run(Stack(family, environment={"PUBLIC_URL": settings.PUBLIC_URL}, on_line=self.show))
                finally:
                    self.show("up", "Stopping everything ...")
        except AlreadyRunning as running:
            self.refuse(f"It is running already, as process {running.pid}.")
        except PartFailed as failure:
            self.refuse(str(failure), status=1)

    def refuse(self, sentence: str, status: int = 2) -> None:
        self.stderr.write(sentence)
        sys.exit(status)

    def show(self, name: str, line: str) -> None:
        self.console.print(Text.assemble((f"{name:<9} ", COLORS[name]), line))

    def prepare(self) -> None:
        self.show("up", "Migrating the database ...")
        call_command("migrate", verbosity=0)
        self.show("up", "Loading the price book ...")
        call_command("load_price_book", stdout=io.StringIO())

    def run(self, whole: Stack) -> None:
        port = ports.find_free()
        self.show("up", "Starting the simulated upstream, the web server and the worker ...")
        whole.start("simulator", stack.simulator(port, Path(settings.VAR_DIR) / "sandbox"))
        whole.start("web", stack.web(settings.EVOLINK_PORT))
        self.show("up", "Making the demo organization ...")
        call_command("create_demo", simulator_url=f"http://{ports.HOST}:{port}", stdout=io.StringIO())
        connections.close_all()
        whole.start("worker", stack.worker())
        whole.wait_for("simulator", port, "/__sim/health")
        whole.wait_for("web", settings.EVOLINK_PORT, "/readyz")
        whole.wait_for("worker", settings.EVOLINK_PORT, "/readyz", '"worker": true')
        self.welcome()
        self.tend(whole)

    def welcome(self) -> None:
        body = "-H 'Content-Type: application/json' -d '" + json.dumps(TASK) + "'"
        values = dotenv_values(demo.file())
        self.console.print(Text(READY.format(json=body, file=demo.file(), **values)))

    def tend(self, whole: Stack) -> None:
        while True:
            time.sleep(0.5)
            whole.tend()
            if revived := postgres.revive():
                self.show("up", "PostgreSQL had died; it runs again.")
                if revived.app != settings.DATABASE_URL:
                    raise PartFailed("PostgreSQL came back on another port, for its own was taken: start again.")
