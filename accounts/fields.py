"""How the API writes moments and credits: unix seconds, and JSON numbers with at most 4 decimals."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 0, "maximum": LAST_SECOND})
class UnixTime(serializers.IntegerField):
    """A moment as unix seconds."""

    def to_internal_value(self, data: Any) -> datetime:  # type: ignore[override]
        seconds = super().to_internal_value(data)
        if not 0 <= seconds <= LAST_SECOND:
            raise serializers.ValidationError("This field must be a moment in unix seconds.")
        return datetime.fromtimestamp(seconds, UTC)

    def to_representation(self, value: datetime) -> int:  # type: ignore[override]
        return int(value.timestamp())


@extend_schema_field({"type": "number", "minimum": 0, "multipleOf": 0.0001})
class Credits(serializers.DecimalField):
    """An amount of credits, 0 or more."""

    least: ClassVar[Decimal | None] = Decimal(0)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=4, min_value=self.least, **kwargs)

    def to_representation(self, value: Decimal) -> int | float:  # type: ignore[override]
        return int(value) if value == value.to_integral_value() else float(value)


@extend_schema_field({"type": "number", "multipleOf": 0.0001})
class SignedCredits(Credits):
    """What an amount of credits changes by; an answer's alone."""

    least = None
