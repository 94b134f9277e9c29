"""Who is acting, from where and why: known to the audit log without anybody having to hand it down.

A request is remembered from the outermost middleware until its answer, so whoever signed it is found when something
is written. Outside a request it is a command or a job: the program itself. An operator's reason is given once, by the
page that asked for it (`because`).
"""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.http import HttpRequest

REQUEST_ID = "evolink.request_id"  # in request.META


class ActorKind(StrEnum):
    OPERATOR = "operator"
    MEMBER = "member"
    API_KEY = "api_key"
    VISITOR = "visitor"  # nobody signed in
    SYSTEM = "system"  # a command or a job


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who: the kind, an id to look for (`key_…`, a user's number) and a name to read."""

    kind: ActorKind
    id: str = ""
    name: str


@dataclass(kw_only=True)
class Act:
    """What an operator does with a reason; `entries` are what was written to the audit log meanwhile."""

    reason: str
    entries: list[Any] = field(default_factory=list)


_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_act: ContextVar[Act | None] = ContextVar("act", default=None)


@contextmanager
def within(request: HttpRequest) -> Iterator[None]:
    """Everything inside the block is done for this request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


@contextmanager
def because(reason: str) -> Iterator[Act]:
    """Everything inside the block is done for this reason."""
    act = Act(reason=reason)
    token = _act.set(act)
    try:
        yield act
    finally:
        _act.reset(token)


def request() -> HttpRequest | None:
    return _request.get()


def act() -> Act | None:
    return _act.get()


def user() -> Any:
    """The user who signed the request in, for a caller that stands behind a sign-in. Raises LookupError."""
    found = getattr(_request.get(), "user", None)
    if found is None or not found.is_authenticated:
        raise LookupError("Nobody is signed in.")
    return found


def actor() -> Actor:
    """Who signed the request; without one, the program that runs and the login that runs it."""
    present = _request.get()
    if present is None:
        return Actor(kind=ActorKind.SYSTEM, name=_program())
    key = getattr(present, "auth", None)
    if key is not None:
        return Actor(kind=ActorKind.API_KEY, id=key.public_id, name=str(key))
    user = getattr(present, "user", None)
    if user is not None and user.is_authenticated:
        kind = ActorKind.OPERATOR if user.is_staff else ActorKind.MEMBER
        return Actor(kind=kind, id=str(user.pk), name=user.email)
    return Actor(kind=ActorKind.VISITOR, name="")


def _program() -> str:
    """`load_price_book (deploy)`, `worker (gateway)`."""
    program, *words = sys.argv or [""]
    name = words[0] if Path(program).name == "manage.py" and words else Path(program).name
    try:
        return f"{name} ({getpass.getuser()})"
    except (KeyError, OSError):  # a container's user may have no name
        return name
