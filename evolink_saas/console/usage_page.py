"""Usage as a page and as a file: the figures of `GET /v1/usage` with a chart of the days, a table and its total."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import ids
from accounts.models import ApiKey, Organization
from accounts.spreadsheets import BYTE_ORDER_MARK, harmless, written
from billing import budgets, dollars
from billing.amounts import ZERO
from evolink_saas.console import charts
from generations import usage
from generations.usage import Figures, Group, Usage

MOST_SHOWN, MOST_BARS = 200, 8
ROWS_AT_A_TIME = 500
DAY = (Group(name="day"),)
FIGURES = ("reserved", "charged", "refunded", "used", "tasks", "tasks_charged", "tasks_refunded")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What it is of, a text for each group, and its figures."""

    names: list[str]
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class UsagePage:
    """`hidden` rows stand in the file alone. `things` is a second chart: what was used by what it was grouped by."""

    found: Usage
    headings: list[str]
    rows: list[Row]
    hidden: int
    days: SafeString
    days_title: str
    things: SafeString | None
    things_title: str


def of(organization: Organization, since: date, until: date, by: Sequence[Group]) -> UsagePage:
    """Raises InvalidRequest."""
    found = usage.of(organization, since, until, by)
    by_day = found if [group.name for group in by] == ["day"] else usage.of(organization, since, until, DAY)
    rows = in_order(found)
    title = _("Credits used, %(since)s to %(until)s (UTC)") % {"since": since, "until": until}
    things_title = _("Credits used by %(what)s") % {"what": ", ".join(heading(group) for group in by)}
    return UsagePage(
        found=found,
        headings=[heading(group) for group in by],
        rows=[Row(names=names(found, row), figures=row) for row in rows[:MOST_SHOWN]],
        hidden=max(0, len(rows) - MOST_SHOWN),
        days=charts.bars(title, _days(by_day)),
        days_title=title,
        things=charts.across(things_title, _things(found, rows)) if rows and Group(name="day") not in by else None,
        things_title=things_title,
    )


def in_order(found: Usage) -> list[Figures]:
    """Days newest first; without days, what cost most first."""
    if Group(name="day") in found.by:
        place = found.by.index(Group(name="day"))
        return sorted(found.rows, key=lambda row: row.group[place], reverse=True)
    return sorted(found.rows, key=lambda row: row.used, reverse=True)


def names(found: Usage, row: Figures) -> list[str]:
    return [_name(found, group, value) for group, value in zip(found.by, row.group, strict=True)]


def heading(group: Group) -> str:
    headings = {"day": _("Day"), "model": _("Model"), "key": _("API key")}
    return headings.get(group.name) or group.metadata


def csv(found: Usage) -> Iterator[str]:
    """Every row, under the API's names, some hundred at a time. A total would be counted twice by whoever adds up."""
    head = [name for group in found.by for name in _columns(group)]
    head += [f"credits_{name}" if name in FIGURES[:4] else name for name in FIGURES]
    yield BYTE_ORDER_MARK + written([tuple(map(harmless, head))])
    rows = map(partial(_line, found), found.rows)
    while some := list(islice(rows, ROWS_AT_A_TIME)):
        yield written(some)


def _line(found: Usage, row: Any) -> tuple[str, ...]:
    texts = [text for group, value in zip(found.by, row.group, strict=True) for text in _texts(found, group, value)]
    figures = [f"{getattr(row, name):.4f}" for name in FIGURES[:4]]
    counts = [str(getattr(row, name)) for name in FIGURES[4:]]
    return (*map(harmless, texts), *figures, *counts)


def _name(found: Usage, group: Group, value: Any) -> str:
    if group.name == "day":
        return budgets.day_of(value).isoformat()
    if group.name == "key":
        return found.keys.get(value) or _("without an API key")
    return _("not set") if value is None else str(value)


def _columns(group: Group) -> list[str]:
    if group.name == "key":
        return ["key_id", "key_name"]
    return [f"metadata[{group.metadata}]" if group.metadata else group.name]


def _texts(found: Usage, group: Group, value: Any) -> list[str]:
    if group.name == "day":
        return [budgets.day_of(value).isoformat()]
    if group.name == "key":
        return [ids.encode(ApiKey.PREFIX, value) if value else "", found.keys.get(value, "")]
    return ["" if value is None else str(value)]


def _days(found: Usage) -> list[charts.Day]:
    used = {budgets.day_of(row.group[0]): row.used for row in found.rows}
    count = (found.until - found.since).days + 1
    days = [found.since + timedelta(days=number) for number in range(count)]
    return [charts.Day(day, used.get(day, ZERO), _text(day.isoformat(), used.get(day, ZERO))) for day in days]


def _things(found: Usage, rows: Sequence[Figures]) -> list[charts.Thing]:
    """The largest, and all others together."""
    shown = [charts.Thing(" · ".join(names(found, row)), row.used, "") for row in rows[:MOST_BARS]]
    if len(rows) > MOST_BARS:
        rest = sum((row.used for row in rows[MOST_BARS:]), ZERO)
        shown.append(charts.Thing(_("all others"), rest, ""))
    return [replace(thing, text=_text(thing.name, thing.value)) for thing in shown]


def _text(name: str, used: Any) -> str:
    words = {"name": name, "credits": f"{used:,.4f}".rstrip("0").rstrip("."), "dollars": f"{dollars.usd(used):,.2f}"}
    return _("%(name)s: %(credits)s credits, $%(dollars)s") % words
