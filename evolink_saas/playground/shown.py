"""What the playground shows beside the form: models to choose from, elements, a task and its result, the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from accounts.models import Organization
from evolink_saas.console import element_cards, error_words
from evolink_saas.console.error_words import Explanation
from evolink_saas.console.wording import Words
from evolink_saas.playground import fields, words
from generations import catalog, dispatch, elements, files, task_list
from generations.catalog.base import Spec
from generations.models import Task
from generations.serializers.tasks import task_object

SHOWN_TASKS = 20
SHOWN_ELEMENTS = 60
MOST_COMPARED = 4
POSTER_ROLES = ("image_start", "image_1", "frontal_image")


@dataclass(frozen=True, kw_only=True)
class Family:
    name: str
    specs: list[tuple[Spec, list[Words]]]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A task as its pane shows it. `video` is its result as the API has it.

    `takers` are the models that can show the element it made, `explained` says why it failed.
    """

    task: Task
    progress: int
    queue_position: int
    can_cancel: bool
    video: dict[str, Any] | None = None
    poster: str = ""
    element: element_cards.Card | None = None
    explained: Explanation | None = None
    takers: Sequence[Spec] = ()

    @property
    def is_gone(self) -> bool:
        """A finished video whose file has expired."""
        return self.task.status == Task.Status.COMPLETED and self.task.type == Task.Type.VIDEO and self.video is None

    @property
    def title(self) -> str:
        """What it was asked to be: its prompt, the first shot's, or the element's name."""
        inputs = self.task.inputs
        shots = [shot["prompt"] for shot in inputs.get("shots", ())]
        return str(inputs.get("prompt") or next(iter(shots), "") or inputs.get("name") or self.task.model)

    @property
    def usual_minutes(self) -> int:
        return max(1, round(self.task.estimated_seconds / 60))

    @property
    def given_back(self) -> bool:
        return self.task.status in (Task.Status.FAILED, Task.Status.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class History:
    cards: list[Card]

    @property
    def running(self) -> int:
        return sum(card.task.is_open for card in self.cards)

    @property
    def finished(self) -> int:
        return len(self.cards) - self.running

    @property
    def can_compare(self) -> bool:
        return sum(card.video is not None for card in self.cards) > 1


def families() -> list[Family]:
    """The catalogue in its order, by family."""
    found: dict[str, list[tuple[Spec, list[Words]]]] = {}
    for spec in catalog.SPECS:
        found.setdefault(gettext(spec.family), []).append((spec, words.capabilities(spec)))
    return [Family(name=name, specs=specs) for name, specs in found.items()]


def card(task: Task, *, is_brief: bool = False, made: element_cards.Card | None = None) -> Card:
    """`is_brief` leaves out what a list does not show and what takes a question to the database."""
    waits = task.status == Task.Status.PENDING and not task.under_way and not is_brief
    position = dispatch.position(task) if waits else 0
    said = task_object(task, queue_position=position)
    video = next(iter(said["result_data"]), None) if said.get("results") else None
    return Card(
        task=task,
        progress=said["progress"],
        queue_position=position,
        can_cancel=said["task_info"]["can_cancel"],
        video=video,
        poster=_poster(task) if video and not is_brief else "",
        element=made,
        takers=takers(made.element.kind) if made and not is_brief else (),
        explained=error_words.of_task(task),
    )


def whole(organization: Organization, task: Task) -> Card:
    """With everything."""
    return card(task, made=_elements(organization, [task]).get(task.pk))


def history(organization: Organization) -> History:
    found = task_list.made_by_members(organization, SHOWN_TASKS)
    made = _elements(organization, found)
    return History(cards=[card(task, is_brief=True, made=made.get(task.pk)) for task in found])


def compared(organization: Organization, task_ids: list[str]) -> list[Card]:
    """The finished videos among these tasks, in the order asked, a few at most."""
    cards = [card(task) for task in task_list.find_many(organization, task_ids[:MOST_COMPARED])]
    return [one for one in cards if one.video is not None]


def takers(kind: str) -> list[Spec]:
    """The models that can show an element of this kind."""
    return [spec for spec in catalog.SPECS if _takes(spec, kind)]


def pickable(
    organization: Organization, made_from: str, chosen: Sequence[str]
) -> list[tuple[str, element_cards.Card | None]]:
    """Elements for a model, by id: those that are chosen first, in their order; None for one that is there no more."""
    usable = elements.usable(organization)
    others = usable.filter(kind=made_from) if made_from else usable
    found = [
        *usable.filter(pk__in=[number for number in map(elements.number, chosen) if number]),
        *others.order_by("-pk")[:SHOWN_ELEMENTS],
    ]
    cards = {str(card.element.pk): card for card in element_cards.cards(organization, found)}
    return [
        *((one, cards.get(one)) for one in chosen),
        *((one, card) for one, card in cards.items() if one not in chosen),
    ]


def _elements(organization: Organization, tasks: Sequence[Task]) -> dict[UUID, element_cards.Card]:
    """What the finished ones among the tasks made, by the task's number."""
    makers = [task for task in tasks if task.status == Task.Status.COMPLETED and task.type == Task.Type.ELEMENT]
    cards = element_cards.cards(organization, [task.element for task in makers])
    return {task.pk: one for task, one in zip(makers, cards, strict=True)}


def _takes(spec: Spec, kind: str) -> bool:
    return any(one.kind == "elements" and one.elements_made_from in ("", kind) for one in fields.of(spec))


def _poster(task: Task) -> str:
    """The image that the video began with, where it is a file of ours."""
    links = {medium.role: medium.url for medium in task.media.all() if files.is_ours(medium.url)}
    return next((links[role] for role in POSTER_ROLES if role in links), "")
