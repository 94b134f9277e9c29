"""What a report was asked for: a range of whole UTC days, one or two things to group by, and what to narrow to."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from accounts import ids
from accounts.models import Organization
from billing.report_rollups import next_month

ONE_DAY = timedelta(days=1)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
MOST_DAYS = 3 * 366
MOST_DAYS_OF_ORGANIZATIONS = 31
GROUPS = {
    "month": "Month",
    "day": "Day",
    "model": "Model",
    "account": "Provider account",
    "organization": "Organization",
    "user_group": "User group",
}
TIMES = ("day", "month")
USUAL_MONTHS = 12


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`first` and `last` are both included. `narrowed` is by model, user group or provider account."""

    first: date
    last: date
    by: tuple[str, ...]
    wallet_id: UUID | None = None
    narrowed: dict[str, str] = field(default_factory=dict)

    @property
    def since(self) -> datetime:
        return midnight(self.first)

    @property
    def until(self) -> datetime:
        return midnight(self.last + ONE_DAY)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Asked":
        """The period before: as many whole months where this one is of whole months, else as many days."""
        last = self.first - ONE_DAY
        if self.first.day == 1 and (self.last + ONE_DAY).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            first = month_before(self.first, months)
        else:
            first = self.first - (self.last - self.first) - ONE_DAY
        return Asked(
            first=max(first, FIRST_DAY), last=last, by=self.by, wallet_id=self.wallet_id, narrowed=self.narrowed
        )


class Question(forms.Form):
    """The controls above a report. A field that a report has no use for is left out by its page."""

    first = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget, help_text="UTC, included.")
    last = forms.DateField(label="To", widget=UnfoldAdminSingleDateWidget, help_text="UTC, included.")
    by = forms.ChoiceField(label="By", choices=list(GROUPS.items()), widget=UnfoldAdminSelectWidget)
    then = forms.ChoiceField(
        label="and by", choices=[("", "–"), *GROUPS.items()], required=False, widget=UnfoldAdminSelectWidget
    )
    organization = forms.CharField(
        label="Organization", required=False, max_length=60, widget=UnfoldAdminTextInputWidget, help_text="org_…"
    )
    model = forms.CharField(label="Model", required=False, max_length=80, widget=UnfoldAdminTextInputWidget)
    account = forms.CharField(
        label="Provider account", required=False, max_length=60, widget=UnfoldAdminTextInputWidget
    )
    user_group = forms.CharField(label="User group", required=False, max_length=40, widget=UnfoldAdminTextInputWidget)

    def clean_organization(self) -> UUID | None:
        text = self.cleaned_data["organization"].strip()
        identifier = ids.decode(Organization.PREFIX, text) if text else None
        if text and (identifier is None or not Organization.objects.filter(pk=identifier).exists()):
            raise forms.ValidationError("There is no such organization.")
        return identifier

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first and last:
            self._check_range(first, last, given)
        if given.get("by") and given.get("by") == given.get("then"):
            self.add_error("then", "Choose something else than the first.")
        if {given.get("by"), given.get("then")} == set(TIMES):
            self.add_error("then", "A report is by day or by month.")
        return given

    def _check_range(self, first: date, last: date, given: dict[str, Any]) -> None:
        days = (last - first).days + 1
        groups = {given.get("by"), given.get("then")}
        if first > last:
            self.add_error("last", "This day is before the first.")
        elif first < FIRST_DAY or last > LAST_DAY:
            self.add_error("first", f"Days are from {FIRST_DAY} to {LAST_DAY}.")
        elif days > MOST_DAYS:
            self.add_error("last", f"A report has at most {MOST_DAYS} days.")
        elif groups == {"day", "organization"} and days > MOST_DAYS_OF_ORGANIZATIONS:
            self.add_error(
                "then", f"Organizations by day: at most {MOST_DAYS_OF_ORGANIZATIONS} days. Longer: by month."
            )

    def asked(self) -> Asked:
        given = self.cleaned_data
        narrowed = {name: given[name] for name in ("model", "account", "user_group") if given.get(name)}
        return Asked(
            first=given["first"],
            last=given["last"],
            by=tuple(name for name in (given.get("by"), given.get("then")) if name),
            wallet_id=given.get("organization"),
            narrowed=narrowed,
        )


def usual(today: date) -> dict[str, str]:
    """What is asked where nothing was: the last twelve months, this one included, by month."""
    return {"first": month_before(today.replace(day=1), USUAL_MONTHS - 1).isoformat(), "last": today.isoformat()}


def periods(today: date) -> list[tuple[str, date, date]]:
    """The ranges that are asked for most, by the name of their links."""
    this_month = today.replace(day=1)
    last_month = month_before(this_month, 1)
    return [
        ("This month", this_month, today),
        ("Last month", last_month, this_month - ONE_DAY),
        ("Last 30 days", today - timedelta(days=29), today),
        ("Last 90 days", today - timedelta(days=89), today),
        ("This year", today.replace(month=1, day=1), today),
        ("Last 12 months", month_before(this_month, USUAL_MONTHS - 1), today),
    ]


def month_before(first: date, months: int) -> date:
    """The first of the month that many months before this first of a month."""
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(year, month + 1, 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def today() -> date:
    return day_of(timezone.now())


def last_of_month(moment: datetime) -> date:
    return day_of(next_month(moment)) - ONE_DAY
