"""Tasks move on as the clock passes, whether anybody asks or not.

submitted --start_at--> processing --finish_at, media seen--> succeeded | failed       either way: --cancel--> cancelled

A `queued` task has no slot: it stays `submitted` until one is free, first come, first served. What an ended task
costs, its face says; it is booked once.
"""

from collections.abc import Mapping

from generations.sandbox.face import Face
from generations.sandbox.store import NEXT_STEP_AT, OPEN, Account, Store, Task

# A video takes two minutes and an element forty seconds, divided by the setting `speed`.
NOMINAL_SECONDS = {"video": 120.0, "element": 40.0}
WAITING_SHARE = 0.1

DUE = f"{NEXT_STEP_AT} <= ? AND NOT queued AND (state = 'submitted' OR media_checked) ORDER BY {NEXT_STEP_AT}"


def schedule(store: Store, kind: str, faults: dict[str, str], now: float) -> tuple[float, float]:
    """When a task that gets its slot now starts and ends."""
    whole = NOMINAL_SECONDS[kind] / float(store.setting("speed"))
    longer = sum(float(faults[name]) for name in ("slow", "late-success") if name in faults)
    return now + whole * WAITING_SHARE, now + whole + longer


def seconds_made(seconds: float, faults: dict[str, str]) -> float:
    """How long the clip becomes: as asked, unless a fault says otherwise."""
    return float(faults.get("length", seconds)) - float(faults.get("short", 0))


def follow(task: Task, seconds: float) -> None:
    """The clip is as long as the video that went in; billed are the seconds made, rounded half up."""
    made = seconds_made(seconds, task.faults)
    task.plan |= {"seconds": seconds, "seconds_made": made}
    task.milliunits = int(made + 0.5) * int(task.plan["follows_rate"])


def advance(store: Store, faces: Mapping[str, Face]) -> list[Task]:
    """Moves every task that is due; one snapshot for each step it made, in order."""
    moved: list[Task] = []
    while due := store.tasks(DUE, store.now()):
        with store.transaction():
            for task in due:
                _step(store, faces[task.provider], task)
        moved += due
    return moved


def _step(store: Store, face: Face, task: Task) -> None:
    if task.state == "submitted":
        task.state, task.updated_at = "processing", store.now()
        store.save(task)
        return
    task.failure = task.faults.get("fail") or task.plan.get("media_problem", "")
    task.message = face.failures.get(task.failure, task.failure)
    _end(store, face, task, "failed" if task.failure else "succeeded", task.finish_at)


def finish(store: Store, task: Task) -> None:
    """The task has its slot and is due to end, whatever was planned."""
    task.queued = False
    task.start_at = task.finish_at = store.now()
    store.save(task)


def cancel(store: Store, face: Face, task: Task) -> None:
    with store.transaction():
        _end(store, face, task, "cancelled", store.now())


def _end(store: Store, face: Face, task: Task, state: str, slot_free_at: float) -> None:
    """The task's last state, its bill, and its slot for the next one."""
    task.state, task.queued, task.updated_at = state, False, store.now()
    if state == "succeeded":
        face.succeeded(store, task)
    store.save(task)
    cost, account = face.bill(task), store.account(task.provider, task.account)
    if account is None:
        return
    if cost is not None:
        book(store, account, task.id, task.model, cost)
    if face.queues:
        admit(store, face, account, task.model, slot_free_at)


def book(store: Store, account: Account, task_id: str, model: str, cost: int) -> None:
    """Takes the cost of an ended task off the balance, with a line in the account's ledger."""
    after = account.milliunits - cost
    sql = "UPDATE accounts SET milliunits = ? WHERE provider = ? AND api_key = ?"
    store.database.execute(sql, (after, account.provider, account.api_key))
    store.add(
        "charges",
        at=store.now(),
        provider=account.provider,
        account=account.api_key,
        task_id=task_id,
        model=model,
        milliunits=cost,
        balance_before=account.milliunits,
        balance_after=after,
    )


def admit(store: Store, face: Face, account: Account, model: str, now: float) -> None:
    """Gives the free slots that this model may take to those that wait longest."""
    share, values = _sharing(face, account, model)
    waiting = f"{share} AND queued ORDER BY created_at, id LIMIT ?"
    for task in store.tasks(waiting, *values, max(0, account.slots - taken(store, face, account, model))):
        task.queued = False
        task.start_at, task.finish_at = schedule(store, task.kind, task.faults, now)
        store.save(task)


def taken(store: Store, face: Face, account: Account, model: str) -> int:
    """How many of the slots that this model may take are taken."""
    share, values = _sharing(face, account, model)
    row = store.row(f"SELECT COUNT(*) AS n FROM tasks WHERE {share} AND NOT queued", *values)
    return int(row["n"]) if row else 0


def _sharing(face: Face, account: Account, model: str) -> tuple[str, tuple[str, ...]]:
    """The open videos that a video of this model shares its slots with."""
    share = f"provider = ? AND account = ? AND kind = 'video' AND {OPEN}"
    values = (account.provider, account.api_key)
    return (f"{share} AND model = ?", (*values, model)) if face.slots_per_model else (share, values)


def place_in_queue(store: Store, task: Task) -> int:
    """How many tasks of the account that have not started either came before this one."""
    earlier = "provider = ? AND account = ? AND state = 'submitted' AND (created_at, id) < (?, ?)"
    row = store.row(
        f"SELECT COUNT(*) AS n FROM tasks WHERE {earlier}", task.provider, task.account, task.created_at, task.id
    )
    return int(row["n"]) if row else 0


def spoken_for(store: Store, account: Account) -> int:
    """What all of the account's open tasks will cost."""
    sql = f"SELECT COALESCE(SUM(milliunits), 0) AS n FROM tasks WHERE provider = ? AND account = ? AND {OPEN}"
    row = store.row(sql, account.provider, account.api_key)
    return int(row["n"]) if row else 0
