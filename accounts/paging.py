"""Pages by cursor: newest first, at the same speed however deep; a cursor names the last row of the page before."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts import ids
from accounts.errors import InvalidRequest

Row = TypeVar("Row", bound=Model)


def page(rows: QuerySet[Row], size: int, after: Any = None, *, by: str = "pk") -> tuple[list[Row], Row | None]:
    """Up to `size` rows, the largest `by` first and all below `after`; and the last of them when more follow."""
    if after is not None:
        rows = rows.filter(**{f"{by}__lt": after})
    found = list(rows.order_by(f"-{by}")[: size + 1])
    return found[:size], found[size - 1] if len(found) > size else None


def read(prefix: str, cursor: str | None) -> UUID | None:
    """The id behind a cursor that is a public id. Raises InvalidRequest."""
    if cursor is None:
        return None
    after = ids.decode(prefix, cursor)
    if after is None:
        raise InvalidRequest("invalid_parameter", "This is not a cursor of ours.", param="cursor")
    return after
