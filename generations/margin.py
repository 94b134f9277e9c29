"""The margin guard: how much one task may lose us, and all tasks of a UTC day together.

A candidate loses what it costs beyond the task's price. The day's row grows by one conditional UPDATE in the
transaction that commits the intent to send, so the cap holds exactly however many send at once; it shrinks in the
transaction in which the attempt ends without having cost us anything. An attempt that was given up, or was billed
although it failed, counts with its whole cost, since nobody pays for it. What earns its price writes nothing here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import DecimalField, F, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing.dollars import CREDITS_PER_DOLLAR
from generations import alerts
from generations.models import Attempt, DayLoss, MarginGuard

SMALLEST = Decimal("0.000001")
NEARLY = Decimal("0.8")  # of the day's loss: an operator should know


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What operators allow, and what the day has lost. Dollars but for the share."""

    share: Decimal
    a_day: Decimal
    lost: Decimal

    def has_room(self, loss: Decimal) -> bool:
        return loss <= 0 or self.lost + loss <= self.a_day


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def annotations(day: Any) -> dict[str, Any]:
    """For a query of provider accounts: what `limits` reads."""
    guard = MarginGuard.objects.filter(pk=1)
    return {
        "max_loss_share": Subquery(guard.values("max_loss_share")),
        "max_loss_a_day": Subquery(guard.values("max_loss_a_day")),
        "lost_today": Subquery(DayLoss.objects.filter(day=day).values("lost")),
    }


def limits(found: Any) -> Limits:
    """From a row of such a query."""
    return Limits(
        share=settings.MAX_LOSS_SHARE if found.max_loss_share is None else found.max_loss_share,
        a_day=settings.MAX_LOSS_A_DAY if found.max_loss_a_day is None else found.max_loss_a_day,
        lost=found.lost_today or Decimal(0),
    )


def allowed_a_day() -> Decimal:
    guard = MarginGuard.objects.filter(pk=1).first()
    return settings.MAX_LOSS_A_DAY if guard is None else guard.max_loss_a_day


def loss(cost: Decimal, price: Decimal) -> Decimal:
    """Dollars that a task of `price` credits loses where it costs `cost` dollars; 0 when it earns its price."""
    return max(Decimal(0), cost - price / CREDITS_PER_DOLLAR).quantize(SMALLEST)


def take(amount: Decimal, day: date) -> bool:
    """Count a loss before it is made; False when the day has no room for it."""
    DayLoss.objects.bulk_create([DayLoss(day=day)], ignore_conflicts=True)
    money = DecimalField(max_digits=20, decimal_places=6)
    asked = Subquery(MarginGuard.objects.filter(pk=1).values("max_loss_a_day"))
    cap = Coalesce(asked, Value(settings.MAX_LOSS_A_DAY), output_field=money)
    taken = DayLoss.objects.filter(day=day, lost__lte=cap - Value(amount, money)).update(lost=F("lost") + amount)
    return bool(taken)


def give_back(attempt: Attempt) -> None:
    """It ended without having cost us anything. In the transaction that ends it, once."""
    if attempt.loss:
        DayLoss.objects.filter(day=day_of(attempt.created_at)).update(lost=F("lost") - attempt.loss)


def lose(attempt: Attempt) -> None:
    """It may have cost us everything: count what the customer would have paid, too. In the transaction that ends it."""
    rest = attempt.cost_estimate - attempt.loss
    if rest > 0:
        today = day_of(timezone.now())
        DayLoss.objects.bulk_create([DayLoss(day=today)], ignore_conflicts=True)
        DayLoss.objects.filter(day=today).update(lost=F("lost") + rest)


def tell_used_up(day: date) -> None:
    """The day had no room for a task: operators hear of it once a day."""
    DayLoss.objects.bulk_create([DayLoss(day=day)], ignore_conflicts=True)
    if DayLoss.objects.filter(day=day, told_at__isnull=True).update(told_at=timezone.now()):
        alerts.tell(
            "daily-loss", f"{day}", "The day's loss is used up: accounts where a task would lose are passed over."
        )
