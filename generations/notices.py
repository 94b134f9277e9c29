"""What operators tell the public about a model: the one place where a notice comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One plain sentence that names no provider, and when it is expected to be over (None: not known)."""

    message: str
    expected_end_at: datetime | None = None


def notices() -> Mapping[str, Notice]:
    """The notices that hold now, by model id. A model that takes nothing while it has one is in maintenance."""
    return {}
