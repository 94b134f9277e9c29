"""One customer: an API key, and what is done with it over HTTP. Credits are Decimals, exactly as they came."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from evolink_saas.demo_run.claims import DemoFailed

TIMEOUT_SECONDS = 30


class Customer:
    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self.client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)

    def credits(self) -> Decimal:
        """What the organization can still spend."""
        return Decimal(self._get("/v1/credits")["data"]["user"]["remaining_credits"])

    def webhook_secret(self) -> str:
        return str(self._get("/v1/webhooks/secret")["secret"])

    def upload(self, photo: Path) -> str:
        """The address of the file with us."""
        with photo.open("rb") as file:
            answer = self.client.post("/api/v1/files/upload/stream", files={"file": (photo.name, file)})
        return str(_content(answer)["data"]["file_url"])

    def order(self, body: dict[str, Any]) -> dict[str, Any]:
        """The new task."""
        return _content(self.client.post("/v1/videos/generations", json=body))

    def refused(self, body: dict[str, Any], status: int) -> dict[str, Any]:
        """The error of an order that must be refused with this status."""
        answer = self.client.post("/v1/videos/generations", json=body)
        if answer.status_code != status:
            raise DemoFailed(f"An order was answered with {answer.status_code} in place of {status}: {answer.text}")
        error: dict[str, Any] = _json(answer)["error"]
        return error

    def task(self, task_id: str) -> dict[str, Any]:
        return self._get(f"/v1/tasks/{task_id}")

    def download(self, url: str, path: Path) -> None:
        """Save a result, as a browser would: its link needs no key."""
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False)
        if answer.status_code != httpx.codes.OK:
            raise DemoFailed(f"The result {url} was answered with {answer.status_code}.")
        path.write_bytes(answer.content)

    def _get(self, path: str) -> dict[str, Any]:
        return _content(self.client.get(path))


def _content(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != httpx.codes.OK:
        request = answer.request
        raise DemoFailed(f"{request.method} {request.url.path} was answered with {answer.status_code}: {answer.text}")
    return _json(answer)


def _json(answer: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = answer.json(parse_float=Decimal)
    return content
