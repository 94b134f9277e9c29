"""What a request for a model may say, as rows of a table: each field with its kind, its limits and its default."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.catalog.base import Spec
from generations.catalog.fields import (
    Choice,
    Field,
    Flag,
    ListOf,
    NumberChoice,
    Object,
    OnOff,
    Text,
    WebAddress,
    WholeNumber,
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """`path` is the field's place in the body: `model_params.multi_prompt[].prompt`."""

    path: str
    kind: str
    default: str
    is_required: bool


def of(spec: Spec) -> list[Line]:
    return [*_lines(spec.root, ""), *_lines(spec.model_params, "model_params.")]


def _lines(around: Object, prefix: str) -> Iterator[Line]:
    for name, field in around.fields.items():
        path = prefix + name
        default = field.schema().get("default", "")
        yield Line(path=path, kind=_kind(field), default=_spelled(default), is_required=field.required)
        inner = field.item if isinstance(field, ListOf) else field
        if isinstance(inner, Object):
            yield from _lines(inner, f"{path}[]." if isinstance(field, ListOf) else f"{path}.")


def _kind(field: Field) -> str:
    match field:
        case Text():
            return _("text, at most %(most)s characters") % {"most": field.max_length}
        case WebAddress():
            return _("http or https address")
        case WholeNumber():
            return _("whole number, %(least)s to %(most)s") % {"least": field.minimum, "most": field.maximum}
        case NumberChoice() | Choice():
            return _("one of %(values)s") % {"values": ", ".join(map(str, field.values))}
        case Flag():
            return _("true or false")
        case OnOff():
            return _("on or off")
        case ListOf():
            said = ngettext("list, at most %(most)s entry", "list, at most %(most)s entries", field.max_items)
            return said % {"most": field.max_items}
    return _("object")


def _spelled(value: object) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
