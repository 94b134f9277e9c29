"""The running simulator: its memory, its files, its own HTTP client, and the work it does beside answering."""

import asyncio
import copy
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx

from generations.sandbox import callbacks, media, progress
from generations.sandbox.clips import Clips
from generations.sandbox.store import OPEN, Store

TICK_SECONDS = 0.1
FETCH_SECONDS = 10


class Simulator:
    def __init__(self, folder: Path, *, secret: str, **defaults: Any) -> None:
        self.store = Store(folder, **defaults)
        self.clips = Clips(folder / "clips")
        self.secret = secret
        self.client = httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False)
        self.background: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """The clock's tick, for ever. A task whose media was being looked at before a restart is looked at again."""
        for task in self.store.tasks(f"{OPEN} AND NOT media_checked"):
            self.spawn(self.look_at_media(task.id))
        while True:
            self.advance()
            await asyncio.sleep(TICK_SECONDS)

    def advance(self) -> None:
        for task in progress.advance(self.store):
            if task.callback_url:
                self.spawn(callbacks.send(self.client, self.store, copy.deepcopy(task)))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs beside the answers; kept here because asyncio itself may forget a task."""
        task = asyncio.create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def look_at_media(self, task_id: str) -> None:
        """Fetches each reference; the first problem fails the task when it ends, the first frame gives the shape.

        A clip that follows a video takes its length, and is billed by it.
        """
        references = self.store.tasks("id = ?", task_id)[0].plan["media"]
        mode = self.store.setting("media")
        seen = [await media.look(self.client, reference["url"], reference["kind"], mode) for reference in references]
        task = self.store.task(task_id)
        if task is None:
            return
        task.media_checked = True
        task.plan["media_problem"] = next((found.problem for found in seen if found.problem), "")
        frames = [found.size for reference, found in zip(references, seen, strict=True) if _gives_shape(reference)]
        task.plan["frame"] = next(iter(frames), None)
        seconds = next((found.seconds for found in seen if found.seconds), None)
        if "follows_rate" in task.plan and seconds is not None:
            progress.follow(task, seconds)
        self.store.save(task)

    def cancel_background(self) -> None:
        for task in self.background:
            task.cancel()


def _gives_shape(reference: dict[str, str]) -> bool:
    return reference["part"] in ("first_frame", "base_video", "motion")
