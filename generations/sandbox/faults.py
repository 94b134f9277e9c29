"""What can go wrong at an upstream, by name, and how a fault is asked for.

- in the text of a request: `[sim:fail content]`, several of them if wanted (prompt, shots, element description);
- by `POST /__sim/script`, for the next creates or queries that match;
- by `POST /__sim/settings {"rates": {"refuse 1301": 0.05}, "seed": 7}`: each create draws each fault.

All faults of a task are chosen when it is created and kept with it. An argument is a number of seconds or of times,
or a word.
"""

import json
import random
import re
from dataclasses import dataclass

from generations.sandbox.refusals import REASONS
from generations.sandbox.store import Store, Task

# name: (what happens, argument when none is given)
BEFORE_CREATE = {
    "refuse": ("answers with this code of the provider, or its code for malformed, empty, full, fast, …", "fast"),
    "bad-gateway": ("answers HTTP 502 with HTML, creates nothing", ""),
    "hang-before-accept": ("never answers and creates nothing; gives up after so many seconds", "120"),
    "reset-before-body": ("resets the connection, creates nothing", ""),
}
AFTER_CREATE = {
    "hang-after-accept": ("creates the task and never answers; gives up after so many seconds", "120"),
    "reset-after-body": ("creates the task, then resets the connection", ""),
    "close-after-body": ("creates the task, then closes the connection", ""),
    "bad-gateway-created": ("creates the task, answers HTTP 502 with HTML", ""),
    "internal-created": ("creates the task, answers with the provider's code for a failure of its own", ""),
    "half-answer": ("creates the task, sends half of the answer and closes the connection", ""),
    "garbage": ("creates the task, answers as if all were well with broken JSON", ""),
    "no-id": ("creates the task, answers as if all were well without its id", ""),
    "slow-create": ("creates the task, answers after so many seconds", "3"),
}
WHILE_RUNNING = {
    "fail": ("fails with: content, image, format, download, …, internal, or these very words", "internal"),
    "slow": ("takes so many seconds longer", "60"),
    "late-success": ("succeeds, but only a day later (move the clock)", "86400"),
    "unknown-status": ("shows this word instead of `processing`", "reviewing"),
    "length": ("the clip has so many seconds, whatever was asked", "5.041"),
    "short": ("the clip is a second shorter than asked", "1"),
    "cancel-ignored": ("a cancel is answered as if it were done, and the work goes on", ""),
}
ON_QUERY = {
    "poll-5xx": ("the next so many queries about it answer HTTP 503", "3"),
    "poll-garbage": ("the next so many queries about it answer broken JSON", "3"),
    "poll-slow": ("queries about it answer after so many seconds", "3"),
    "wrong-ids": ("the next so many queries about it answer about other tasks", "3"),
    "absent": ("the next so many queries do not find it", "3"),
}
ON_RESULT = {
    "result-403": ("the first so many downloads answer 403", "1000000"),
    "result-404": ("the first so many downloads answer 404", "1000000"),
}
ON_CALLBACK = {
    "callback-lost": ("no callback is sent", ""),
    "callback-twice": ("every callback is sent twice", ""),
    "callback-early": ("the first callback arrives before the create is answered", ""),
    "callback-reordered": ("`processing` arrives after the end", ""),
    "callback-bad-signature": ("callbacks carry a wrong signature", ""),
}
FAULTS = BEFORE_CREATE | AFTER_CREATE | WHILE_RUNNING | ON_QUERY | ON_RESULT | ON_CALLBACK

# Why a task fails; each face has its provider's words.
FAILURES = ("content", "image", "format", "download", "large", "face", "video", "timeout", "internal")
NUMBER = re.compile(r"[0-9]{1,7}(\.[0-9]{1,3})?")
MAGIC = re.compile(r"\[sim:([a-z0-9-]+)(?:\s+([^\]]+))?\]")


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a script may match."""

    provider: str
    account: str
    path: str
    external_id: str = ""
    text: str = ""

    def matches(self, wanted: dict[str, str]) -> bool:
        exactly = ("provider", "account", "path", "external_id")
        return wanted.get("text", "") in self.text and all(
            wanted.get(name, getattr(self, name)) == getattr(self, name) for name in exactly
        )


def parse(fault: str) -> tuple[str, str] | None:
    """`"slow 60"` as name and argument; None for a fault that nobody knows. A word for a number means the default."""
    name, _, given = fault.strip().partition(" ")
    if name not in FAULTS:
        return None
    usual, given = FAULTS[name][1], given.strip()
    if name == "refuse":
        return name, given if given in REASONS or NUMBER.fullmatch(given) else usual
    fits = NUMBER.fullmatch(given) if NUMBER.fullmatch(usual) else given
    return name, given if fits else usual


def for_create(store: Store, call: Call) -> dict[str, str]:
    """The faults of one create, from its text, one matching script and the rates, in that order of precedence."""
    chosen = _drawn(store) | _scripted(store, call, on_query=False)
    for name, argument in MAGIC.findall(call.text):
        known = parse(f"{name} {argument}")
        if known:
            chosen[known[0]] = known[1]
    return chosen


def for_query(store: Store, call: Call, tasks: list[Task]) -> dict[str, str]:
    """The faults of one query: of the tasks it asks about, each used up once, else one matching script."""
    chosen: dict[str, str] = {}
    for task in tasks:
        for name in ON_QUERY.keys() & task.faults.keys():
            chosen[name] = task.faults[name]
            if name != "poll-slow":
                use_up(store, task, name)
    return chosen or _scripted(store, call, on_query=True)


def use_up(store: Store, task: Task, name: str) -> None:
    """One time less; at none the task is healthy again."""
    left = int(float(task.faults[name])) - 1
    if left > 0:
        task.faults[name] = str(left)
    else:
        del task.faults[name]
    store.save(task)


def _drawn(store: Store) -> dict[str, str]:
    rates: dict[str, float] = store.setting("rates")
    if not rates:
        return {}
    row = store.row("SELECT COUNT(*) AS n FROM creates")
    dice = random.Random(f"{store.setting('seed')}:{row['n'] if row else 0}")
    drawn = [name for name, rate in sorted(rates.items()) if dice.random() < rate]
    return dict(known for known in map(parse, drawn) if known)


def _scripted(store: Store, call: Call, *, on_query: bool) -> dict[str, str]:
    for row in store.rows("SELECT * FROM scripts WHERE times > 0 ORDER BY seq"):
        known = parse(row["fault"])
        if known and (known[0] in ON_QUERY) == on_query and call.matches(json.loads(row["match"])):
            store.database.execute("UPDATE scripts SET times = times - 1 WHERE seq = ?", (row["seq"],))
            return {known[0]: known[1]}
    return {}
