"""What a face says about its provider. Everything else, the core does.

A face is a package beside `kling/` that builds one `Face`, and a line in `FACES`. Its functions know one language:
requests in, answers and callbacks out. It keeps no state of its own: what it must remember of a task stands in the
task's `plan`, and what of an account in its row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from generations.sandbox.orders import Order
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store, Task


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A request whose account is known."""

    request: Request
    store: Store
    face: "Face"
    account: Account

    @property
    def origin(self) -> str:
        """Where the simulator is, as the caller sees it, without a face's prefix."""
        return str(self.request.base_url).rstrip("/")

    def tasks(self, where: str, *values: Any, order: str = "") -> list[Task]:
        """The caller's own tasks, and nobody else's. `order`: ORDER BY and LIMIT; its values come last."""
        mine = f"provider = ? AND account = ? AND ({where}) {order}"
        return self.store.tasks(mine, self.face.name, self.account.api_key, *values)

    def forgot(self, task: Task) -> bool:
        """Whether the task ended so long ago that the provider does not show its result any more."""
        seconds = self.face.answer_seconds
        return seconds is not None and not task.is_open and self.store.now() >= task.updated_at + seconds


@dataclass(frozen=True, kw_only=True)
class Callback:
    """One message to a callback address, ready to be sent."""

    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """At most so many creates of an account in so many seconds."""

    creates: int
    seconds: float


Reader = Callable[[Caller, Any], Order]


def billed_when_made(task: Task) -> int | None:
    """A success costs what was said when it was ordered; everything else costs nothing, and leaves no line."""
    return task.milliunits if task.state == "succeeded" else None


def _nothing_more(*_: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Face:
    """One provider. Paths are written without `prefix`; a reader or route may hold variables (`{tier}`).

    name, prefix     what it is called, and where its paths begin
    codes            its code for each of `REASONS`
    failures         its words for each of `faults.FAILURES`
    readers          path of a create -> function that reads the body into an Order, or raises Refusal
    routes           everything else it answers: queries, lists, cancel, account
    new_account      the row of a new account with this key: its slots, its secrets
    account_of       who asks; raises Refusal
    reference        our reference in a create; the body is None when it is no JSON. See `reference_in`
    refused          the answer to a refusal, with its code as a number
    created          the answer to a create; without a task, the same answer with no id in it
    callback         what to tell about a task in its present state, None for nothing; the flag: sign it wrongly.
                     Times in headers are real ones: a receiver's clock does not move with the simulator's
    new_id           an id for a task made at this time
    check            raises Refusal for a limit that only this provider has; gets our reference
    succeeded        what a success changes beside the task
    bill             what an ended task costs, in thousandths; None leaves no line in the ledger
    slots_per_model  whether an account's slots are counted for each model or for all together
    queues           whether a create beyond the slots waits, `submitted`, for a free one, or is refused (`full`)
    rate             creates beyond it are refused (`fast`)
    answer_seconds   how long an ended task's result is shown (`Caller.forgot`); None: always
    file_seconds     how long its file can be fetched
    retry_seconds    waits before each further try of a callback that was not taken
    """

    name: str
    prefix: str
    codes: Mapping[str, int]
    failures: Mapping[str, str]
    readers: Mapping[str, Reader]
    routes: tuple[Route, ...]
    new_account: Callable[[str], Account]
    account_of: Callable[[Request, Store], Account]
    reference: Callable[[Request, Any], str]
    refused: Callable[[int, Refusal], Response]
    created: Callable[[Caller, Task | None], Response]
    callback: Callable[[Store, Account, Task, bool], Callback | None]
    new_id: Callable[[float], str]
    check: Callable[[Caller, Order, str], None] = _nothing_more
    succeeded: Callable[[Store, Task], None] = _nothing_more
    bill: Callable[[Task], int | None] = billed_when_made
    slots_per_model: bool = False
    queues: bool = False
    rate: Rate | None = None
    answer_seconds: float | None = None
    file_seconds: float | None = None
    retry_seconds: tuple[float, ...] = ()

    def code(self, refusal: Refusal) -> int:
        return refusal.code if isinstance(refusal.code, int) else self.codes[refusal.code]

    def refusal(self, refusal: Refusal) -> Response:
        return self.refused(self.code(refusal), refusal)


def reference_in(url: str) -> str:
    """Our reference in a callback address: its last path segment of the form `att_…`; empty without one."""
    return next((part for part in reversed(urlsplit(url).path.split("/")) if part.startswith("att_")), "")
