"""Tasks move on as the clock passes, whether anybody asks or not.

submitted --start_at--> processing --finish_at, media seen--> succeeded (booked once) | failed (costs nothing)
"""

import secrets

from generations.sandbox.faults import FAILURES
from generations.sandbox.store import NEXT_STEP_AT, OPEN, Store, Task

# A video takes two minutes and an element forty seconds, divided by the setting `speed`.
NOMINAL_SECONDS = {"video": 120.0, "element": 40.0}
WAITING_SHARE = 0.1

DUE = f"{NEXT_STEP_AT} <= ? AND (state = 'submitted' OR media_checked)"


def schedule(store: Store, kind: str, faults: dict[str, str]) -> tuple[float, float]:
    """When a task accepted now starts and ends."""
    now = store.now()
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


def advance(store: Store) -> list[Task]:
    """Moves every task that is due; one snapshot for each step it made, in order."""
    moved: list[Task] = []
    while due := store.tasks(DUE, store.now()):
        with store.transaction():
            for task in due:
                _step(store, task)
                store.save(task)
        moved += due
    return moved


def _step(store: Store, task: Task) -> None:
    task.updated_at = store.now()
    if task.state == "submitted":
        task.state = "processing"
        return
    failed = task.faults.get("fail")
    reason = FAILURES.get(failed, failed) if failed else task.plan.get("media_problem", "")
    if reason:
        task.state, task.message = "failed", reason
        return
    task.state = "succeeded"
    if task.kind == "element":
        task.plan["element_id"] = _add_element(store, task)
    _book(store, task)


def _add_element(store: Store, task: Task) -> int:
    element_id = 800_000_000_000_000_000 + secrets.randbelow(10**17)
    plan = task.plan
    store.add(
        "elements",
        id=element_id,
        account=task.account,
        name=plan["name"],
        description=plan["description"],
        kind=plan["reference_type"],
        voice_id=plan["voice_id"],
    )
    return element_id


def _book(store: Store, task: Task) -> None:
    """Takes the units of a finished task off the pack, with a line in the account's ledger."""
    account = store.account(task.account)
    before = account.milliunits if account else 0
    after = before - task.milliunits
    store.database.execute("UPDATE accounts SET milliunits = ? WHERE api_key = ?", (after, task.account))
    store.add(
        "charges",
        at=store.now(),
        account=task.account,
        task_id=task.id,
        model=task.model,
        milliunits=task.milliunits,
        balance_before=before,
        balance_after=after,
    )


def open_tasks(store: Store, account: str, model: str) -> tuple[int, int]:
    """How many tasks of a model are in the making, and what all of the account's open tasks will cost."""
    figures = "COUNT(*) FILTER (WHERE model = ?), COALESCE(SUM(milliunits), 0)"
    row = store.row(f"SELECT {figures} FROM tasks WHERE account = ? AND {OPEN}", model, account)
    return (row[0], row[1]) if row else (0, 0)
