"""What members are told by e-mail, and what makes us tell them: balances that fall, keys whose spending jumps.

Organization 1-n BalanceThreshold     how far it has looked at the wallet's transfers
             0-1 SpendingGuard        whether keys are watched, and how closely
             1-n Notice 1-n NoticeMail, one an address:  due ──► sent
ApiKey 1-n KeyPause                                       └────► failed
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey, Organization
from billing.amounts import ZERO, CreditsField


class BalanceThreshold(models.Model):
    """Tell the members when the available credits fall below `credits`.

    `available` is what was available after the transfer `seq`, the last that was looked at. `noticed_seq` is the
    transfer that the last notice told of.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="balance_thresholds", db_index=False
    )
    credits = CreditsField()
    seq = models.BigIntegerField()
    available = CreditsField()
    noticed_seq = models.BigIntegerField(null=True, blank=True)
    noticed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "credits"], name="one_threshold_per_organization_and_credits"
            ),
            models.CheckConstraint(condition=Q(credits__gt=0), name="threshold_is_positive"),
        ]

    def __str__(self) -> str:
        return f"below {self.credits}"


class SpendingGuard(models.Model):
    """Pause a key that reserves more in an hour than `factor` times its busiest hour, and more than `minimum`."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="spending_guard"
    )
    factor = models.DecimalField(max_digits=8, decimal_places=2, default=10)
    minimum = CreditsField(default=100, help_text="Credits an hour that never pause a key.")
    on_since = models.DateTimeField(null=True, blank=True, help_text="Empty: off.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(factor__gte=1, minimum__gt=0), name="guard_leaves_room_to_work"),
        ]

    def __str__(self) -> str:
        return f"{self.factor} times the busiest hour, at least {self.minimum}" if self.on_since else "off"


class KeyPause(models.Model):
    """That a key was paused, and by what: `spent` in the hour that begins at `hour_at`, where `allowed` was the most.

    Whether it still is paused stands on the key.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="pauses", db_index=False)
    hour_at = models.DateTimeField()
    spent = CreditsField()
    allowed = CreditsField()
    busiest = CreditsField(default=ZERO, help_text="Its busiest hour of the 14 days before.")
    paused_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "hour_at", "spent"], name="one_pause_for_the_same_spending"),
        ]

    def __str__(self) -> str:
        return f"{self.spent} in the hour from {self.hour_at:%Y-%m-%d %H:%M} UTC"


class Notice(models.Model):
    """Something that members are told, once: `reference` names what happened. `facts` are what its text says."""

    class Kind(models.TextChoices):
        LOW_BALANCE = "low_balance"
        KEY_PAUSED = "key_paused"
        INVITATION = "invitation"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    reference = models.CharField(max_length=120)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "reference"], name="one_notice_per_organization_and_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.reference})"


class NoticeMail(models.Model):
    """A notice to one address. `due_at` is the next try or, while somebody sends it, when the claim ends; `tries`
    grows with each claim, and every later write of that claim names it.
    """

    class State(models.TextChoices):
        DUE = "due"
        SENT = "sent"
        FAILED = "failed"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="mails", db_index=False)
    email = models.EmailField()
    state = models.CharField(max_length=6, choices=State, default=State.DUE)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "email"], name="one_mail_per_notice_and_address"),
            models.CheckConstraint(condition=Q(state__in=["due", "sent", "failed"]), name="mail_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="sent_mails_have_a_moment",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="due"), name="mails_to_send")]

    def __str__(self) -> str:
        return f"{self.notice} to {self.email}"
