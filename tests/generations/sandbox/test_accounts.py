"""Who may ask the simulated Kling, and how much: keys, signed tokens, packs, slots, unique references."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from generations.sandbox.store import API_KEY
from tests.generations.sandbox.bodies import ELEMENTS, KEY, NEW_TEXT, TEXT, element, legacy, new_text
from tests.generations.simulator import RunningSimulator

SECRET = "secret-of-the-account"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def token(*, secret: str = SECRET, starts_in: float = -5, ends_in: float = 1800, algorithm: str = "HS256") -> str:
    """A JWT as Kling's documents make it."""
    claims = {"iss": "access", "exp": time.time() + ends_in, "nbf": time.time() + starts_in}
    parts = [json.dumps({"alg": algorithm, "typ": "JWT"}), json.dumps(claims)]
    signed = ".".join(_part(part.encode()) for part in parts)
    return f"{signed}.{_part(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


@pytest.fixture
def account(simulator: RunningSimulator) -> RunningSimulator:
    simulator.do("accounts", api_key="key", access_key="access", secret_key=SECRET)
    return simulator


def code_of(simulator: RunningSimulator, path: str, credential: str) -> tuple[int, int]:
    body = new_text() if path == NEW_TEXT else legacy()
    response = simulator.http.post(path, json=body, headers={"Authorization": credential})
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("path", [NEW_TEXT, TEXT])
@pytest.mark.parametrize(
    ("credential", "answer"),
    [("Bearer key", (200, 0)), ("", (401, 1001)), ("Bearer wrong", (401, 1002)), ("Basic key", (401, 1001))],
)
def test_a_key_works_on_both_generations(
    account: RunningSimulator, path: str, credential: str, answer: tuple[int, int]
) -> None:
    assert code_of(account, path, credential) == answer


def test_a_signed_token_works_on_legacy_only(account: RunningSimulator) -> None:
    assert code_of(account, TEXT, f"Bearer {token()}") == (200, 0)
    assert code_of(account, NEW_TEXT, f"Bearer {token()}") == (401, 1002)


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        (token(secret="other"), 1002),
        (token(algorithm="none"), 1002),
        ("a.b.c", 1000),
        (token() + "A", 1002),
    ],
)
def test_a_badly_signed_token_is_refused(account: RunningSimulator, credential: str, code: int) -> None:
    assert code_of(account, TEXT, f"Bearer {credential}") == (401, code)


def test_a_tokens_times_are_read_by_the_simulators_clock(account: RunningSimulator) -> None:
    early, usual = token(starts_in=60, ends_in=1800), token()
    assert code_of(account, TEXT, f"Bearer {early}") == (401, 1003)

    account.advance(100)
    assert code_of(account, TEXT, f"Bearer {early}") == (200, 0)

    account.advance(1800)
    assert code_of(account, TEXT, f"Bearer {usual}") == (401, 1004)


def test_a_video_takes_a_slot_until_it_ends(simulator: RunningSimulator) -> None:
    simulator.do("accounts", api_key=API_KEY, slots=1)
    codes = []
    for wait in (0, 0, 600):
        simulator.advance(wait)
        codes.append(simulator.http.post(NEW_TEXT, json=new_text(), headers=KEY).json()["code"])
    made = simulator.http.post(ELEMENTS, json=element(), headers=KEY).json()["code"]

    assert codes == [0, 1303, 0]
    assert made == 0


def test_units_are_spoken_for_while_a_video_is_made_and_booked_when_it_succeeds(simulator: RunningSimulator) -> None:
    simulator.do("accounts", api_key=API_KEY, units=5)

    def create(prompt: str) -> tuple[int, int]:
        response = simulator.http.post(NEW_TEXT, json=new_text(prompt=prompt), headers=KEY)
        return response.status_code, response.json()["code"]

    assert create("x [sim:fail content]") == (200, 0)
    assert create("a heron") == (429, 1102)
    simulator.advance(600)
    assert create("a heron") == (200, 0)
    simulator.advance(600)
    assert create("a heron") == (429, 1102)
    assert simulator.see("ledger")["milliunits"] == 3000


def test_a_reference_is_unique_in_its_account_unless_switched_off(simulator: RunningSimulator) -> None:
    def create() -> int:
        code: int = simulator.http.post(NEW_TEXT, json=new_text("a"), headers=KEY).json()["code"]
        return code

    assert [create(), create()] == [0, 1201]
    simulator.do("settings", unique_external_ids=False)
    assert create() == 0
    assert simulator.creates() == {"a": {"requests": 3, "tasks": 2}}


@pytest.mark.parametrize("secret", ["", "wrong"])
@pytest.mark.parametrize("path", ["tasks", "requests", "ledger", "callbacks"])
def test_the_control_endpoint_wants_its_secret(simulator: RunningSimulator, path: str, secret: str) -> None:
    response = simulator.http.get(f"/__sim/{path}", headers={"x-sim-secret": secret})

    assert response.status_code == 403


def test_a_reset_without_the_secret_forgets_nothing(simulator: RunningSimulator) -> None:
    simulator.http.post(NEW_TEXT, json=new_text("a"), headers=KEY)
    response = simulator.http.post("/__sim/reset", headers={"x-sim-secret": "wrong"})

    assert response.status_code == 403
    assert len(simulator.tasks_of("a")) == 1
