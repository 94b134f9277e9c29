"""What a task asks of a provider, in the words that adapters speak.

Its frozen inputs, its media by role and its elements make an `Order`; an order becomes a `Request` for one account. An
account that knows an element is given its own id of it, every other the files it was made of, to be sent inline.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from generations import elements, files
from generations.models import Element, StoredFile, Task
from generations.models.providers import ProviderAccount
from generations.providers.base import ElementRequest, ElementUse, Request, Shot, VideoRequest


@dataclass(frozen=True, kw_only=True)
class Order:
    """`links`: by role, where each picture or film lies. `link`: the address of a file of an element."""

    model: str
    makes_element: bool
    inputs: Mapping[str, Any]
    links: Mapping[str, str]
    elements: Sequence[Element] = ()
    link: Callable[[StoredFile], str] = str

    def request(self, account: ProviderAccount, *, reference: str = "", callback_url: str | None = None) -> Request:
        """Without a reference it is a draft: enough to ask who could make it."""
        if self.makes_element:
            return self._element(reference, callback_url)
        inputs = dict(self.inputs)
        del inputs["element_ids"]
        shots = tuple(Shot(**shot) for shot in inputs.pop("shots"))
        return VideoRequest(
            reference=reference,
            model=self.model,
            shots=shots,
            elements=tuple(self._use(element, account) for element in self.elements),
            image_start=self.links.get("image_start"),
            image_end=self.links.get("image_end"),
            images=_numbered(self.links),
            video=self.links.get("video", self.links.get("short_video")),
            callback_url=callback_url,
            **inputs,
        )

    def _element(self, reference: str, callback_url: str | None) -> ElementRequest:
        return ElementRequest(
            reference=reference,
            frontal_image=self.links.get("frontal_image"),
            refer_images=_other_angles(self.links),
            video=self.links.get("video"),
            callback_url=callback_url,
            **self.inputs,
        )

    def _use(self, element: Element, account: ProviderAccount) -> ElementUse:
        sources = {source.role: source.file for source in element.sources.all() if source.file.deleted_at is None}
        links = {role: self.link(file) for role, file in sources.items()}
        known = {copy.account_id: copy.upstream_id for copy in element.copies.all()}
        return ElementUse(
            upstream_id=known.get(account.pk, ""),
            name=element.name,
            description=element.description,
            kind=element.kind,  # type: ignore[arg-type]  # a column of these two words
            frontal_image=links.get("frontal_image"),
            refer_images=_other_angles(links),
            video=links.get("video"),
            voice_id=element.voice_id or "",
        )


def order(task: Task) -> Order:
    """What a task that is there asks, with links that work until it ends."""
    return Order(
        model=task.model,
        makes_element=task.type == Task.Type.ELEMENT,
        inputs=task.inputs,
        links=links(task),
        elements=elements.named(task.inputs.get("element_ids", ())),
        link=partial(files.signed_url, task=task),
    )


def links(task: Task) -> dict[str, str]:
    """By role, the address an upstream may fetch: our copy, or the customer's own where it did not answer us."""
    return {
        medium.role: files.signed_url(medium.file, task) if medium.file else medium.url
        for medium in task.media.select_related("file")
    }


def _other_angles(by_role: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(by_role[role] for role in sorted(by_role) if role.startswith("refer_image_"))


def _numbered(by_role: Mapping[str, str]) -> tuple[str, ...]:
    """`image_1`, `image_2`, … in this order."""
    numbers = sorted(int(role.removeprefix("image_")) for role in by_role if role.removeprefix("image_").isdigit())
    return tuple(by_role[f"image_{number}"] for number in numbers)
