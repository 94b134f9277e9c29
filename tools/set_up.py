"""Make the environment that every `make` target stands on; quick when nothing changed: `python3 tools/set_up.py`.

Runs on the machine's own Python (3.11 to 3.13) and its standard library: creates .venv, installs the pinned and hashed
requirements with uv (with pip when uv fails), compiles the translations and writes a .env for development.
`.venv/installed` names what was installed, by hash, so a stopped or outdated set-up is done again.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS, INSTALLER = ROOT / "requirements-dev.txt", ROOT / "tools" / "uv.txt"
INSTALLED = VENV / "installed"


def main() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(f"Python 3.11, 3.12 or 3.13 is needed; {sys.executable} is {sys.version.split()[0]}.")
    with (ROOT / "tools").joinpath("uv.txt").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current():
            create()
            install()
            INSTALLED.write_text(fingerprint())
        compile_translations()
    write_env_file()


def say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def fingerprint() -> str:
    """Changes with the requirements, the installer, this folder (scripts in .venv name it) and the Python version."""
    parts = [REQUIREMENTS.read_bytes(), INSTALLER.read_bytes(), str(ROOT).encode(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current() -> bool:
    return INSTALLED.exists() and PYTHON.exists() and INSTALLED.read_text() == fingerprint()


def create() -> None:
    if PYTHON.exists() and run(PYTHON, "-c", f"import pip, sys; assert sys.version == {sys.version!r}").returncode == 0:
        return
    say(f"Creating .venv with Python {sys.version.split()[0]} ...")
    done = run(sys.executable, "-m", "venv", "--clear", VENV)
    if done.returncode:
        sys.exit(
            f"{done.stdout[-500:]}\nPython could not create .venv: its venv module is missing or broken "
            "(on Debian: apt install python3-venv)."
        )


def install() -> None:
    started = time.monotonic()
    say("Installing the pinned requirements (up to a minute or two the first time) ...")
    installed = with_uv() or with_pip()
    if not installed:
        sys.exit("The requirements could not be installed; is a package index reachable?")
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def with_uv() -> bool:
    if run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", INSTALLER).returncode:
        return False
    command = [VENV / "bin" / "uv", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS]
    done = run(*command, "--python", PYTHON, environment=uv_environment())
    if done.returncode:
        say(f"uv could not ({done.stdout.strip()[:300]}); trying pip ...")
    return done.returncode == 0


def with_pip() -> bool:
    done = run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS)
    if done.returncode:
        say(done.stdout[-2000:])
    return done.returncode == 0


def compile_translations() -> None:
    """Only what is older than its source, or missing."""
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        made = source.with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
            done = run(PYTHON, "-m", "evolink_saas.translations", "compile")
            if done.returncode:
                sys.exit(f"{done.stdout[-2000:]}\nThe translations could not be compiled.")
            return


def uv_environment() -> dict[str, str]:
    """The machine's pip configuration in uv's words: uv does not read it. What is said to uv itself wins."""
    told = run(PYTHON, "-m", "pip", "config", "list").stdout
    values = dict(re.findall(r"^[^.\n]*\.([\w-]+)='(.*)'$", told, re.MULTILINE))
    words = {
        "UV_DEFAULT_INDEX": values.get("index-url", ""),
        "UV_INDEX": " ".join(url for url in values.get("extra-index-url", "").split() if exists(url)),
        "UV_FIND_LINKS": " ".join(url for url in values.get("find-links", "").split() if exists(url)),
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # pip's way; every file is checked against its hash anyway
        "UV_INSECURE_HOST": values.get("trusted-host", ""),
        "SSL_CERT_FILE": values.get("cert", ""),
    }
    return {name: value for name, value in words.items() if value and name not in os.environ}


def exists(place: str) -> bool:
    """False for a local folder that is not there: pip passes over it with a warning, uv stops."""
    parts = urlsplit(place)
    return parts.scheme not in ("", "file") or Path(parts.path).is_dir()


def run(*command: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def write_env_file() -> None:
    if not (ROOT / ".env").exists():
        shutil.copy(ROOT / ".env.example", ROOT / ".env")
        say("Wrote .env for development.")


if __name__ == "__main__":
    main()
