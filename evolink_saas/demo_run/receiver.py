"""The customer's side of a callback: an HTTPS server on this machine, under a certificate authority of its own.

with Receiver(ca_file) as receiver:          # ca_file is what the worker must be told to trust
    ... "callback_url": receiver.url ...
    receiver.message(task_id, secret)        # waits for it, and checks the signature
"""

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import trustme
from standardwebhooks import Webhook, WebhookVerificationError

from evolink_saas import ports
from evolink_saas.demo_run.claims import DemoFailed

PATH = "/callbacks"


class Receiver:
    def __init__(self, ca_file: Path, wait_seconds: float = 20) -> None:
        self.wait_seconds = wait_seconds
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(ca_file))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(ports.HOST).configure_cert(tls)
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.came = threading.Condition()
        self.server = ThreadingHTTPServer((ports.HOST, 0), self._handler())
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://{ports.HOST}:{self.server.server_port}{PATH}"

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()

    def message(self, task_id: str, secret: str) -> dict[str, Any]:
        """The task as its callback told it, once it came. Raises DemoFailed, also for a wrong signature."""
        deadline = time.monotonic() + self.wait_seconds
        with self.came:
            while (found := self._find(task_id)) is None:
                if not self.came.wait(deadline - time.monotonic()):
                    raise DemoFailed(f"No callback about {task_id} came within {self.wait_seconds} seconds.")
        headers, body = found
        try:
            Webhook(secret).verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            raise DemoFailed(f"The callback about {task_id} is not signed by the gateway: {error}") from error
        task: dict[str, Any] = json.loads(body)
        return task

    def _find(self, task_id: str) -> tuple[dict[str, str], bytes] | None:
        return next((message for message in self.messages if json.loads(message[1]).get("id") == task_id), None)

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with receiver.came:
                    receiver.messages.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    receiver.came.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """The story tells what came."""

        return Handler
