"""Credits that an operator asked to give or take, and who has had the credits of a sign-up."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import ids
from accounts.models import Organization, User
from billing.amounts import CreditsField
from billing.models.wallets import CreditLot


class GrantRequest(models.Model):
    """One grant or adjustment by an operator: done at once, or pending until a second operator has decided.

        (new) -> done                                        a small one
        (new) -> pending -> done | declined | lapsed         one that needs confirmation

    `reference` is the operator's own (a ticket), and `operator:{reference}` the ledger's. Whoever asked never decides.
    """

    PREFIX = "grq_"

    class Verb(models.TextChoices):
        GRANT = "grant"
        ADJUST = "adjust"

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        DECLINED = "declined"
        LAPSED = "lapsed"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="grant_requests", db_index=False
    )
    verb = models.CharField(max_length=6, choices=Verb)
    amount = CreditsField(help_text="Credits. An adjustment's is signed: negative takes back.")
    kind = models.CharField(max_length=8, choices=CreditLot.Kind, blank=True, help_text="Of the lot, for a grant.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of the lot. Empty: never.")
    reference = models.CharField(max_length=100)
    reason = models.CharField(max_length=300)
    needs_confirmation = models.BooleanField()
    state = models.CharField(max_length=8, choices=State)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    lapses_at = models.DateTimeField(null=True, blank=True, help_text="A pending one is given up then.")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        permissions: ClassVar = [("confirm_grantrequest", "Can confirm or decline what another operator asked for")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "reference"], name="one_grant_request_per_organization_and_reference"
            ),
            models.CheckConstraint(
                condition=Q(verb="grant", amount__gt=0, kind__in=CreditLot.Kind.values)
                | (Q(verb="adjust", kind="", expires_at__isnull=True) & ~Q(amount=0)),
                name="grant_request_fits_its_verb",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="grant_request_is_decided_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(needs_confirmation=False, state="done", decided_by__isnull=True)
                | Q(needs_confirmation=True, state__in=["done", "declined"], decided_by__isnull=False)
                | Q(needs_confirmation=True, state__in=["pending", "lapsed"], decided_by__isnull=True),
                name="grant_request_is_confirmed_where_it_must_be",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "asked_by", "asked_at"], name="grants_of_an_operator"),
            models.Index(fields=["lapses_at"], condition=Q(state="pending"), name="pending_grants"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.amount} to {self.organization} ({self.reference})"

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)


class SignUpCredits(models.Model):
    """A mailbox that has had the credits of a sign-up, as a keyed hash.

    No foreign keys: it outlives the user and the organization, so that signing up again gives nothing.
    """

    mailbox = models.BinaryField(max_length=32, unique=True, editable=False)
    organization_id = models.UUIDField(unique=True)
    amount = CreditsField()
    granted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "sign-up credits"

    def __str__(self) -> str:
        return ids.encode(Organization.PREFIX, self.organization_id)
