"""Tasks (what a customer asked us to make) and attempts (one sending of a task to one provider account).

    Task     pending -> processing | failed | cancelled        processing -> completed | failed | cancelled
    Attempt  submitting -> running -> fetching -> succeeded    each also -> failed | lost

Only `generations.lifecycle` changes a status or a state. Rows are the truth: every kind of due work has a time column
(`due_at`) and a partial index that serves just its look-up; a lease (`leased_until`, `leased_by`) keeps two workers
apart, and its token grows at each claim, so that a worker thought dead cannot write.
"""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q, Value
from django.utils import timezone

from accounts import ids
from accounts.models import ApiKey, Organization, User


class Leased(models.Model):
    """Columns of a row that workers claim."""

    due_at = models.DateTimeField(null=True, blank=True, help_text="When a worker should look at it; empty: never.")
    rung_until = models.DateTimeField(null=True, blank=True, help_text="Until then the queue is trusted with it.")
    leased_until = models.DateTimeField(null=True, blank=True)
    leased_by = models.CharField(max_length=80, blank=True)
    lease_token = models.BigIntegerField(default=0)
    claims = models.PositiveIntegerField(default=0, help_text="Claims in a row that ended in nothing.")

    class Meta:
        abstract = True


class Task(Leased):
    """What a customer asked us to make, with the price and every input of it frozen."""

    PREFIX = "task-video-"

    class Type(models.TextChoices):
        VIDEO = "video"
        ELEMENT = "element"

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN: ClassVar = (Status.PENDING.value, Status.PROCESSING.value)

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="tasks")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks")
    made_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="The member who made it in the console; empty: it was made with an API key.",
    )
    model = models.CharField(max_length=80)
    type = models.CharField(max_length=8, choices=Type)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    progress = models.PositiveSmallIntegerField(default=0)

    inputs = models.JSONField(help_text="The canonical request, every default made explicit, media left out.")
    metadata = models.JSONField(default=dict, blank=True)
    callback_url = models.CharField(max_length=2048, blank=True)
    video_duration = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds asked for.")
    estimated_seconds = models.PositiveIntegerField()

    price = models.JSONField(help_text="Every input of the price, frozen.")
    billing_rule = models.CharField(max_length=12)
    user_group = models.CharField(max_length=40)
    reserved_credits = models.DecimalField(max_digits=20, decimal_places=4)
    charged_credits = models.DecimalField(max_digits=20, decimal_places=4, default=Decimal(0))
    measured_seconds = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)

    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    error_param = models.CharField(max_length=200, blank=True)
    error_retryable = models.BooleanField(default=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="First acceptance by a provider.")
    deadline_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When the result's file goes.")

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="tasks_of_an_organization"),
            models.Index(fields=["due_at"], name="tasks_that_are_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["deadline_at"], name="tasks_with_a_deadline", condition=Q(status__in=["pending", "processing"])
            ),
            models.Index(
                fields=["organization", "id"],
                name="open_tasks_of_an_organization",
                condition=Q(status__in=["pending", "processing"]),
            ),
            models.Index(
                fields=["api_key"], name="open_tasks_of_a_key", condition=Q(status__in=["pending", "processing"])
            ),
            models.Index(
                fields=["organization", "-id"], name="tasks_made_by_members", condition=Q(made_by__isnull=False)
            ),
            models.Index(fields=["finished_at"], name="tasks_by_their_end", condition=Q(finished_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "completed", "failed", "cancelled"]),
                name="task_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing"], finished_at__isnull=True)
                | Q(status__in=["completed", "failed", "cancelled"], finished_at__isnull=False),
                name="a_task_has_an_end_exactly_when_it_is_terminal",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["completed", "failed", "cancelled"]) | Q(due_at__isnull=True),
                name="a_terminal_task_is_never_due",
            ),
            models.CheckConstraint(
                condition=Q(charged_credits__lte=models.F("reserved_credits")), name="charged_is_at_most_reserved"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def under_way(self) -> bool:
        """Whether an attempt is open: `task_list` annotates it, and a task that was just made has none."""
        return getattr(self, "has_open_attempt", False)


class Attempt(Leased):
    """One sending of a task to one provider account. Provider ids, words and cost live here, never on the task.

    The row is committed in `submitting` before the call. `unknown_since` marks a call whose outcome nobody knows.
    """

    PREFIX = "att_"

    class State(models.TextChoices):
        SUBMITTING = "submitting"
        RUNNING = "running"
        FETCHING = "fetching"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        LOST = "lost"

    class CancelAsked(models.TextChoices):
        BY_US = "us", "we did, to send it elsewhere"
        BY_CUSTOMER = "customer", "the customer did"

    OPEN: ClassVar = (State.SUBMITTING.value, State.RUNNING.value, State.FETCHING.value)

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="attempts")
    account = models.ForeignKey("generations.ProviderAccount", on_delete=models.PROTECT, related_name="attempts")
    model = models.CharField(max_length=80, blank=True, db_default="", help_text="The task's.")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.SUBMITTING)
    choice = models.JSONField(default=list, help_text="The candidates at the time, each with its reason.")
    is_probe = models.BooleanField(
        default=False, db_default=False, help_text="Sent to see whether an account that tripped has recovered."
    )
    route = models.CharField(max_length=80)
    mark = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="What a look-up recognises it by, where the provider keeps no reference of ours.",
    )
    upstream_id = models.CharField(max_length=200, blank=True)
    hint_id = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="The upstream id that a callback named."
    )
    state_word = models.CharField(max_length=80, blank=True, help_text="The provider's own last word.")
    outcome = models.CharField(max_length=60, blank=True, help_text="How it ended: our code.")
    upstream_message = models.CharField(max_length=1000, blank=True, help_text="Never shown to a customer.")
    result_url = models.TextField(blank=True)
    upstream_element_id = models.CharField(max_length=200, blank=True)
    cost_estimate = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0), help_text="US dollars.")
    cost_amount = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    cost_unit = models.CharField(max_length=12, blank=True, help_text="unit, or the currency of cash.")
    loss = models.DecimalField(
        max_digits=20,
        decimal_places=6,
        default=Decimal(0),
        db_default=Decimal(0),
        help_text="US dollars beyond the task's price, counted on the day it was sent.",
    )
    judged_at = models.DateTimeField(null=True, blank=True, help_text="When it last spoke for or against its account.")
    fault = models.BooleanField(default=False, db_default=False, help_text="Against it: the provider was at fault.")
    looks = models.PositiveSmallIntegerField(default=0, help_text="Look-ups of an unknown outcome so far.")
    absent_looks = models.PositiveSmallIntegerField(default=0, help_text="Of these, how many found nothing.")
    last_absent_at = models.DateTimeField(null=True, blank=True, help_text="The last of those that counted.")
    fetch_tries = models.PositiveSmallIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    unknown_since = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    cancel_asked = models.CharField(
        max_length=10, blank=True, default="", db_default="", choices=CancelAsked, help_text="Who asked to let it go."
    )
    queued_since = models.DateTimeField(null=True, blank=True, help_text="It waits in the provider's own queue.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "due_at"],
                name="attempts_to_poll",
                condition=Q(state="running", due_at__isnull=False),
            ),
            models.Index(
                fields=["due_at"], name="attempts_to_fetch", condition=Q(state="fetching", due_at__isnull=False)
            ),
            models.Index(
                fields=["account", "model", "judged_at"],
                name="attempts_that_judge_an_account",
                condition=Q(judged_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(state__in=["submitting", "running", "fetching"]),
                name="one_open_attempt_per_task",
            ),
            models.UniqueConstraint(fields=["task", "number"], name="attempts_of_a_task_are_numbered"),
            models.UniqueConstraint(
                fields=["account", "upstream_id"],
                condition=~Q(upstream_id=""),
                name="one_attempt_per_upstream_id_of_an_account",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["submitting", "running", "fetching", "succeeded", "failed", "lost"]),
                name="attempt_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["running", "fetching", "succeeded"]) | ~Q(upstream_id=""),
                name="an_accepted_attempt_has_an_upstream_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} #{self.number}"

    @property
    def reference(self) -> str:
        """Our name for it at the provider: the same at every look-up."""
        return ids.encode(self.PREFIX, self.id)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class IdempotencyRecord(models.Model):
    """The first answer to an Idempotency-Key, committed with the task it made."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="idempotency_records")
    endpoint = models.CharField(max_length=60)
    key = models.CharField(max_length=96)
    body_digest = models.BinaryField(max_length=32)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+")
    answer = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="idempotency_records_by_age")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "endpoint", "key"], name="one_answer_per_idempotency_key_and_endpoint"
            )
        ]

    def __str__(self) -> str:
        return self.key
