"""Vouchers: codes that customers redeem for credits. A batch says what each of its vouchers is worth."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import ids
from accounts.models import ApiKey, Organization, User
from billing.amounts import CreditsField
from billing.models.wallets import CreditLot


class VoucherBatch(models.Model):
    """Vouchers that were made together and are worth the same. What it says never changes; a voucher can be disabled.

    One that is worth more than an operator may give alone is redeemed only after a second one has confirmed it.
    """

    PREFIX = "vba_"
    KINDS: ClassVar = [(kind.value, kind.label) for kind in (CreditLot.Kind.PROMO, CreditLot.Kind.GOODWILL)]

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=KINDS)
    credits = CreditsField(help_text="Credits that each redemption gives.")
    count = models.PositiveIntegerField(help_text="Codes.")
    max_redemptions = models.PositiveIntegerField(help_text="Organizations that may redeem one code.")
    starts_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of the codes. Empty: never.")
    credits_expire_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days after the redemption. Empty: never."
    )
    reason = models.CharField(max_length=300)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    needs_confirmation = models.BooleanField()
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "voucher batches"
        permissions: ClassVar = [("confirm_voucherbatch", "Can confirm the vouchers that another operator made")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["promo", "goodwill"]), name="voucher_kind_is_known"),
            models.CheckConstraint(condition=Q(credits__gt=0), name="voucher_credits_are_positive"),
            models.CheckConstraint(condition=Q(count__gt=0, max_redemptions__gt=0), name="vouchers_can_be_redeemed"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("starts_at")),
                name="vouchers_start_before_they_expire",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("made_by")),
                name="vouchers_are_confirmed_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    @property
    def is_confirmed(self) -> bool:
        return not self.needs_confirmation or self.confirmed_by_id is not None


class Voucher(models.Model):
    """One code, kept as an HMAC, and how often it was redeemed."""

    PREFIX = "vou_"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    batch = models.ForeignKey(VoucherBatch, on_delete=models.PROTECT, related_name="vouchers")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="The last characters, to recognise it by.")
    max_redemptions = models.PositiveIntegerField()
    redemptions = models.PositiveIntegerField(default=0)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(redemptions__lte=F("max_redemptions")), name="voucher_is_redeemed_no_more_often_than_it_may"
            ),
        ]

    def __str__(self) -> str:
        return self.hint

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    @property
    def reference(self) -> str:
        """The ledger's, in every wallet that it was redeemed into."""
        return f"voucher:{self.public_id}"


class VoucherRedemption(models.Model):
    """One organization has had one voucher's credits; the lot carries the voucher's reference."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="uses", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="voucher_redemptions")
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    credits = CreditsField()
    credits_expire_at = models.DateTimeField(null=True, blank=True)
    redeemed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["voucher", "organization"], name="one_redemption_per_voucher_and_organization"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher} by {self.organization}"


class VoucherTries(models.Model):
    """How many codes that do not exist an organization, or an address, has tried in one hour; past hours are swept."""

    who = models.CharField(max_length=64)
    hour = models.BigIntegerField()
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "voucher tries"
        constraints = [models.UniqueConstraint(fields=["who", "hour"], name="one_row_of_voucher_tries_per_hour")]

    def __str__(self) -> str:
        return self.who
