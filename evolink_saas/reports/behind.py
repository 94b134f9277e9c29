"""Links from a figure to the rows that it is the sum of: lists of the admin, narrowed to its time, kind and group."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode
from uuid import UUID

from django.urls import reverse

from billing.report_rollups import next_month
from evolink_saas.reports.asked import ONE_DAY, TIMES, Asked, day_of, last_of_month

TRANSFERS, COSTS, TASKS = "billing_transfer", "billing_providercost", "generations_task"
KINDS: Mapping[str, Mapping[str, str]] = {
    "captured": {"kind__exact": "capture"},
    "refunded": {"kind__exact": "refund"},
    "promo": {"kind__in": "capture,refund", "lot__kind__in": "promo,goodwill"},
    "breakage": {"kind__exact": "expire", "lot__kind__exact": "paid"},
}
"""Which transfers a figure is made of."""
LIVE = {"customers": "live"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What a row of a report is about: a stretch of time, and what it is narrowed to."""

    since: datetime
    until: datetime
    wallet_id: UUID | None
    model: str | None
    account: str | None
    user_group: str | None

    def transfers(self, figure: str) -> str:
        """The transfers behind a figure; none where nothing of a transfer says so (the work of an account or group)."""
        if self.account or self.user_group:
            return ""
        found = dict(KINDS[figure]) | self._time("created_at") | self._wallet()
        if self.model:
            found["reservation__model__exact"] = self.model
        return _list(TRANSFERS, found)

    def tasks(self, status: str = "completed", *, failed_by: str = "") -> str:
        """The tasks that ended so; of those that failed, perhaps by the customer's input alone, or by us."""
        found = {"status__exact": status} | ({"failed_by": failed_by} if failed_by else {}) | self._time("finished_at")
        if self.wallet_id:
            found["organization__id__exact"] = str(self.wallet_id)
        if self.account:
            return ""
        found |= {f"{name}__exact": value for name in ("model", "user_group") if (value := getattr(self, name))}
        return _list(TASKS, found)

    def costs(self) -> str:
        found = self._time("at") | self._wallet()
        names = {"model": self.model, "account_name": self.account, "user_group": self.user_group}
        return _list(COSTS, found | {f"{name}__exact": value for name, value in names.items() if value})

    def _time(self, column: str) -> dict[str, str]:
        return {f"{column}__gte": self.since.isoformat(), f"{column}__lt": self.until.isoformat()}

    def _wallet(self) -> dict[str, str]:
        return {"wallet__exact": str(self.wallet_id)} if self.wallet_id else {}


def of(asked: Asked, group: tuple[Any, ...] = ()) -> Group:
    """What the row of this group is about; without a group, all that was asked for."""
    told = dict(zip(asked.by, group, strict=False))
    since, until = asked.since, asked.until
    if "day" in told:
        since, until = told["day"], told["day"] + ONE_DAY
    elif "month" in told:
        since, until = max(since, told["month"]), min(until, next_month(told["month"]))
    return Group(
        since=since,
        until=until,
        wallet_id=told.get("organization") or asked.wallet_id,
        **{name: told.get(name) or asked.narrowed.get(name) for name in ("model", "account", "user_group")},
    )


def narrower(path: str, asked: Asked, name: str, value: Any, words: Mapping[str, str]) -> str:
    """The same report of one group alone: of a month by day, of anything else by month."""
    question = dict(words)
    if name == "month":
        question |= {"first": max(asked.first, day_of(value)).isoformat(), "by": "day"}
        question["last"] = min(asked.last, last_of_month(value)).isoformat()
    elif name == "day":
        question |= dict.fromkeys(("first", "last"), day_of(value).isoformat()) | {"by": "model"}
    else:
        question |= {name: str(value), "by": next((one for one in asked.by if one in TIMES), "month")}
    if question.get("then") in (question["by"], "day", "month"):
        question["then"] = ""
    return f"{path}?{urlencode({key: text for key, text in question.items() if text})}"


def _list(page: str, found: Mapping[str, str]) -> str:
    query = "&".join(f"{name}={_spelled(value)}" for name, value in {**found, **LIVE}.items())
    return f"{_address(page)}?{query}"


@lru_cache(maxsize=10_000)
def _spelled(value: str) -> str:
    """A page has hundreds of links, and few values."""
    return quote_plus(value)


@cache
def _address(page: str) -> str:
    return reverse(f"admin:{page}_changelist")
