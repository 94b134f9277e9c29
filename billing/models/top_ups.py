"""Money that comes in through Stripe: top-ups, what Stripe told us of them, and recharges without anybody's click.

    TopUp     opening -> open -> processing -> paid         each but paid also -> failed | expired | review
              failed | expired | review -> paid             money that came is credits, however late we learn of it
    MoneyBack 1 per refund or dispute at Stripe; the top-up's `credits_back` follows from all of them

Only `billing.top_ups` writes here. A top-up is committed before Stripe is asked for anything, and its public id is the
idempotency key of that call and the reference of the credits.
"""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import ids
from accounts.models import ApiKey, Organization
from billing.amounts import ZERO, CreditsField


class TopUp(models.Model):
    """One purchase of credits. Amount, currency and credits are what we recorded; what Stripe says must agree.

    `due_at` is when the sweep asks Stripe about it; a claim moves it on, so that it is lease and pause in one.
    """

    PREFIX = "topup_"

    class Origin(models.TextChoices):
        CHECKOUT = "checkout"
        AUTO_RECHARGE = "auto_recharge"

    class Status(models.TextChoices):
        OPENING = "opening"
        OPEN = "open"
        PROCESSING = "processing"
        PAID = "paid"
        FAILED = "failed"
        EXPIRED = "expired"
        REVIEW = "review"

    UNFINISHED: ClassVar = (Status.OPENING.value, Status.OPEN.value, Status.PROCESSING.value)

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="top_ups", db_index=False)
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    origin = models.CharField(max_length=13, choices=Origin)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPENING)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="usd")
    credits = CreditsField()
    saves_payment_method = models.BooleanField(default=False)
    session_id = models.CharField(max_length=255, blank=True, help_text="Stripe's Checkout session.")
    checkout_url = models.TextField(blank=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    customer_id = models.CharField(max_length=255, blank=True)
    payment_method_id = models.CharField(max_length=255, blank=True)
    problem = models.CharField(max_length=300, blank=True, help_text="Why it failed, or what does not agree.")
    back_cents = models.PositiveIntegerField(default=0, help_text="Refunded or disputed.")
    back_credits = CreditsField(default=ZERO, help_text="What was taken back for it.")
    back_bookings = models.PositiveIntegerField(default=0, help_text="Adjustments made for it.")
    looks = models.PositiveIntegerField(default=0, help_text="Looks in a row that changed nothing.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When Stripe is asked about it; empty: never.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of the checkout page.")
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["opening", "open", "processing", "paid", "failed", "expired", "review"],
                    origin__in=["checkout", "auto_recharge"],
                ),
                name="top_up_status_and_origin_are_known",
            ),
            models.CheckConstraint(condition=Q(amount_cents__gt=0, credits__gt=0), name="top_up_is_positive"),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False) | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="top_up_is_paid_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(back_cents__lte=F("amount_cents"), back_credits__gte=0, back_credits__lte=F("credits")),
                name="top_up_gives_back_no_more_than_it_brought",
            ),
            models.UniqueConstraint(
                fields=["session_id"], condition=~Q(session_id=""), name="one_top_up_per_checkout_session"
            ),
            models.UniqueConstraint(
                fields=["payment_intent_id"], condition=~Q(payment_intent_id=""), name="one_top_up_per_payment"
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(origin="auto_recharge", status__in=["opening", "open", "processing"]),
                name="one_auto_recharge_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="top_ups_of_an_organization"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="top_ups_to_look_at"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    @property
    def usd(self) -> Decimal:
        return Decimal(self.amount_cents) / 100


class MoneyBack(models.Model):
    """A refund or a dispute at Stripe, as we last knew it. While `takes`, its cents are not ours.

    `rank` tells the later of two messages: a lower one that comes afterwards changes nothing.
    """

    class Kind(models.TextChoices):
        REFUND = "refund"
        DISPUTE = "dispute"

    stripe_id = models.CharField(max_length=255, primary_key=True)
    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="money_back")
    kind = models.CharField(max_length=7, choices=Kind)
    cents = models.PositiveIntegerField()
    stripe_status = models.CharField(max_length=40, help_text="Stripe's word.")
    rank = models.PositiveSmallIntegerField()
    takes = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "money back"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["refund", "dispute"]), name="money_back_kind_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stripe_id}"


class StripeEvent(models.Model):
    """A message of Stripe's about one of our top-ups: written in the transaction of what it did, so it counts once."""

    event_id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=80)
    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="stripe_events")
    outcome = models.CharField(max_length=200)
    created_at = models.DateTimeField(help_text="At Stripe.")
    received_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.type} ({self.event_id})"


class AutoRecharge(models.Model):
    """Buy `amount_cents` of credits whenever fewer than `threshold_credits` are available, with a saved method.

    What is bought is at least the threshold, so a paid recharge always lifts the wallet above it again. After one that
    failed it pauses until the customer or an operator says otherwise.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="auto_recharge"
    )
    enabled = models.BooleanField(default=False)
    threshold_credits = CreditsField(default=ZERO)
    amount_cents = models.PositiveIntegerField(default=0)
    monthly_maximum_cents = models.PositiveIntegerField(default=0, help_text="In a calendar month of UTC.")
    customer_id = models.CharField(max_length=255, blank=True)
    payment_method_id = models.CharField(max_length=255, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(enabled=False)
                | Q(amount_cents__gt=0, threshold_credits__gt=0, monthly_maximum_cents__gte=F("amount_cents")),
                name="auto_recharge_has_its_amounts",
            ),
            models.CheckConstraint(
                condition=Q(enabled=False) | (~Q(customer_id="") & ~Q(payment_method_id="")),
                name="auto_recharge_has_a_payment_method",
            ),
        ]
        indexes = [models.Index(fields=["organization"], condition=Q(enabled=True), name="auto_recharges_switched_on")]

    def __str__(self) -> str:
        return f"auto-recharge of {self.organization}"
