"""Any tasks, ended in any order, looks, refusals and roll-ups between them: every window is the raw sum.

Sizes: HEALTH_EXAMPLES programs of HEALTH_STEPS steps.
"""

import os
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from accounts import organizations
from generations import figures, health, histogram
from generations.models import HealthMark, ModelHour, ModelHourTime, Task
from tests.cast import organization_of
from tests.generations.ended import ended, save

EXAMPLES = int(os.environ.get("HEALTH_EXAMPLES", "25"))
STEPS = int(os.environ.get("HEALTH_STEPS", "25"))
START = datetime(2026, 3, 2, 10, 17, 31, tzinfo=UTC)
IDS = ("kling-v3-text-to-video", "kling-custom-element")
MODELS = st.sampled_from(IDS)
ENDS = st.sampled_from(
    [
        ("completed", ""),
        ("failed", "service_error"),
        ("failed", "face_not_found"),
        ("cancelled", "request_cancelled"),
    ]
)
SEEN = ("taken", "taken", "not taken", "refused", "refused in the sandbox")
LATE = st.timedeltas(timedelta(0), timedelta(minutes=4))
SECONDS = st.one_of(st.floats(0, 5), st.floats(0, 20_000), st.sampled_from(histogram.BOUNDS))
PASSING = st.one_of(
    st.timedeltas(timedelta(seconds=1), timedelta(minutes=3)), st.timedeltas(timedelta(0), timedelta(hours=4))
)


def bucket(length: timedelta) -> int:
    return sum(bound <= length.total_seconds() for bound in histogram.BOUNDS)


class Programs(RuleBasedStateMachine):
    """The model is a list of the live tasks, and the sets of minutes in which something was seen."""

    @initialize()
    def open(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.travel = time_machine.travel(START, tick=False)
        self.clock = self.travel.start()
        self.now = START
        self.live = organization_of("Acme", "alice@acme.example")
        self.sandbox = organizations.sandbox_twin(self.live)
        self.tasks: list[Task] = []
        self.good: dict[str, set[datetime]] = defaultdict(set)
        self.bad: dict[str, set[datetime]] = defaultdict(set)

    def teardown(self) -> None:
        if not hasattr(self, "transaction"):
            return
        self.travel.stop()
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @rule(drawn=st.lists(st.tuples(MODELS, ENDS, LATE, SECONDS, SECONDS, st.booleans()), min_size=1, max_size=6))
    def end(self, drawn: list[tuple[str, tuple[str, str], timedelta, float, float, bool]]) -> None:
        """They say that they finished up to some minutes ago: their transactions took so long to commit."""
        made = []
        for model, (status, code), late, waited, seconds, sandbox in drawn:
            owner, moment = self.sandbox if sandbox else self.live, self.now - late
            made.append(ended(owner, moment, model=model, status=status, code=code, waited=waited, made=seconds))
        save(made)
        self.tasks += [task for task in made if task.organization == self.live]

    @rule(passing=PASSING)
    def wait(self, passing: timedelta) -> None:
        self.now += passing
        self.clock.move_to(self.now)

    @rule(passing=st.timedeltas(timedelta(0), timedelta(minutes=7)))
    def count_soon_after_the_hour(self, passing: timedelta) -> None:
        self.wait(figures.hour_after(self.now) + passing - self.now)
        self.roll_up()

    @rule(model=MODELS, seen=st.lists(st.sampled_from(SEEN), min_size=1, max_size=3))
    def see(self, model: str, seen: list[str]) -> None:
        """All of it in one minute."""
        for one in seen:
            if one in ("taken", "not taken"):
                health.note_looks({model: one == "taken"})
            else:
                health.note_refusal(self.live if one == "refused" else self.sandbox, model)
            if one != "refused in the sandbox":
                (self.good if one == "taken" else self.bad)[model].add(self.minute())

    @rule()
    def roll_up(self) -> None:
        health.roll_up()
        before = self.rows()
        assert health.roll_up() == 0
        assert self.rows() == before

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        span = int((self.now - START).total_seconds()) + 2 * 3600
        edges = st.integers(-3600, span).map(lambda seconds: START + timedelta(seconds=seconds))
        some = st.sampled_from([START, *(task.finished_at or START for task in self.tasks)])
        edge = st.one_of(edges, edges.map(figures.hour_of), some)
        for pair in data.draw(st.lists(st.tuples(edge, edge), min_size=1, max_size=4)):
            self.compare(min(pair), max(pair))
        self.compare(START - timedelta(hours=1), self.now + timedelta(minutes=1))
        for task in self.tasks[-4:]:
            self.compare(task.finished_at + timedelta(microseconds=1), self.now)

    def compare(self, start: datetime, end: datetime) -> None:
        found = figures.window(start, end)
        nothing = figures.Figures()
        assert {model: self.shown(found.get(model, nothing)) for model in IDS} == self.expected(start, end)

    def minute(self) -> datetime:
        return self.now.replace(second=0, microsecond=0)

    def rows(self) -> list[Any]:
        tables = (ModelHour, ModelHourTime, HealthMark)
        return [list(table.objects.order_by("pk").values()) for table in tables]

    def shown(self, one: figures.Figures) -> tuple[Any, ...]:
        times = Counter({(kind, number): tasks for kind, found in one.times.items() for number, tasks in found.items()})
        return one.completed, one.failed, one.failed_by_input, times, one.minutes_observed, one.minutes_available

    def expected(self, start: datetime, end: datetime) -> dict[str, tuple[Any, ...]]:
        """By counting the tasks and minutes themselves."""
        found = {}
        for model in IDS:
            mine = [task for task in self.tasks if task.model == model and start <= task.finished_at < end]
            done = [task for task in mine if task.status == "completed"]
            failed = [task for task in mine if task.status == "failed"]
            times = Counter(("making", bucket(task.finished_at - task.accepted_at)) for task in done)
            times += Counter(("waiting", bucket(task.accepted_at - task.created_at)) for task in done)
            times += Counter(("refund", bucket(task.finished_at - task.created_at)) for task in failed)
            by_input = sum(task.error_code == "face_not_found" for task in failed)
            bad = {minute for minute in self.bad[model] if start <= minute < end}
            seen = {minute for minute in self.good[model] if start <= minute < end} | bad
            found[model] = (len(done), len(failed), by_input, times, len(seen), len(seen - bad))
        return found


@pytest.mark.usefixtures("db")
def test_every_window_is_the_raw_sum_after_any_program() -> None:
    run_state_machine_as_test(
        Programs,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
