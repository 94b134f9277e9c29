"""What the auditor saw: each of its runs, and how far each wallet has been found clean."""

from django.db import models
from django.utils import timezone

from billing.models.wallets import Wallet


class AuditRun(models.Model):
    """One run of the auditor; `findings` is a list of `{"invariant", "subject", "problem"}` and empty when clean."""

    scope = models.CharField(max_length=80)
    wallets = models.PositiveIntegerField(default=0, help_text="How many it looked at.")
    findings = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="Empty: still at work, or it broke off.")

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="audit_runs_newest_first")]

    def __str__(self) -> str:
        return f"{self.scope} at {self.started_at:%Y-%m-%d %H:%M}"


class AuditMark(models.Model):
    """The `seq` up to which a wallet was last found clean; a wallet beyond its mark has changed since.

    `checked_at` is when it was last looked at, whatever was found.
    """

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, primary_key=True, related_name="audit_mark")
    seq = models.BigIntegerField()
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.wallet_id} clean to {self.seq}"
