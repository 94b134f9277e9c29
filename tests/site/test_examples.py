"""The programs on the page are run as they are shown, against the gateway with the simulator behind it."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from playwright._impl._driver import compute_driver_executable
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from evolink_saas.site import examples
from generations import catalog
from generations.models import Task
from tests.cast import Person
from tests.generations.gateway import Steps
from tests.site.conftest import Look

T2V = catalog.SPECS[0]
RUNS = {
    "curl": ["bash", "-eu"],
    "python": [shutil.which("python3") or "python3", "-"],
    "javascript": [compute_driver_executable()[0], "--input-type=module", "-"],
}
QUICKLY = 0.1


def program(name: str, address: str) -> str:
    """As the page shows it, but for how long it waits between two looks."""
    found = {one.name: one.program for one in examples.of(T2V, address=address, wait_seconds=QUICKLY)}
    return found[name]


def run(gateway: Steps, name: str, text: str, secret: str) -> tuple[int, str, str]:
    """The program with the worker at work beside it: exit code, what it printed, what it complained of."""
    environment = {"PATH": os.environ["PATH"], "API_KEY": secret}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(RUNS[name], env=environment, text=True, **pipes)
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    end = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < end:
        gateway.work()
    process.kill()
    assert process.stdout is not None and process.stderr is not None
    return process.wait(), process.stdout.read().strip(), process.stderr.read().strip()


@pytest.mark.system
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", examples.LANGUAGES)
def test_a_program_makes_a_video_and_prints_where_it_is(
    gateway: Steps, alice: Person, live_server: LiveServer, settings: Settings, tmp_path: Path, name: str
) -> None:
    settings.PUBLIC_URL = live_server.url
    code, printed, complaints = run(gateway, name, program(name, live_server.url), alice.secret)
    assert (code, complaints) == (0, "")
    task = Task.objects.get()
    assert (task.status, task.model, printed) == ("completed", T2V.id, seen(alice, task))
    assert httpx.get(printed, trust_env=False).content[4:8] == b"ftyp"


@pytest.mark.system
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", examples.LANGUAGES)
def test_a_program_stops_when_it_is_refused(
    gateway: Steps, live_server: LiveServer, settings: Settings, name: str
) -> None:
    settings.PUBLIC_URL = live_server.url
    code, printed, complaints = run(gateway, name, program(name, live_server.url), "sk-nobodys")
    assert code != 0 and printed == "" and complaints != ""
    assert not Task.objects.exists()


def seen(person: Person, task: Task) -> str:
    results: list[str] = person.client.get(f"/v1/tasks/{task.public_id}").json()["results"]
    assert len(results) == 1
    return results[0]


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_every_model_has_programs_that_parse_and_ask_for_what_the_catalogue_takes(
    spec: catalog.Spec,
) -> None:
    assert spec.parse(examples.body(spec)).model == spec.id
    found = {one.name: one.program for one in examples.of(spec)}
    compile(found["python"], "program", "exec")
    done = subprocess.run(["bash", "-n"], input=found["curl"], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(json.dumps(spec.id) in text for text in found.values())


@pytest.mark.django_db
def test_the_page_shows_the_programs_that_are_run(look: Look, settings: Settings) -> None:
    shown = look("/models/kling-3").text
    for one in examples.of(T2V):
        assert " ".join(one.program.split()) in shown
        assert settings.PUBLIC_URL in one.program
