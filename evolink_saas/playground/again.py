"""The body of a task that was made already, so that the form can ask for it again.

A task keeps canonical inputs and its media by the fields that named them; together they say the body once more.
`INPUTS` is the name that each field of a body has among the inputs.
"""

from typing import Any

from evolink_saas.playground import bodies, fields
from evolink_saas.playground.fields import FormField
from generations import catalog
from generations.catalog.fields import OnOff
from generations.models import Task

INPUTS = {
    "duration": "duration_seconds",
    "multi_prompt": "shots",
    "element_list": "element_ids",
    "watermark_info": "watermark",
    "character_orientation": "orientation",
    "keep_original_sound": "keep_sound",
    "element_name": "name",
    "element_description": "description",
    "reference_type": "kind",
    "element_voice_id": "voice_id",
}


def body(task: Task) -> dict[str, Any] | None:
    """None for a model that is sold no more."""
    spec = catalog.find(task.model)
    if spec is None:
        return None
    found: dict[str, Any] = {"model": spec.id}
    links = _links(task)
    for one in fields.of(spec):
        value = _media(one, links) if one.kind == "media" else _plain(one, task)
        if value not in bodies.NOTHING and value != bodies.default(one):
            bodies.put(found, one.name, value)
    return found


def _links(task: Task) -> dict[str, list[str]]:
    """The addresses of its media by the field that named them, in their order."""
    links: dict[str, list[str]] = {}
    for medium in task.media.order_by("pk"):
        links.setdefault(fields.INDEX.sub("", medium.param).replace(".refer_videos.", "."), []).append(medium.url)
    return links


def _media(one: FormField, links: dict[str, list[str]]) -> Any:
    found = links.get(f"{one.name}.{one.item}" if one.item else one.name, [])
    entries = [{one.item: link} for link in found] if one.item else list(found)
    return entries if one.many else next(iter(entries), None)


def _plain(one: FormField, task: Task) -> Any:
    if one.name in ("metadata", "callback_url"):
        return getattr(task, one.name)
    value = task.inputs.get(INPUTS.get(one.word, one.word))
    match one.kind:
        case "shots":
            shots = value or []
            return [{"index": s["index"], "prompt": s["prompt"], "duration": s["duration_seconds"]} for s in shots]
        case "elements":
            return [{one.item: element_id} for element_id in value or []]
        case "switch" if isinstance(one.field, OnOff):
            return "on" if value else "off"
    return value
