"""How well each model works, as we tell the world: a status word, and the figures of an hour, a day and 30 days.

What each figure means is said in words in `DEFINITIONS`, which the answer carries; when a model counts as degraded or
unavailable, and how much data a figure needs, is data in `RULES` and the constants beside it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Literal

from django.utils import timezone

from generations import catalog, figures, histogram
from generations.figures import Figures
from generations.models import ModelHourTime
from generations.short_lived import ShortLived
from generations.switches import Notice, notices

Word = Literal["operational", "degraded", "unavailable", "maintenance"]
Kind = ModelHourTime.Kind

PROMISED_AVAILABILITY = Fraction("0.999")
WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "30d": timedelta(days=30)}
LATELY = timedelta(minutes=5)
DAYS = 30
MINIMUM_TASKS = 10
MINIMUM_MINUTES = 10
KEPT_SECONDS = 20

DEFINITIONS = {
    "availability": (
        "The share of observed minutes in which a valid request was taken. Each minute we try whether a plain request "
        "of the model would find a provider; a minute in which it would not, or in which any customer's valid request "
        "was refused with 503 model_unavailable, is unavailable: planned maintenance counts too. A minute in which "
        "nobody looked and nobody was refused is not observed and counts neither way."
    ),
    "success_rate": (
        "The share of finished tasks that were completed. Left out are cancelled tasks and those that failed by the "
        "customer's own input; failed_by_input says how many of the failed these are."
    ),
    "making_seconds": "From the moment a task was accepted for making until its result was ready, of completed tasks.",
    "waiting_seconds": (
        "From the request until the task was accepted for making, of completed tasks; "
        "waiting behind the organization's own limit of running tasks is part of it."
    ),
    "refund_seconds": "From the request until every credit was back, of all failed tasks.",
    "percentiles": "p50 and p95 are exact to 10 percent. A figure with too little data behind it is null.",
    "status": (
        "From the last 5 minutes and the last hour. operational: requests are taken and tasks succeed as usual. "
        "degraded: they are, but worse than usual. unavailable: requests are refused. maintenance: they are, and we "
        "have announced it. null: nobody has looked for 5 minutes."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`figure` below the bound gives the word; the first rule that holds decides. No figure: the rule does not hold."""

    word: Word
    figure: Literal["lately", "availability", "success_rate", "pace"]
    below: float


RULES = (
    Rule(word="unavailable", figure="lately", below=0.5),
    Rule(word="degraded", figure="lately", below=1),
    Rule(word="degraded", figure="availability", below=0.98),
    Rule(word="degraded", figure="success_rate", below=0.9),
    Rule(word="degraded", figure="pace", below=0.5),
)
"""`lately` and `pace` are the availability of the last 5 minutes, and the day's median making time over the hour's; the
others are those of the last hour."""


@dataclass(frozen=True, kw_only=True)
class Percentiles:
    p50: float
    p95: float


@dataclass(frozen=True, kw_only=True)
class Window:
    """One model in one window; None where there is too little data."""

    completed: int
    failed: int
    failed_by_input: int
    minutes_observed: int
    minutes_available: int
    availability: float | None
    success_rate: float | None
    making_seconds: Percentiles | None
    waiting_seconds: Percentiles | None
    refund_seconds: Percentiles | None


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day (UTC) of the last 30; `availability` is None when nothing was observed."""

    date: date
    availability: float | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    model: str
    status: Word | None
    notice: Notice | None
    windows: Mapping[str, Window]
    days: tuple[Day, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Every model of the catalogue in its order, up to the full minute `updated_at`."""

    updated_at: datetime
    models: tuple[Standing, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known yet."""
        months = [model.windows["30d"] for model in self.models]
        return not any(month.minutes_observed or month.completed or month.failed for month in months)


def _read() -> Report:
    until = timezone.now().replace(second=0, microsecond=0)
    read = figures.windows([until - length for length in WINDOWS.values()], until)
    found = dict(zip(WINDOWS, read, strict=True))
    lately = figures.minutes(until - LATELY, until)
    first_day = until.date() - timedelta(days=DAYS - 1)
    days = figures.days(datetime.combine(first_day, datetime.min.time(), until.tzinfo), until)
    told = notices()
    models = []
    for spec in catalog.SPECS:
        windows = {name: window(by_model.get(spec.id, Figures())) for name, by_model in found.items()}
        recent = share(*reversed(lately.get(spec.id, (0, 0))), at_least=1)
        dates = [first_day + timedelta(days=number) for number in range(DAYS)]
        models.append(
            Standing(
                model=spec.id,
                status=status(recent, windows, announced=spec.id in told),
                notice=told.get(spec.id),
                windows=windows,
                days=tuple(_day(one, days.get(spec.id, {}).get(one, (0, 0))) for one in dates),
            )
        )
    return Report(updated_at=until, models=tuple(models))


report = ShortLived(_read, seconds=KEPT_SECONDS)
"""The present report."""


def status(lately: float | None, windows: Mapping[str, Window], *, announced: bool) -> Word | None:
    """`lately` is the availability of the last minutes; None: nobody looked, so nobody knows."""
    if lately is None:
        return None
    hour = windows["1h"]
    known = {
        "lately": lately,
        "availability": hour.availability,
        "success_rate": hour.success_rate,
        "pace": pace(hour.making_seconds, windows["24h"].making_seconds),
    }
    for rule in RULES:
        value = known[rule.figure]
        if value is not None and value < rule.below:
            return "maintenance" if announced and rule.word == "unavailable" else rule.word
    return "operational"


def pace(hour: Percentiles | None, day: Percentiles | None) -> float | None:
    """1 = as fast as in the last day, 0.5 = half as fast."""
    return day.p50 / hour.p50 if hour and day else None


def window(one: Figures) -> Window:
    ours = one.failed - one.failed_by_input
    return Window(
        completed=one.completed,
        failed=one.failed,
        failed_by_input=one.failed_by_input,
        minutes_observed=one.minutes_observed,
        minutes_available=one.minutes_available,
        availability=share(one.minutes_available, one.minutes_observed, at_least=MINIMUM_MINUTES),
        success_rate=share(one.completed, one.completed + ours, at_least=MINIMUM_TASKS),
        making_seconds=percentiles(one.times[Kind.MAKING]),
        waiting_seconds=percentiles(one.times[Kind.WAITING]),
        refund_seconds=percentiles(one.times[Kind.REFUND]),
    )


def share(part: int, whole: int, *, at_least: int) -> float | None:
    """Cut after 5 decimals, never rounded up: 1 means all. None when `whole` is below `at_least`."""
    return part * 100_000 // whole / 100_000 if whole >= at_least else None


def percentiles(buckets: Counter[int]) -> Percentiles | None:
    if buckets.total() < MINIMUM_TASKS:
        return None
    return Percentiles(p50=histogram.percentile(buckets, 0.5), p95=histogram.percentile(buckets, 0.95))


def _day(one: date, minutes: tuple[int, int]) -> Day:
    observed, available = minutes
    return Day(date=one, availability=share(available, observed, at_least=1))
