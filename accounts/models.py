"""Who may do what: organizations (the tenants), their members, their API keys, and the user group that prices them.

UserGroup 1-n Organization 1-n Membership n-1 User
              Organization 1-n ApiKey n-1 KeyBudget      rolled keys share the budget of the key they replace
              Organization 0-1 sandbox Organization      its twin: test credits, simulator only
"""

from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import ids
from accounts.acting import ActorKind


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Scope(models.TextChoices):
    GENERATE = "generate"
    READ = "read"
    BILLING = "billing"
    WEBHOOKS = "webhooks"
    KEYS = "keys"


def default_scopes() -> list[str]:
    return [Scope.GENERATE.value, Scope.READ.value]


class UserGroup(models.Model):
    """A group of organizations that share prices and limits. `default` always exists."""

    name = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80, blank=True)
    max_files = models.PositiveIntegerField(default=100)
    running_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Tasks at work at once.")
    queued_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Tasks that may wait; beyond it 429.")

    def __str__(self) -> str:
        return self.name


class Organization(models.Model):
    """A tenant. Everything a customer owns hangs off one; a sandbox twin is an organization of its own."""

    PREFIX = "org_"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    name = models.CharField(max_length=120)
    user_group = models.ForeignKey(UserGroup, on_delete=models.PROTECT, related_name="organizations")
    sandbox_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="sandbox", help_text="The live twin."
    )
    result_retention_hours = models.PositiveIntegerField(default=24, validators=[MinValueValidator(1)])
    running_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the user group's.")
    queued_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the user group's.")
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    @property
    def is_sandbox(self) -> bool:
        return self.sandbox_of_id is not None


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address (Django's commands call these names)."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_staff` makes an operator of the gateway, who belongs to no organization."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, blank=True, default="", db_default="", help_text="Empty: the browser's.")
    time_zone = models.CharField(max_length=40, default="UTC", db_default="UTC")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    organizations = models.ManyToManyField(Organization, through="Membership", related_name="members")

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email_in_any_case")]

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    notify = models.BooleanField(
        null=True, blank=True, help_text="E-mails about credits and keys. Empty: owners and admins get them."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_user_and_organization"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Invitation(models.Model):
    """An e-mail address that may become a member until `expires_at`, unless it is revoked."""

    PREFIX = "inv_"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role)
    language = models.CharField(max_length=10, help_text="Of the e-mail.")
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_organization_and_address",
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    def is_open(self, now: datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


class KeyBudget(models.Model):
    """What a key, and those it is rolled into, may spend: in total, per UTC day and UTC month. None = no limit."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="key_budgets")
    total_limit = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    daily_limit = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    monthly_limit = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(total_limit__isnull=True) | models.Q(total_limit__gte=0),
                name="total_limit_is_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(daily_limit__isnull=True) | models.Q(daily_limit__gte=0),
                name="daily_limit_is_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(monthly_limit__isnull=True) | models.Q(monthly_limit__gte=0),
                name="monthly_limit_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        limits = {"total": self.total_limit, "daily": self.daily_limit, "monthly": self.monthly_limit}
        return ", ".join(f"{name} {'∞' if limit is None else limit}" for name, limit in limits.items())


class ApiKey(models.Model):
    """A secret that acts for an organization. Only its HMAC is kept; the text is shown once, when it is made."""

    PREFIX = "key_"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    budget = models.ForeignKey(KeyBudget, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    hint = models.CharField(max_length=20, editable=False, help_text="First and last characters, to recognise it by.")
    scopes = ArrayField(models.CharField(max_length=12, choices=Scope), default=default_scopes)
    allowed_models = ArrayField(models.CharField(max_length=80), default=list, blank=True, help_text="Empty: all.")
    allowed_networks = ArrayField(models.CharField(max_length=50), default=list, blank=True, help_text="CIDR.")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    running_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Unfinished tasks at once.")
    enabled = models.BooleanField(default=True)
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when it may not spend, because its spend jumped."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    rolled_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="rolled_into")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["organization", "created_at"], name="keys_of_an_organization")]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class RateWindow(models.Model):
    """How often a key called in one minute; rows of past minutes are swept."""

    key_id = models.UUIDField()
    minute = models.BigIntegerField()
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key_id", "minute"], name="one_rate_window_per_key_and_minute")]


class Announcement(models.Model):
    """A line that everybody reads on the public pages, from a moment on and perhaps until one."""

    LINK = r"^(/([^/\\].*)?|https://[^/\s].*)$"

    text_en = models.CharField("text in English", max_length=200)
    text_zh_hans = models.CharField("text in Chinese", max_length=200)
    link = models.CharField(
        max_length=500,
        blank=True,
        validators=[RegexValidator(LINK, "Write a path of ours, such as /docs, or an https address.")],
        help_text="Where the line leads: a path of ours, such as /docs, or an https address.",
    )
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is disabled.")
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gt=models.F("starts_at")),
                name="announcement_ends_after_it_starts",
                violation_error_message="It must end after it starts.",
            ),
            models.CheckConstraint(
                condition=~models.Q(text_en="") & ~models.Q(text_zh_hans=""), name="announcement_speaks_every_language"
            ),
        ]

    def __str__(self) -> str:
        return self.text_en


class AuditEntry(models.Model):
    """One act of somebody: who, when, to what, from what to what, from where and why. Append-only by trigger.

    Names and ids are written down as they were, without foreign keys: an entry outlives everybody it speaks of.
    """

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_id = models.CharField(max_length=40, blank=True, help_text="A user's number, or a key's id.")
    actor = models.CharField(max_length=300, blank=True)
    action = models.CharField(max_length=60)
    organization_id = models.UUIDField(null=True, blank=True)
    organization_name = models.CharField(max_length=120, blank=True)
    target_type = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=80, blank=True)
    target = models.CharField(max_length=300, blank=True)
    changes = models.JSONField(default=dict, blank=True, help_text="{name: [before, after]}, never secrets.")
    reason = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="audit_of_an_organization"),
            models.Index(fields=["actor", "-id"], name="audit_of_an_actor"),
            models.Index(fields=["action", "-id"], name="audit_of_an_action"),
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_of_a_target"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]
        triggers = [
            pgtrigger.Protect(name="audit_entries_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()

    @property
    def organization_public_id(self) -> str:
        return ids.encode(Organization.PREFIX, self.organization_id) if self.organization_id else ""
