"""The simulator's memory: one SQLite file, written through, so that a kill -9 loses nothing it has answered.

`creates` and `charges` are logs: rows are only added. They are what a test asks whether anything was bought twice.
`misbooked` is what a provider's own ledger shows instead of a charge; NULL: it leaves it out.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# When a task moves next; NULL once it has ended. An index serves exactly this expression.
NEXT_STEP_AT = "(CASE state WHEN 'submitted' THEN start_at WHEN 'processing' THEN finish_at END)"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS accounts (
    provider TEXT NOT NULL, api_key TEXT NOT NULL, access_key TEXT NOT NULL, secret_key TEXT NOT NULL,
    milliunits INTEGER NOT NULL, slots INTEGER NOT NULL, webhook_secret TEXT NOT NULL,
    PRIMARY KEY (provider, api_key));
CREATE UNIQUE INDEX IF NOT EXISTS accounts_by_access_key ON accounts (provider, access_key) WHERE access_key != '';
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,
    model TEXT NOT NULL, external_id TEXT NOT NULL, callback_url TEXT NOT NULL, origin TEXT NOT NULL,
    state TEXT NOT NULL, queued INTEGER NOT NULL, failure TEXT NOT NULL, message TEXT NOT NULL,
    milliunits INTEGER NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL, start_at REAL NOT NULL,
    finish_at REAL NOT NULL, media_checked INTEGER NOT NULL, plan TEXT NOT NULL, faults TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS tasks_by_reference ON tasks (provider, account, external_id);
CREATE INDEX IF NOT EXISTS open_tasks ON tasks (provider, account, kind, model, queued, milliunits)
    WHERE state IN ('submitted', 'processing');
CREATE INDEX IF NOT EXISTS queued_tasks ON tasks (provider, account, created_at) WHERE queued;
CREATE INDEX IF NOT EXISTS due_tasks ON tasks ({NEXT_STEP_AT});
CREATE TABLE IF NOT EXISTS elements (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, kind TEXT NOT NULL,
    voice_id TEXT NOT NULL, is_deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS creates (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, account TEXT NOT NULL, path TEXT NOT NULL,
    external_id TEXT NOT NULL, task_id TEXT, answer TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS creates_by_reference ON creates (external_id);
CREATE INDEX IF NOT EXISTS creates_by_time ON creates (provider, account, at) WHERE task_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS charges (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, account TEXT NOT NULL,
    task_id TEXT UNIQUE NOT NULL, model TEXT NOT NULL, milliunits INTEGER NOT NULL,
    balance_before INTEGER NOT NULL, balance_after INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS misbooked (task_id TEXT PRIMARY KEY, milliunits INTEGER);
CREATE TABLE IF NOT EXISTS callbacks (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, task_id TEXT NOT NULL, state TEXT NOT NULL,
    outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scripts (
    seq INTEGER PRIMARY KEY, fault TEXT NOT NULL, times INTEGER NOT NULL, match TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
TABLES = ("accounts", "tasks", "elements", "creates", "charges", "misbooked", "callbacks", "scripts", "settings")
OPEN = "state IN ('submitted', 'processing')"

API_KEY = "demo"
SETTINGS: dict[str, Any] = {
    "clock_offset_seconds": 0.0,
    "speed": 50.0,
    "media": "check",
    "unique_external_ids": True,
    "rate_limits": True,
    "rates": {},
    "seed": 0,
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """A provider's customer. `slots`: how many videos it may have in the making at once.

    `milliunits`: what is left, in thousandths of what the provider counts in.
    """

    provider: str
    api_key: str
    access_key: str = ""
    secret_key: str = ""
    milliunits: int = 1_000_000_000_000
    slots: int = 1_000_000
    webhook_secret: str = ""


@dataclass(kw_only=True)
class Task:
    """One accepted create.

    `external_id`: our reference. `queued`: it waits for a slot. `failure`: one of `faults.FAILURES`, or other words;
    `message`: the provider's words for it. `plan`: what to make; `faults`: what will go wrong, name to argument.
    """

    id: str
    provider: str
    account: str
    path: str
    kind: str
    model: str
    external_id: str
    callback_url: str
    origin: str
    state: str
    queued: bool
    failure: str
    message: str
    milliunits: int
    created_at: float
    updated_at: float
    start_at: float
    finish_at: float
    media_checked: bool
    plan: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.state in ("submitted", "processing")

    def word(self, spelled: Mapping[str, str]) -> str:
        """The state as a provider spells it, or the word that a fault puts in its place."""
        if self.state == "processing" and "unknown-status" in self.faults:
            return self.faults["unknown-status"]
        return spelled.get(self.state, self.state)


class Store:
    """All reads and writes. One thread, one connection; the caller groups writes with `transaction`."""

    def __init__(self, folder: Path, **defaults: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(folder / "simulator.sqlite3", isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = NORMAL")
        self.database.executescript(SCHEMA)
        self.defaults = SETTINGS | defaults
        self._settings: dict[str, Any] = {}
        self.reload()

    def reload(self) -> None:
        """Settings are read on every request, so they are kept in memory as well."""
        saved = {row["name"]: json.loads(row["value"]) for row in self.rows("SELECT * FROM settings")}
        self._settings = self.defaults | saved

    def reset(self) -> None:
        with self.transaction():
            for table in TABLES:
                self.database.execute(f"DELETE FROM {table}")
        self.reload()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self.database.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.database.execute(sql, values).fetchone()
        return found

    def add(self, table: str, **columns: Any) -> None:
        self._write("INSERT", table, columns)

    def put(self, table: str, **columns: Any) -> None:
        self._write("INSERT OR REPLACE", table, columns)

    def _write(self, verb: str, table: str, columns: dict[str, Any]) -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self.database.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))

    # --- settings and clock

    def setting(self, name: str) -> Any:
        return self._settings[name]

    def set(self, name: str, value: Any) -> None:
        self.put("settings", name=name, value=json.dumps(value))
        self._settings[name] = value

    def secret(self, name: str) -> str:
        """64 hexadecimal digits, drawn once and kept over a reset: what a provider signs with, say."""
        self.database.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, secrets.token_hex(32)))
        row = self.row("SELECT value FROM secrets WHERE name = ?", name)
        return str(row["value"]) if row else ""

    def now(self) -> float:
        """Unix seconds of the simulator's own clock, which can be moved forward."""
        return time.time() + float(self._settings["clock_offset_seconds"])

    # --- accounts

    def account(self, provider: str, api_key: str) -> Account | None:
        row = self.row("SELECT * FROM accounts WHERE provider = ? AND api_key = ?", provider, api_key)
        return Account(**row) if row else None

    def account_by_access_key(self, provider: str, access_key: str) -> Account | None:
        sql = "SELECT * FROM accounts WHERE provider = ? AND access_key = ? AND access_key != ''"
        row = self.row(sql, provider, access_key)
        return Account(**row) if row else None

    def save_account(self, account: Account) -> None:
        self.put("accounts", **asdict(account))

    # --- tasks

    def save(self, task: Task) -> None:
        columns = asdict(task) | {"plan": json.dumps(task.plan), "faults": json.dumps(task.faults)}
        self.put("tasks", **columns)

    def tasks(self, where: str, *values: Any) -> list[Task]:
        found = self.rows(f"SELECT * FROM tasks WHERE {where}", *values)
        return [_task(row) for row in found]

    def task(self, task_id: str) -> Task | None:
        return next(iter(self.tasks("id = ?", task_id)), None)


def _task(row: sqlite3.Row) -> Task:
    columns = dict(row)
    columns["plan"], columns["faults"] = json.loads(row["plan"]), json.loads(row["faults"])
    columns["media_checked"], columns["queued"] = bool(row["media_checked"]), bool(row["queued"])
    return Task(**columns)
