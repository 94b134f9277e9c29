"""The status page's view of the report: what is said of it in a few words, and what each bar and cell shows.

Words for people are made here or in the template, always translatable; the figures are those of `standing`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy, pgettext

from generations import catalog
from generations.standing import PROMISED_AVAILABILITY, Day, Percentiles, Report, Standing, Window

WORDS = {
    "operational": gettext_lazy("Operational"),
    "degraded": gettext_lazy("Degraded"),
    "unavailable": gettext_lazy("Unavailable"),
    "maintenance": gettext_lazy("Maintenance"),
    None: gettext_lazy("Not observed"),
}
SPANS = {"1h": gettext_lazy("Last hour"), "24h": gettext_lazy("Last 24 hours"), "30d": gettext_lazy("Last 30 days")}
FAIR = 0.99
NOTHING = "–"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One day of the bar: `level` is good, fair, poor or none."""

    date: date
    level: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One stretch of time in the table behind a model."""

    name: str
    availability: str
    success: str
    making: str
    waiting: str
    refund: str
    tasks: int
    minutes: int


@dataclass(frozen=True, kw_only=True)
class Row:
    standing: Standing
    title: str
    word: str
    tone: str
    cells: tuple[Cell, ...]
    summary: str
    availability: str
    keeps_promise: bool
    success: str
    tasks: int
    median: str
    most: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    updated_at: datetime
    headline: str
    tone: str
    rows: tuple[Row, ...]
    promise: str
    is_empty: bool


def page(report: Report) -> Page:
    headline, tone = _headline(report.models)
    return Page(
        updated_at=report.updated_at,
        headline=headline,
        tone=tone,
        rows=tuple(_row(one) for one in report.models),
        promise=percent(float(PROMISED_AVAILABILITY)),
        is_empty=report.is_empty,
    )


def _headline(models: Iterable[Standing]) -> tuple[str, str]:
    """What is not as it should be, the worst first, and the tone of the worst."""
    words = [one.status for one in models]
    sentences = {
        "unavailable": ngettext_lazy("%(n)d model is unavailable.", "%(n)d models are unavailable.", "n"),
        "maintenance": ngettext_lazy("%(n)d model is in maintenance.", "%(n)d models are in maintenance.", "n"),
        "degraded": ngettext_lazy("%(n)d model is degraded.", "%(n)d models are degraded.", "n"),
    }
    found = {word: said % {"n": words.count(word)} for word, said in sentences.items() if word in words}
    if found:
        return " ".join(found.values()), next(iter(found))
    if words.count("operational") == len(words):
        return _("All models are operational."), "operational"
    if "operational" in words:
        return _("All models that were looked at are operational."), "operational"
    return _("Nobody has looked at the models in the last 5 minutes."), "unknown"


def _row(one: Standing) -> Row:
    month, day = one.windows["30d"], one.windows["24h"]
    return Row(
        standing=one,
        title=_title(one.model),
        word=str(WORDS[one.status]),
        tone=one.status or "unknown",
        cells=tuple(_cell(each) for each in one.days),
        summary=_summary(one.days),
        availability=percent(month.availability),
        keeps_promise=month.availability is None or month.availability >= PROMISED_AVAILABILITY,
        success=percent(day.success_rate),
        tasks=day.completed + day.failed - day.failed_by_input,
        median=duration(day.making_seconds.p50) if day.making_seconds else NOTHING,
        most=duration(day.making_seconds.p95) if day.making_seconds else "",
        lines=tuple(_line(str(SPANS[name]), window) for name, window in one.windows.items()),
    )


def _title(model: str) -> str:
    spec = catalog.find(model)
    return spec.description if spec else ""


def _cell(day: Day) -> Cell:
    share = day.availability
    if share is None:
        level = "none"
    elif share >= PROMISED_AVAILABILITY:
        level = "good"
    else:
        level = "fair" if share >= FAIR else "poor"
    text = _("not observed") if share is None else percent(share)
    return Cell(date=day.date, level=level, text=text)


def _summary(days: Iterable[Day]) -> str:
    """What the bar shows, for those who do not see it."""
    seen = [day.availability for day in days if day.availability is not None]
    below = sum(share < PROMISED_AVAILABILITY for share in seen)
    observed = ngettext("%(n)d day observed", "%(n)d days observed", len(seen)) % {"n": len(seen)}
    short = ngettext("%(n)d below the promise", "%(n)d below the promise", below) % {"n": below}
    return f"{observed}, {short}"


def _line(name: str, window: Window) -> Line:
    return Line(
        name=name,
        availability=percent(window.availability),
        success=percent(window.success_rate),
        making=_both(window.making_seconds),
        waiting=_both(window.waiting_seconds),
        refund=_both(window.refund_seconds),
        tasks=window.completed + window.failed,
        minutes=window.minutes_observed,
    )


def _both(times: Percentiles | None) -> str:
    return f"{duration(times.p50)} / {duration(times.p95)}" if times else NOTHING


def percent(share: float | None) -> str:
    """At most two places, cut and not rounded up, so that 100 % means all: 99.95 %, 100 %."""
    if share is None:
        return NOTHING
    hundredths = round(share * 100_000) // 10
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + " %"


def duration(seconds: float) -> str:
    """0.5 s, 48 s, 3 min 20 s, 1 h 5 min"""
    if seconds < 60:
        return pgettext("duration", "%(s)s s") % {"s": f"{seconds:g}"}
    whole = round(seconds)
    if whole < 3600:
        return pgettext("duration", "%(m)d min %(s)d s") % {"m": whole // 60, "s": whole % 60}
    return pgettext("duration", "%(h)d h %(m)d min") % {"h": whole // 3600, "m": whole % 3600 // 60}
