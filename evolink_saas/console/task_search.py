"""The list of tasks: what it is filtered by, read from its address, and one page of rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import ids
from accounts.models import ApiKey, Organization
from evolink_saas.console import wording
from evolink_saas.console.wording import Words
from generations import catalog, task_list
from generations.models import Task
from generations.serializers.tasks import progress
from generations.task_list import Filters

PAGE_SIZE = 20
MOST_KEYS = 200
"""So many keys can be chosen from; one whose id stands in the address is found whatever its age."""
LONGEST_TITLE = 120
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)  # days beyond have no moment in every time zone
Status = Task.Status
STATUSES: tuple[tuple[str, Words], ...] = (
    (Status.PROCESSING.value, _("waiting or running")),
    *((one.value, wording.BADGES["task"][one.value][0]) for one in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)),
)
TYPES: tuple[tuple[str, Words], ...] = ((Task.Type.VIDEO.value, _("Videos")), (Task.Type.ELEMENT.value, _("Elements")))


class SearchForm(forms.Form):
    """Empty fields filter nothing. Days are those of the reader's time zone."""

    status = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("Any state")), *STATUSES])
    type = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("Videos and elements")), *TYPES])
    model = forms.ChoiceField(
        label=_("Model"),
        required=False,
        choices=lambda: [("", _("Any model")), *((spec.id, spec.id) for spec in catalog.SPECS)],
    )
    key = forms.ChoiceField(label=_("API key"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    metadata = forms.CharField(
        label=_("Metadata"),
        required=False,
        max_length=541,
        widget=forms.TextInput(attrs={"placeholder": "order=1042", "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, given: Any, organization: Organization) -> None:
        super().__init__(given)
        self._keys = {key.public_id: key for key in _keys(organization, given.get("key", ""))}
        choices = [(public_id, key.name) for public_id, key in self._keys.items()]
        self.fields["key"].choices = [("", _("Any key")), *choices]  # type: ignore[attr-defined]

    def clean_metadata(self) -> dict[str, str]:
        name, found, value = self.cleaned_data["metadata"].partition("=")
        if (name or found) and not (name.strip() and found):
            raise forms.ValidationError(_("Write a key and its value, such as order=1042."))
        return {name.strip(): value.strip()} if found else {}

    @property
    def filters(self) -> Filters:
        """Of a valid form."""
        wanted = self.cleaned_data
        until = wanted["until"]
        return Filters(
            status=wanted["status"] or None,
            type=wanted["type"] or None,
            model=wanted["model"] or None,
            key=self._keys.get(wanted["key"]),
            created_after=_midnight(wanted["since"]),
            created_before=_midnight(min(until, LAST_DAY) + timedelta(days=1)) if until else None,
            metadata=wanted["metadata"],
        )

    @property
    def is_filtered(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    @property
    def is_narrowed(self) -> bool:
        """By more than the state, which has its own tabs."""
        return any(self.data.get(name) for name in self.fields if name != "status")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A task in the list; `title` is what it was asked for, `progress` in percent while it is open."""

    task: Task
    title: str
    progress: int


def rows(tasks: Iterable[Task]) -> list[Row]:
    return [Row(task=task, title=title(task), progress=progress(task)) for task in tasks]


def page(organization: Organization, filters: Filters, cursor: str) -> tuple[list[Row], str | None]:
    """Newest first, after `cursor`. Raises InvalidRequest for a cursor that is none of ours."""
    found, after = task_list.by_cursor(organization, filters, cursor, PAGE_SIZE)
    return rows(found), after


def title(task: Task) -> str:
    """What the customer asked for, in one line."""
    shots = task.inputs.get("shots") or []
    words = task.inputs.get("name") or task.inputs.get("prompt") or (shots[0]["prompt"] if shots else "")
    line = " ".join(words.split())
    return f"{line[:LONGEST_TITLE].rstrip()}…" if len(line) > LONGEST_TITLE else line


def _keys(organization: Organization, chosen: str) -> list[ApiKey]:
    """The newest, revoked ones among them since their tasks stay; and the chosen one if it is the organization's."""
    newest = list(organization.api_keys.order_by("-pk")[:MOST_KEYS])
    identifier = ids.decode(ApiKey.PREFIX, chosen)
    if identifier is None or any(key.pk == identifier for key in newest):
        return newest
    return [*newest, *organization.api_keys.filter(pk=identifier)]


def _midnight(day: date | None) -> datetime | None:
    """The beginning of a day in the reader's time zone."""
    if day is None:
        return None
    within = min(max(day, FIRST_DAY), LAST_DAY)
    return timezone.make_aware(datetime.combine(within, time.min)).astimezone(UTC)
