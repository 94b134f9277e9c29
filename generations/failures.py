"""Why tasks fail, in our own codes and words (docs/errors.md has them all)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a task failed, in our own code and words."""

    code: str
    message: str
    param: str = ""
    retryable: bool = False


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
