"""`python -m generations.sandbox --port N --data DIR`: the simulator as a process of its own."""

import argparse
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from generations.sandbox import FACES
from generations.sandbox.app import application
from generations.sandbox.face import Face
from generations.sandbox.simulator import Simulator


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="generations.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder for its state, log and files")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--speed", type=float, default=50.0, help="a video takes 120 s divided by this")
    parser.add_argument(
        "--media", choices=("check", "strict", "off"), default="check", help="whether reference media is fetched"
    )
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_SECRET"), help="for /__sim/*; default: DIR/secret")
    return parser.parse_args()


def own_secret(folder: Path) -> str:
    """One of its own, kept beside the state, readable by the same user only."""
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16))
    return path.read_text()


def main(faces: Sequence[Face] = FACES) -> None:
    options = _options()
    secret = options.secret or own_secret(options.data)
    simulator = Simulator(options.data, secret=secret, faces=faces, speed=options.speed, media=options.media)
    uvicorn.run(
        application(simulator),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
