"""The pinned requirements are those that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = {
    "requirements.txt": PROJECT["dependencies"],
    "requirements-dev.txt": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}


@pytest.mark.parametrize("name", ASKED)
def test_every_dependency_is_pinned_within_its_bounds(name: str) -> None:
    pins = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE)
    for asked in map(Requirement, ASKED[name]):
        wanted = canonicalize_name(asked.name)
        versions = [version for package, version in pins if canonicalize_name(package) == wanted]
        assert versions, f"{asked.name} is missing from {name}: run `make requirements`"
        assert all(asked.specifier.contains(version) for version in versions), f"{name}: {asked} but {versions}"


@pytest.mark.parametrize("name", [*ASKED, "tools/uv.txt"])
def test_every_pin_has_a_hash(name: str) -> None:
    words = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    entries = [entry for entry in re.split(r"^(?=\S)", words, flags=re.MULTILINE) if entry.strip()]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
