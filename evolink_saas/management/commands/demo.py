"""`manage.py demo`: buy an element and two videos from an installation of its own; `make demo` calls it.

Exit status 0 only if everything was as promised: the videos play, the callbacks are signed, the failed task and the
refused order cost nothing, the receipt adds up to the balance, and the auditor finds nothing.
"""

import sys
import time
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console

from evolink_saas import stack
from evolink_saas.demo_run import installation, stage
from evolink_saas.demo_run.claims import DemoFailed, require
from evolink_saas.demo_run.installation import Installation
from evolink_saas.demo_run.receipt import Receipt
from evolink_saas.demo_run.receiver import Receiver
from evolink_saas.demo_run.stage import Stage
from evolink_saas.demo_run.story import Story
from evolink_saas.processes import AlreadyRunning
from evolink_saas.stack import PartFailed

INTERRUPTED = 130


class Command(BaseCommand):
    help = "Buy an element and two videos from a simulator of its own, and check the receipt."

    def handle(self, *args: Any, **options: Any) -> None:
        stack.die_of_signals(INTERRUPTED)
        began, home = time.monotonic(), Path(settings.VAR_DIR) / "demo"
        console = Console(highlight=False, soft_wrap=True)
        try:
            with installation.own(home) as gateway:
                receipt = self.visit(gateway, home, console)
                self.show(receipt, gateway, console)
        except AlreadyRunning as running:
            self.refuse(f"A demo is running already, as process {running.pid}.")
        except (DemoFailed, PartFailed, httpx.HTTPError) as failure:
            self.refuse(f"{failure} (log: {home / 'log'})")
        console.print(f"Everything held, in {time.monotonic() - began:.0f} s. The videos lie in {home}.")

    def refuse(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(1)

    def visit(self, gateway: Installation, home: Path, console: Console) -> Receipt:
        with stage.opened(console) as shown, Receiver(gateway.ca_file) as receiver:
            keys = self.start(gateway, shown)
            return Story(gateway, keys, receiver, home, shown).tell()

    def start(self, gateway: Installation, shown: Stage) -> tuple[str, str]:
        shown.say(f"Starting a simulator, a web server and a worker on a database of their own, at {gateway.url} ...")
        gateway.start()
        keys = gateway.open_organizations()
        gateway.wait_until_ready()
        return keys

    def show(self, receipt: Receipt, gateway: Installation, console: Console) -> None:
        console.print()
        console.print(receipt.table())
        console.print(receipt.equation())
        problems = list(receipt.problems())
        require(not problems, " ".join(problems))
        console.print(gateway.manage("verify_ledger").strip())
