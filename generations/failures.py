"""Why tasks fail, in our own codes and words (docs/errors.md has them all)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a task failed, in our own code and words."""

    code: str
    message: str
    param: str = ""
    retryable: bool = False

    def columns(self) -> dict[str, Any]:
        """As a task keeps it."""
        return {
            "error_code": self.code,
            "error_message": self.message[:500],
            "error_param": self.param[:200],
            "error_retryable": self.retryable,
        }


TIMEOUT = Failure(
    code="generation_timeout", message="The generation did not finish in time. You were not charged.", retryable=True
)
UNAVAILABLE = Failure(
    code="service_unavailable",
    message="The model is not available at the moment. You were not charged.",
    retryable=True,
)
SERVICE_ERROR = Failure(
    code="service_error", message="The generation failed on our side. You were not charged.", retryable=True
)
