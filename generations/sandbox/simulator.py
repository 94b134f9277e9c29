"""The running simulator: its faces, its memory, its files, its own HTTP client, and what it does beside answering."""

import asyncio
import copy
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import httpx

from generations.sandbox import callbacks, media, progress
from generations.sandbox.clips import Clips
from generations.sandbox.face import Face
from generations.sandbox.store import API_KEY, OPEN, Store, Task

TICK_SECONDS = 0.1
FETCH_SECONDS = 10


class Simulator:
    def __init__(self, folder: Path, *, secret: str, faces: Sequence[Face], **defaults: Any) -> None:
        self.store = Store(folder, **defaults)
        self.clips = Clips(folder / "clips")
        self.secret = secret
        self.faces = {face.name: face for face in faces}
        self.client = httpx.AsyncClient(timeout=FETCH_SECONDS, trust_env=False)
        self.background: set[asyncio.Task[None]] = set()
        self._open_accounts()

    def _open_accounts(self) -> None:
        """Every face has a first customer."""
        for face in self.faces.values():
            if self.store.account(face.name, API_KEY) is None:
                self.store.save_account(face.new_account(API_KEY))

    def face_of(self, path: str) -> Face:
        """The face whose paths begin like this one; the one at the root has all others."""
        prefixed = (face for face in self.faces.values() if face.prefix and path.startswith(f"{face.prefix}/"))
        return next(prefixed, None) or next(face for face in self.faces.values() if not face.prefix)

    async def run(self) -> None:
        """The clock's tick, for ever. A task whose media was being looked at before a restart is looked at again."""
        for task in self.store.tasks(f"{OPEN} AND NOT media_checked"):
            self.spawn(self.look_at_media(task.id))
        while True:
            self.advance()
            await asyncio.sleep(TICK_SECONDS)

    def advance(self) -> None:
        for task in progress.advance(self.store, self.faces):
            self._tell(task)

    def cancel(self, task: Task) -> bool:
        """False when the task had ended already."""
        if not task.is_open:
            return False
        if "cancel-ignored" not in task.faults:
            progress.cancel(self.store, self.faces[task.provider], task)
            self._tell(task)
        return True

    def _tell(self, task: Task) -> None:
        if task.callback_url:
            self.spawn(self._told(copy.deepcopy(task)))

    async def _told(self, task: Task) -> None:
        await callbacks.send(self.client, self.store, self.faces[task.provider], task)

    async def tell_early(self, task: Task) -> None:
        """Sends the first callback about a new task now. A provider that tells of ends only is done with it at once."""
        if await callbacks.send(self.client, self.store, self.faces[task.provider], task):
            self.spawn(self.look_at_media(task.id))
            return
        await self.look_at_media(task.id)
        fresh = self.store.task(task.id)
        if fresh is not None and fresh.is_open:
            progress.finish(self.store, fresh)
            for moved in progress.advance(self.store, self.faces):
                if moved.id == task.id:
                    await self._told(moved)
                else:
                    self._tell(moved)

    def file_is_gone(self, task: Task) -> bool:
        seconds = self.faces[task.provider].file_seconds
        return seconds is not None and self.store.now() >= task.updated_at + seconds

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

    def reset(self) -> None:
        self.cancel_background()
        self.store.reset()
        self._open_accounts()

    def cancel_background(self) -> None:
        for task in self.background:
            task.cancel()


def _gives_shape(reference: dict[str, str]) -> bool:
    return reference["part"] in ("first_frame", "base_video", "motion")
