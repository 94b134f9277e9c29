"""Elements (reusable characters), where each lives upstream, the files that can rebuild it, and the voices."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import ids
from accounts.models import Organization
from generations.models.files import StoredFile
from generations.models.providers import ProviderAccount
from generations.models.tasks import Leased, Task


class Voice(models.Model):
    """A voice an element may speak with: told by a provider, or added by an operator (then without `provider`)."""

    voice_id = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=120, blank=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    provider = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="Who told us of it; empty: an operator."
    )
    upstream_name = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="What the provider calls it."
    )
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was disabled because the provider lists it no more."
    )

    class Meta:
        ordering = ["position", "voice_id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.voice_id})"


class Element(models.Model):
    """A character made by a task. Customers know it by the digits of `id`."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_number, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="elements")
    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="element")
    name = models.CharField(max_length=20)
    description = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=[("image_refer", "images"), ("video_refer", "a video")])
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="elements_of_an_organization")]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class ElementSource(models.Model):
    """A file the element was made from, kept so that it can be rebuilt or sent inline elsewhere."""

    element = models.ForeignKey(Element, on_delete=models.CASCADE, related_name="sources")
    role = models.CharField(max_length=40)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["element", "role"], name="one_source_per_element_and_role")]

    def __str__(self) -> str:
        return f"{self.element} {self.role}"


class ElementCopy(Leased):
    """The element as one provider account knows it. `due_at` rings its deletion there.

    present -> deleting -> deleted | failed | kept        failed -> deleting, when an operator says so
    """

    class State(models.TextChoices):
        PRESENT = "present"
        DELETING = "deleting"
        DELETED = "deleted"
        FAILED = "failed", "could not be deleted"
        KEPT = "kept", "the provider cannot delete"

    # As in `Leased`, with defaults of the database: the table is older than these columns.
    leased_by = models.CharField(max_length=80, blank=True, default="", db_default="")
    lease_token = models.BigIntegerField(default=0, db_default=0)
    claims = models.PositiveIntegerField(default=0, db_default=0, help_text="Claims in a row that ended in nothing.")

    element = models.ForeignKey(Element, on_delete=models.CASCADE, related_name="copies")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="+")
    upstream_id = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.PRESENT, db_default="present")
    delete_tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Tries to delete it that failed."
    )
    last_problem = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Why the last of them failed."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="When it was gone at the provider.")

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="element_copies_to_delete", condition=Q(due_at__isnull=False))]
        constraints = [
            models.UniqueConstraint(fields=["element", "account"], name="one_copy_per_element_and_account"),
            models.UniqueConstraint(fields=["account", "upstream_id"], name="one_element_per_upstream_id"),
            models.CheckConstraint(
                condition=Q(state__in=["present", "deleting", "deleted", "failed", "kept"]),
                name="element_copy_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state="deleting") | Q(due_at__isnull=True), name="only_a_copy_to_delete_is_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.element} at {self.account}"
