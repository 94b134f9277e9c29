"""The simulated providers as a real process: started once a session, emptied before each test with `simulator`."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from evolink_saas import ports
from generations.providers.base import Account
from generations.sandbox.store import API_KEY

START_SECONDS = 30


class RunningSimulator:
    """One process of the simulator, and the hand on its control endpoint. `url` and `account` are Kling's."""

    def __init__(self, folder: Path, speed: float = 50.0, module: str = "generations.sandbox") -> None:
        self.folder = folder
        self.module = module
        self.speed = speed
        self.port = ports.find_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.account = Account(base_url=self.url, credentials={"api_key": API_KEY})
        self.http = httpx.Client(
            base_url=self.url, headers={"x-sim-secret": secrets.token_hex(8)}, trust_env=False, timeout=30
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        secret = self.http.headers["x-sim-secret"]
        options = ["--port", str(self.port), "--data", str(self.folder), "--speed", str(self.speed), "--secret", secret]
        self.process = subprocess.Popen([sys.executable, "-m", self.module, *options])
        wait_for(self._is_healthy, seconds=START_SECONDS)

    def kill(self) -> None:
        """As `kill -9`: nothing is said goodbye to."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _is_healthy(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"the simulator ended with status {self.process.returncode}")
        try:
            return self.http.get("/__sim/health").status_code == 200
        except httpx.TransportError:
            return False

    def do(self, act: str, **body: Any) -> dict[str, Any]:
        """`POST /__sim/<act>`; a refusal is the test's mistake."""
        response = self.http.post(f"/__sim/{act}", json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def see(self, what: str, **of: str) -> dict[str, Any]:
        """`GET /__sim/<what>`: tasks, requests, ledger or callbacks, of all providers or of one."""
        answer: dict[str, Any] = self.http.get(f"/__sim/{what}", params=of).raise_for_status().json()
        return answer

    def face(self, name: str) -> "RunningFace":
        """One provider of the simulator: `fal`, say."""
        return RunningFace(simulator=self, name=name, url=self.url + self.see("faces")["faces"][name])

    def script(self, *faults: str, times: int = 1, **match: str) -> None:
        """These faults befall the next matching creates or queries, one each, in this order."""
        self.do("script", faults=list(faults), times=times, match=match)

    def advance(self, seconds: float) -> None:
        self.do("advance", seconds=seconds)

    def tasks_of(self, reference: str) -> list[dict[str, Any]]:
        """What really exists upstream under our reference."""
        return [task for task in self.see("tasks")["tasks"] if task["external_id"] == reference]

    def creates(self) -> dict[str, dict[str, int]]:
        """By our reference, over all providers: how many creates arrived, and how many made a task."""
        counts: dict[str, dict[str, int]] = self.see("requests")["by_external_id"]
        return counts


@dataclass(frozen=True, kw_only=True)
class RunningFace:
    """What a test asks of one provider."""

    simulator: RunningSimulator
    name: str
    url: str

    @property
    def account(self) -> Account:
        return Account(base_url=self.url, credentials={"api_key": API_KEY})

    def see(self, what: str) -> dict[str, Any]:
        """As `RunningSimulator.see`, of this provider only."""
        return self.simulator.see(what, provider=self.name)

    def script(self, *faults: str, times: int = 1, **match: str) -> None:
        self.simulator.script(*faults, times=times, provider=self.name, **match)

    def change_account(self, **changes: Any) -> None:
        """Its slots, its units, its webhook secret."""
        self.simulator.do("accounts", provider=self.name, api_key=API_KEY, **changes)


def wait_for(condition: Callable[[], Any], *, seconds: float = 10) -> Any:
    """The condition's first true value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not true within {seconds} s")


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    running = RunningSimulator(tmp_path_factory.mktemp("kling"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def simulator(simulator_process: RunningSimulator) -> RunningSimulator:
    """A simulator that knows nothing yet: no tasks, no faults, no shifted clock."""
    simulator_process.do("reset")
    return simulator_process
