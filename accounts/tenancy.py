"""An organization reaches only what hangs off it: a look-up starts there, and a stranger's id is simply unknown."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from accounts import ids
from accounts.errors import NotFound

Row = TypeVar("Row", bound=Model)


def owned(rows: QuerySet[Row], public_id: str, error: NotFound) -> Row:
    """The one of the organization's `rows` with this public id (its model names the PREFIX). Raises `error`."""
    identifier = ids.decode(rows.model.PREFIX, public_id)  # type: ignore[attr-defined]
    found = None if identifier is None else rows.filter(pk=identifier).first()
    if found is None:
        raise error
    return found
